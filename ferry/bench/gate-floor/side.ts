/** Guarantee: one end of one step, in a process and a namespace of its own; it prints `ready` and then its report. */
import * as bare from "./bare.ts";
import * as dgram from "./dgram.ts";
import type { Task } from "./task.ts";
import * as gate from "./through-gate.ts";

const task = JSON.parse(process.argv[2] ?? "") as Task;
const { send, receive } = { bare, dgram, gate }[task.by];
const ready = (): void => {
  process.stdout.write("ready\n");
};
const report = await (task.role === "send" ? send(task) : receive(task, ready));
process.stdout.write(`${JSON.stringify(report)}\n`);
