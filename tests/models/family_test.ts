/** The published sizes and names of every model. */
import { assertEquals } from "@std/assert";
import { countParameters, namedParameters, namedTensors } from "../../core/nn/module.ts";
import { Random } from "../../core/random.ts";
import { scope } from "../../core/scope.ts";
import { actv2Paper } from "../../models/actv2.ts";
import { makeModel, type ModelConfig } from "../../models/family.ts";
import { hrmPaper } from "../../models/hrm.ts";
import { lOnlyPaper } from "../../models/l_only.ts";
import { loopedPaper } from "../../models/looped.ts";
import { l1r32h4, recurrentPaper } from "../../models/recurrent.ts";
import { transformerPaper } from "../../models/transformer.ts";
import { trmMlpPaper, trmPaper } from "../../models/trm.ts";
import { small, Zeros } from "./_family.ts";

const maze = { vocabSize: 6, seqLen: 900 }, arc = { vocabSize: 12, seqLen: 900 };

/** As counted in the official code, or by hand where there is none. */
const published: readonly (readonly [name: string, config: ModelConfig, parameters: number])[] = [
  ["HRM for mazes", { ...hrmPaper, ...maze }, 27_270_146],
  ["HRM for ARC", { ...hrmPaper, ...arc }, 27_276_290],
  ["TRM with an MLP for Sudoku", trmMlpPaper, 5_028_866],
  ["TRM with an MLP for mazes", { ...trmMlpPaper, ...maze }, 18_795_522],
  ["TRM with attention for Sudoku", trmPaper, 6_828_034],
  ["TRM with attention for mazes", { ...trmPaper, ...maze }, 6_822_914],
  ["TRM with attention for ARC", { ...trmPaper, ...arc }, 6_829_058],
  ["the baseline of ARC Prize for ARC", { ...actv2Paper, ...arc }, 27_145_218],
];

for (const [name, config, parameters] of published) {
  Deno.test(`makeModel() of ${name} has ${parameters.toLocaleString("en")} parameters as published`, () => {
    using _ = scope();
    assertEquals(countParameters(makeModel(config, { random: new Zeros(0) })), parameters);
  });
}

/** The parameters of HRM's block, of the embedding and of the head, at width 512. */
const block = 4 * 512 * 512 + 3 * 512 * 1536, ends = 2 * 11 * 512;

/** A gain and a bias each, beside matrices and biases, at width 128. */
const gptBlock = 2 * 2 * 128 + // norms
  (3 * 128 * 128 + 3 * 128) + (128 * 128 + 128) + // attention
  (128 * 512 + 512) + (512 * 128 + 128); // MLP

/** By hand. */
const counted: readonly (readonly [name: string, config: ModelConfig, parameters: number])[] = [
  ["l1r32h4", l1r32h4, (11 + 81) * 128 + gptBlock + 2 * 128 + 11 * 128],
  ["lOnlyPaper, as many as HRM", lOnlyPaper, 27_275_266],
  ["transformerPaper, HRM's without its Q head", transformerPaper, 27_275_266 - 2 * 513],
  ["recurrentPaper", recurrentPaper, 8 * block + ends],
  ["loopedPaper", loopedPaper, 8 * block + ends],
  [
    "loopedPaper with recall",
    { ...loopedPaper, injection: "concat" },
    8 * block + ends + 2 * 512 * 512,
  ],
];

for (const [name, config, parameters] of counted) {
  Deno.test(`makeModel() of ${name} has ${parameters.toLocaleString("en")} parameters, by hand`, () => {
    using _ = scope();
    assertEquals(countParameters(makeModel(config, { random: new Zeros(0) })), parameters);
  });
}

Deno.test("l1r32h4 has 211,712 parameters, about 0.2 million", () => {
  using _ = scope();
  assertEquals(countParameters(makeModel(l1r32h4, { random: new Zeros(0) })), 211_712);
});

/** The names of a block in the official code. */
function blockNames(at: string, mixer: "self_attn" | "mlp_t"): string[] {
  const parts = mixer === "self_attn"
    ? ["self_attn.qkv_proj", "self_attn.o_proj"]
    : ["mlp_t.gate_up_proj", "mlp_t.down_proj"];
  return [...parts, "mlp.gate_up_proj", "mlp.down_proj"].map((part) => `${at}.${part}.weight`);
}

const aroundNames = [
  ...["embed_tokens.embedding_weight", "lm_head.weight", "q_head.weight", "q_head.bias"],
  "puzzle_emb.weights",
];

/** The state dict of the official code, without buffers that it recomputes. */
const official: readonly (readonly [name: string, config: ModelConfig, names: string[]])[] = [
  ["TRM with attention", { ...small.trm, lLayers: 2 }, [
    ...[...aroundNames, "H_init", "L_init"],
    ...[0, 1].flatMap((i) => blockNames(`L_level.layers.${i}`, "self_attn")),
  ]],
  ["TRM with an MLP", { ...small.trmMlp, lLayers: 2 }, [
    ...[...aroundNames, "H_init", "L_init"],
    ...[0, 1].flatMap((i) => blockNames(`L_level.layers.${i}`, "mlp_t")),
  ]],
  ["the baseline of ARC Prize", small.actv2, [
    ...[...aroundNames, "H_init"],
    ...[0, 1].flatMap((i) => blockNames(`H_level.layers.${i}`, "self_attn")),
  ]],
  ["HRM", small.hrm, [
    ...[...aroundNames, "H_init", "L_init"],
    ...blockNames("H_level.layers.0", "self_attn"),
    ...[0, 1].flatMap((i) => blockNames(`L_level.layers.${i}`, "self_attn")),
  ]],
];

for (const [name, config, names] of official) {
  Deno.test(`namedTensors() of ${name} names tensors as the official state dict`, () => {
    using _ = scope();
    const model = makeModel(config, { random: new Random(1) });
    const got = namedTensors(model, "model.").map(([name]) => name);
    assertEquals(got.sort(), names.map((name) => `model.inner.${name}`).sort());
    const untrained = new Set(["puzzle_emb.weights", "H_init", "L_init"]);
    const trained = names.filter((name) => !untrained.has(name)).length;
    assertEquals(namedParameters(model).length, trained);
  });
}

Deno.test("makeModel() draws the same weights from the same seed, and finds a table where there is one", () => {
  for (const [name, config] of Object.entries(small)) {
    using _ = scope();
    const [a, b] = [1, 1].map((seed) => makeModel(config, { random: new Random(seed) }));
    const bytes = (model: typeof a) => namedTensors(model!).map(([, t]) => t.toBytes());
    assertEquals(bytes(a), bytes(b), name);
    assertEquals(a!.puzzleTable?.shape, name === "recurrentGpt" ? undefined : [3, 16], name);
    assertEquals(a!.puzzleTable?.requiresGrad ?? false, false, name); // sign-SGD trains it
  }
});
