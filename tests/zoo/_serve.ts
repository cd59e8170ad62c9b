/** Models, runs and a server for the tests of the playground. */
import { join } from "@std/path";
import { Random } from "../../core/random.ts";
import { stateDict, type StoredTensor } from "../../core/nn/module.ts";
import { scope } from "../../core/scope.ts";
import { makeModel, type ModelConfig } from "../../models/family.ts";
import { metricsFile } from "../../zoo/metrics.ts";
import { recipes } from "../../zoo/recipes.ts";
import { savedConfig, saveWeights, WEIGHT_PREFIX, writeConfig } from "../../zoo/weights.ts";

/** A run whose model was never trained, and the folder of its weights. */
export async function untrainedRun(
  runs: string,
  recipe: string,
  stamp = "2026-01-01T00-00-00",
): Promise<{ name: string; folder: string }> {
  const preset = recipes[recipe]!.presets["tiny"]!;
  const name = `${recipe}/${stamp}`;
  const folder = join(runs, name, "best");
  const config = savedConfig(recipe, "tiny", preset);
  await saveWeights(folder, drawnWeights(preset.model), config);
  await writeConfig(join(runs, name), config);
  writeReports(runs, name, []);
  return { name, folder };
}

function drawnWeights(config: ModelConfig): Map<string, StoredTensor> {
  using _ = scope();
  return stateDict(makeModel(config, { random: new Random(1), device: "cpu" }), WEIGHT_PREFIX);
}

/** Lines as a run reports them: the loss falls, puzzles are solved. */
export function reports(count: number, every = 25, pace = 300): Record<string, unknown>[] {
  return Array.from({ length: count }, (_, i) => {
    const step = (i + 1) * every;
    const done = 1 - Math.exp(-step / pace);
    return {
      ...{ step, seconds: step * 0.06, lr: 1e-3 * Math.min(1, step / 200) * (1 - step / 4000) },
      ...{ loss: 1.6 - 1.4 * done + 0.05 * Math.sin(i * 1.7), accuracy: 0.35 + 0.6 * done },
      ...{ exactAccuracy: 0.85 * done ** 3, gradNorm: 2.6 - 1.9 * done + 0.2 * Math.cos(i * 2.3) },
    };
  });
}

/** Writes what a run reported. */
export function writeReports(runs: string, name: string, lines: readonly object[]): void {
  const text = lines.map((line) => JSON.stringify(line) + "\n").join("");
  Deno.writeTextFileSync(metricsFile(join(runs, name)), text, { append: true });
}
