import { assert, assertEquals } from "@std/assert";
import type { Preset } from "../../zoo/recipe.ts";
import { recipes } from "../../zoo/recipes.ts";
import { presetProblem, savedProblem } from "../../zoo/validate.ts";
import { savedConfig } from "../../zoo/weights.ts";

const all = Object.entries(recipes).flatMap(([recipe, { presets }]) =>
  Object.entries(presets).map(([name, preset]) => ({ recipe, name, preset }))
);

Deno.test("presetProblem() finds none in any preset of any recipe", () => {
  for (const { recipe, name, preset } of all) {
    assertEquals(presetProblem(preset), null, `${recipe} ${name}`);
    assertEquals(savedProblem(savedConfig(recipe, name, preset)), null, `${recipe} ${name}`);
  }
});

Deno.test("savedProblem() finds none in a preset that was written and read", () => {
  for (const { recipe, name, preset } of all) {
    const read = JSON.parse(JSON.stringify(savedConfig(recipe, name, preset)));
    assertEquals(savedProblem(read), null);
    assertEquals(read.config, preset);
  }
});

Deno.test("presetProblem() has no number without bounds, nor a word without its choices", () => {
  for (const { preset } of all.filter(({ name }) => name === "cpu")) {
    for (const group of ["model", "task", "optim", "run"] as const) {
      for (const [field, value] of Object.entries(preset[group])) {
        if (typeof value === "boolean") continue;
        const wrong = typeof value === "number" ? [-1, NaN, Infinity] : ["nonsense"];
        for (const given of value === null ? [3] : wrong) {
          const changed = { ...preset, [group]: { ...preset[group], [field]: given } } as Preset;
          const problem = presetProblem(changed);
          assert(
            problem?.includes(`--${group}.${field}=${given}`),
            `${field}=${given}: ${problem}`,
          );
        }
      }
    }
  }
});
