/** Guarantee: one command on a medium as a program of its own, killed for good at the step that the first word names. */
import { runNoun } from "@lightferry/proto/cli";
import { Steps } from "./media-steps.ts";

const [step = "0", ...words] = process.argv.slice(2);
const { noun } = await import("../cli/media.ts");
const steps = await new Steps().install();
if (Number(step) > 0) steps.arm(Number(step), "kill");
process.exitCode = await runNoun(noun, words);
