/**
 * Models in a few words.
 *
 * @module
 */
import type { ModelConfig } from "../../models/family.ts";

/** Of what a model is made, and how deep it thinks in training. */
export function describeDepth(config: ModelConfig): string {
  switch (config.kind) {
    case "hrm":
      return `${config.hLayers}+${config.lLayers} blocks, ${config.hCycles}×${config.lCycles} ` +
        `cycles, ${segments(config)}`;
    case "l-only":
      return `${config.lLayers} blocks, ${config.cycles} cycles, ${segments(config)}`;
    case "trm":
      return `${config.lLayers} blocks with ${config.mixer}, ${config.hCycles} recursions of ` +
        `${config.lCycles}, ${segments(config)}`;
    case "actv2":
      return `${config.hLayers} blocks, ${segments(config)}`;
    case "transformer":
      return `${config.numLayers} ${config.backbone} blocks, one pass`;
    case "recurrent":
      return `${config.numLayers} ${config.backbone} blocks, ${config.recurrences} recurrences`;
    case "looped":
      return `${config.numLayers} ${config.backbone} blocks, up to ${config.loops} loops, ` +
        `injection ${config.injection}`;
  }
}

function segments({ haltMaxSteps }: { readonly haltMaxSteps: number }): string {
  return `up to ${haltMaxSteps} segments`;
}
