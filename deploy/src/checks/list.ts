/** Guarantee: the static checks of the house, each a command that fails on the first fault. */

export interface Check {
  readonly name: string;
  readonly command: readonly string[];
}

export const CHECKS: readonly Check[] = [
  { name: "types", command: ["tsc", "-p", "tsconfig.json"] },
  { name: "format, lint, boundaries", command: ["biome", "check", "--error-on-warnings", "."] },
  {
    name: "promises and switches",
    command: ["oxlint", "--type-aware", "-c", ".oxlintrc.json", "."],
  },
  { name: "dead code", command: ["knip"] },
  { name: "schemas", command: ["buf", "lint"] },
  { name: "generated code", command: ["node", "deploy/gen.mjs", "--check"] },
  { name: "error catalogue", command: ["node", "deploy/src/checks/errors-page.ts", "--check"] },
];
