/**
 * Every model by its kind.
 *
 * @module
 */
import { Actv2, type Actv2Config } from "./actv2.ts";
import { Hrm, type HrmConfig } from "./hrm.ts";
import { LOnly, type LOnlyConfig } from "./l_only.ts";
import { Looped, type LoopedConfig } from "./looped.ts";
import type { Model, ModelOptions } from "./model.ts";
import { Recurrent, type RecurrentConfig } from "./recurrent.ts";
import { Transformer, type TransformerConfig } from "./transformer.ts";
import { Trm, type TrmConfig } from "./trm.ts";

/** Everything that defines a model of any kind. */
export type ModelConfig =
  | HrmConfig
  | LOnlyConfig
  | TrmConfig
  | Actv2Config
  | TransformerConfig
  | RecurrentConfig
  | LoopedConfig;

/** The kinds of models. */
export const modelKinds: readonly ModelConfig["kind"][] = [
  "hrm",
  "l-only",
  "trm",
  "actv2",
  "transformer",
  "recurrent",
  "looped",
];

/**
 * The model that a config describes, with weights drawn from `random`.
 *
 * @throws {TypeError} when there is no model of that kind
 */
export function makeModel(config: ModelConfig, options: ModelOptions): Model {
  switch (config.kind) {
    case "hrm":
      return new Hrm(config, options);
    case "l-only":
      return new LOnly(config, options);
    case "trm":
      return new Trm(config, options);
    case "actv2":
      return new Actv2(config, options);
    case "transformer":
      return new Transformer(config, options);
    case "recurrent":
      return new Recurrent(config, options);
    case "looped":
      return new Looped(config, options);
    default:
      throw new TypeError(
        `Unknown kind of model "${(config satisfies never as { kind: string }).kind}": ` +
          `expected one of ${modelKinds.join(", ")}, or a model in place of its config`,
      );
  }
}
