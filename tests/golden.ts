import { decodeSafetensors } from "../core/io/safetensors.ts";
import { fromBytes } from "../core/create.ts";
import type { Tensor } from "../core/tensor.ts";

/** Numbers of PyTorch, made by `tests/golden/make_hrm.py`. */
export interface Golden {
  /** What is no tensor. */
  // deno-lint-ignore no-explicit-any
  readonly json: any;
  /** A new tensor of a stored one. */
  tensor(name: string): Tensor;
}

/** Reads `tests/golden/name.json` and `.safetensors`. */
export function readGolden(name: string): Golden {
  const path = (kind: string) => new URL(`golden/${name}.${kind}`, import.meta.url);
  const { tensors } = decodeSafetensors(Deno.readFileSync(path("safetensors")));
  return {
    json: JSON.parse(Deno.readTextFileSync(path("json"))),
    tensor: (key) => {
      const entry = tensors.get(key);
      if (entry === undefined) throw new Error(`${name} holds no ${key}`);
      return fromBytes(entry.data, entry.shape, { dtype: entry.dtype });
    },
  };
}
