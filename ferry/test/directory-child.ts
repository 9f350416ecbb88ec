/** Guarantee: one half of the ferry as a program of its own, killed for good at the step on a disk that the first word names. */
import { Steps } from "./media-steps.ts";

const [step = "0", role, ...words] = process.argv.slice(2);
process.argv.splice(2, process.argv.length, ...words);
const steps = await new Steps().install();
if (Number(step) > 0) steps.arm(Number(step), "kill");
if (role === "tx") await import("../src/tx-main.ts");
else await import("../src/rx-main.ts");
