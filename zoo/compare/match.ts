/**
 * Presets made alike in parameters or in training compute.
 *
 * @module
 */
import { countParameters } from "../../core/nn/module.ts";
import { scope } from "../../core/scope.ts";
import { makeModel, type ModelConfig } from "../../models/family.ts";
import { trainingFlops } from "../flops.ts";
import type { Preset } from "../recipe.ts";
import { NoRandom } from "../weights.ts";

/** In what presets are made alike: in nothing, in parameters, or in training compute. */
export const matches = ["recipe", "parameters", "compute"] as const;

/** One of {@link matches}. */
export type Match = typeof matches[number];

/** A preset made as large, or trained with as much compute, as a reference. */
export function matched<P extends Preset>(preset: P, reference: Preset, match: Match): P {
  switch (match) {
    case "recipe":
      return preset;
    case "parameters":
      return { ...preset, model: asLarge(preset.model, reference.model) };
    case "compute":
      return asCostly(preset, reference);
  }
}

/** The model with as many layers as bring it nearest to the reference's parameters; all are alike. */
function asLarge(model: ModelConfig, reference: ModelConfig): ModelConfig {
  if (model.kind === reference.kind) return model;
  const [wanted, one, two] = [reference, withLayers(model, 1), withLayers(model, 2)].map(
    sizeOf,
  ) as [number, number, number];
  return withLayers(model, Math.max(1, Math.round(1 + (wanted - one) / (two - one))));
}

function withLayers(model: ModelConfig, layers: number): ModelConfig {
  switch (model.kind) {
    case "hrm":
      return { ...model, hLayers: layers, lLayers: layers };
    case "l-only":
    case "trm":
      return { ...model, lLayers: layers };
    case "actv2":
      return { ...model, hLayers: layers };
    case "transformer":
    case "recurrent":
    case "looped":
      return { ...model, numLayers: layers };
  }
}

function sizeOf(model: ModelConfig): number {
  using _ = scope();
  return countParameters(makeModel(model, { random: new NoRandom(0) }));
}

/** The preset with as many steps as cost what all steps of the reference cost. */
function asCostly<P extends Preset>(preset: P, reference: Preset): P {
  const wanted = trainingFlops(reference);
  // the steps of the looped transformer do not all cost the same: they are found by and by
  const rounds = preset.model.kind === "looped" ? 4 : 1;
  let found = preset;
  for (let i = 0; i < rounds; i++) {
    const { run } = found;
    const steps = Math.max(1, Math.round(run.steps * wanted / trainingFlops(found)));
    if (steps === run.steps) break;
    found = { ...preset, run: { ...run, steps } };
  }
  return found;
}
