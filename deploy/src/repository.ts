/** Guarantee: the repository's root, from wherever a program of this folder was started. */
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

export const REPOSITORY: string = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
