import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { parse } from "@std/yaml";
import { decodeSafetensors } from "../../core/io/safetensors.ts";
import { decodeTorchFile, encodeTorchFile } from "../../core/io/torch_file.ts";
import { loadStateDict, stateDict, type StoredTensor } from "../../core/nn/module.ts";
import { fromBytes } from "../../core/create.ts";
import { Random } from "../../core/random.ts";
import { scope } from "../../core/scope.ts";
import { actv2Paper } from "../../models/actv2.ts";
import { makeModel, type ModelConfig } from "../../models/family.ts";
import { hrmPaper } from "../../models/hrm.ts";
import { transformerPaper } from "../../models/transformer.ts";
import type { TokenConfig } from "../../models/token_network.ts";
import { trmMlpPaper, trmPaper } from "../../models/trm.ts";
import { fromOfficial, toOfficial } from "../../zoo/official.ts";
import type { OptimConfig } from "../../zoo/recipe.ts";
import { recipes } from "../../zoo/recipes.ts";
import { loadWeights } from "../../zoo/weights.ts";
import { assertClose } from "../close.ts";
import { inFolder } from "../ffi/_folder.ts";
import { hasTorch, needsTorch, runPython } from "../python.ts";
import { bytes, withHub } from "./_hub.ts";
import { command } from "./_tiny.ts";

const optim: OptimConfig = {
  ...recipes["hrm-sudoku"]!.presets["paper"]!.optim,
  ema: 0.999,
  lr: 3e-4,
};

/** 4×4 boards, and no more parameters than needed. */
const small = {
  ...{ vocabSize: 6, seqLen: 16, numPuzzleIdentifiers: 2, puzzleEmbNdim: 16 },
  ...{ hiddenSize: 16, numHeads: 2, expansion: 1, forwardDtype: "float32" },
} as const satisfies Partial<TokenConfig>;

const models: Readonly<Record<string, ModelConfig>> = {
  hrm: { ...hrmPaper, ...small, hLayers: 1, lLayers: 2, lCycles: 3, haltMaxSteps: 5 },
  trm: { ...trmPaper, ...small, lLayers: 1, puzzleEmbLen: 3, posEncodings: "learned" },
  "trm-mlp": { ...trmMlpPaper, ...small, lLayers: 1 },
  actv2: { ...actv2Paper, ...small, hLayers: 1, numHeads: 3, hiddenSize: 20 }, // 3 heads of 6
};

function weightsOf(config: ModelConfig): Map<string, StoredTensor> {
  using _ = scope();
  return stateDict(makeModel(config, { random: new Random(1) }), "model.");
}

for (const [name, config] of Object.entries(models)) {
  for (const compiled of [true, false]) {
    Deno.test(`fromOfficial() undoes toOfficial() of ${name}, ${compiled ? "" : "not "}compiled`, async () => {
      const weights = weightsOf(config);
      const { state, settings } = toOfficial(config, weights, optim, { compiled });
      const prefix = compiled ? "_orig_mod." : "";
      assertEquals([...state.keys()], [...weights.keys()].map((key) => prefix + key));
      const read = await decodeTorchFile(await encodeTorchFile(state));
      const again = fromOfficial(read, settings, { seqLen: 16 });
      assertEquals(again.weights, weights);
      assertEquals(again.model, config);
      assertEquals(again.optim.lr, 3e-4);
      assertEquals(again.optim.ema, name === "hrm" ? 0 : 0.999); // HRM's code has no averages
    });
  }
}

Deno.test("toOfficial() writes the fixed states in the dtype that the model computes in", () => {
  const config = { ...models["hrm"]!, forwardDtype: "bfloat16" } as const;
  const { state } = toOfficial(config, weightsOf(config), optim);
  const dtypes = [...state].map(([name, { dtype, data, shape }]) => {
    assertEquals(data.length, shape.reduce((a, b) => a * b, dtype === "bfloat16" ? 2 : 4));
    return `${name.split(".").at(-1)} ${dtype}`;
  });
  assertEquals(dtypes.filter((text) => text.includes("_init")), [
    "H_init bfloat16",
    "L_init bfloat16",
  ]);
  assertEquals(dtypes.filter((text) => text.endsWith(" bfloat16")).length, 2);
});

Deno.test("toOfficial() says which models the official code does not have", () => {
  const plain = { ...transformerPaper, ...small, numLayers: 1 };
  const message = "Cannot export transformer: the official code has hrm, trm, actv2 alone";
  assertThrows(() => toOfficial(plain, new Map(), optim), TypeError, message);
  const odd = { ...models["hrm"]!, mlpMultiple: 32 };
  assertThrows(() => toOfficial(odd, new Map(), optim), TypeError, "mlpMultiple 32");
});

/** What is wrong with the settings, and what is said of it. */
const badSettings: readonly (readonly [change: Record<string, unknown>, message: string])[] = [
  [{ arch: 3 }, "arch is no mapping"],
  [{ arch: { name: "trm_hier6@Hier" } }, 'Cannot import the architecture "trm_hier6@Hier"'],
  [{ arch: { hidden_size: "16" } }, 'hidden_size="16": expected a number'],
  [{ arch: { pos_encodings: 7 } }, "pos_encodings=7: expected a string"],
  [{ arch: { mlp_t: true } }, "only TRM's is known"],
];

Deno.test("fromOfficial() says what is wrong with settings and tensors", () => {
  const config = models["hrm"]!;
  const { state, settings } = toOfficial(config, weightsOf(config), optim);
  for (const [change, message] of badSettings) {
    const { arch } = settings as { arch: object };
    const changed = {
      ...settings,
      arch: typeof change["arch"] === "object" ? { ...arch, ...change["arch"] } : change["arch"],
    };
    assertThrows(() => fromOfficial(state, changed, { seqLen: 16 }), SyntaxError, message);
  }
  for (const settings of [null, "text", [1]]) {
    assertThrows(() => fromOfficial(state, settings, { seqLen: 16 }), SyntaxError, "is no mapping");
  }
  assertThrows(() => fromOfficial(new Map(), settings), SyntaxError, "none is called model.inner");
  const odd = weightsOf({ ...config, vocabSize: 7 });
  assertThrows(() => fromOfficial(odd, settings), SyntaxError, "name it by --seq-len");
});

Deno.test("zoo import refuses tensors that are missing, too many or of another shape, and writes nothing", () =>
  inFolder(async (folder) => {
    const config = models["trm"]!;
    const { state, settings } = toOfficial(config, weightsOf(config), optim);
    Deno.writeTextFileSync(join(folder, "all_config.yaml"), JSON.stringify(settings));
    const name = "_orig_mod.model.inner.q_head.weight";
    const head = state.get(name)!;
    const cases: Record<string, [Map<string, StoredTensor>, RegExp]> = {
      missing: [
        new Map([...state].filter(([key]) => key !== name)),
        /1 missing \(model\.inner\.q_head\.weight\)/,
      ],
      extra: [
        new Map(state).set("_orig_mod.model.inner.more", head),
        /1 unknown \(model\.inner\.more\)/,
      ],
      shape: [
        new Map(state).set(name, { ...head, shape: [1, 32] }),
        /q_head\.weight: it is \[1, 32\] in the file, \[2, 16\] in the model/,
      ],
    };
    const out = join(folder, "out");
    for (const [what, [wrong, message]] of Object.entries(cases)) {
      const file = join(folder, `${what}.pt`);
      Deno.writeFileSync(file, await encodeTorchFile(wrong));
      const { code, stderr } = await command("zoo", "import", file, "--seq-len=16", `--out=${out}`);
      assertEquals(code, 1);
      assertMatch(stderr, message);
    }
    const file = join(folder, "garbage.pt");
    Deno.writeTextFileSync(file, "no checkpoint");
    assertEquals((await command("zoo", "import", file, `--out=${out}`)).code, 1);
    assertThrows(() => Deno.statSync(out), Deno.errors.NotFound);
  }));

Deno.test("zoo import and zoo export take weights there and back, bit for bit", () =>
  inFolder(async (folder) => {
    for (const [name, config] of Object.entries(models)) {
      const { state, settings } = toOfficial(config, weightsOf(config), optim);
      const theirs = join(folder, name), ours = join(folder, `${name}-ours`);
      Deno.mkdirSync(theirs);
      Deno.writeFileSync(join(theirs, "step_1"), await encodeTorchFile(state));
      Deno.writeTextFileSync(join(theirs, "all_config.yaml"), JSON.stringify(settings));
      const file = join(theirs, "step_1");
      const imported = await command("zoo", "import", file, "--seq-len=16", `--out=${ours}`);
      assertEquals([imported.code, imported.stderr], [0, ""]);
      assertEquals(loadWeights(ours).saved.recipe, `${name}-sudoku`);
      const back = join(folder, `${name}-back`, "checkpoint.pt");
      const exported = await command("zoo", "export", ours, `--out=${back}`);
      assertEquals([exported.code, exported.stderr], [0, ""]);
      assertEquals(Deno.readFileSync(back), Deno.readFileSync(file));
      const yaml = Deno.readTextFileSync(join(folder, `${name}-back`, "all_config.yaml"));
      assertEquals(parse(yaml), settings);
      const again = await command("zoo", "export", ours, `--out=${back}`);
      assertEquals(again.code, 2, "it wrote over a file");
      const evaluated = await command("eval", ours, "--puzzles=2", "--segments=1");
      assertEquals([evaluated.code, evaluated.stderr], [0, ""]);
    }
  }));

Deno.test("zoo import hf:owner/repo fetches a checkpoint with its settings, and imports it", async () => {
  const config = models["trm"]!;
  const { state, settings } = toOfficial(config, weightsOf(config), optim);
  const files = {
    "all_config.yaml": { content: bytes(JSON.stringify(settings)) },
    step_100: { content: Uint8Array.from(await encodeTorchFile(state)), isBig: true },
  };
  await withHub(files, async (folder) => {
    const before = Deno.cwd(), out = join(folder, "out");
    Deno.chdir(folder);
    try {
      const { code, stderr } = await command(
        ...["zoo", "import", "hf:o/r", "--seq-len=16", `--out=${out}`],
      );
      assertEquals(code, 0, stderr);
    } finally {
      Deno.chdir(before);
    }
    const own = stateDict(loadWeights(out).model, "model.");
    for (const [name, { data }] of weightsOf(config)) assertEquals(own.get(name)!.data, data);
  });
});

const golden = Deno.env.get("PONDER_TEST_GOLDEN");

for (const file of ["hrm_a_official.pt", "hrm_a_official_cuda_bf16.pt"]) {
  Deno.test({
    name: `zoo import of ${file} gives the official logits, and exports the same tensors`,
    ignore: golden === undefined,
    fn: () =>
      inFolder(async (folder) => {
        const path = join(golden!, file), config = join(golden!, "hrm_a_all_config.yaml");
        const ours = join(folder, "ours"), back = join(folder, "back.pt");
        const imported = await command(
          ...["zoo", "import", path, `--config=${config}`, "--seq-len=16", `--out=${ours}`],
        );
        assertEquals([imported.code, imported.stderr], [0, ""]);
        checkLogits(ours, join(golden!, "hrm_a.safetensors"), file.includes("bf16") ? 0.05 : 1e-5);
        assertEquals((await command("zoo", "export", ours, `--out=${back}`)).code, 0);
        const [was, is] = await Promise.all(
          [path, back].map(async (name) => await decodeTorchFile(Deno.readFileSync(name))),
        );
        assertEquals(new Set(is!.keys()), new Set(was!.keys()));
        for (const [name, { data, dtype }] of was!) {
          if (dtype === is!.get(name)!.dtype) assertEquals(is!.get(name)!.data, data, name);
        }
      }),
  });
}

function checkLogits(folder: string, reference: string, atol: number): void {
  using _ = scope();
  const { model } = loadWeights(folder);
  const { tensors } = decodeSafetensors(Deno.readFileSync(reference));
  const tensor = (name: string) => {
    const { data, shape, dtype } = tensors.get(name)!;
    return fromBytes(data, shape, { dtype });
  };
  const question = {
    inputs: tensor("batch/1/inputs"),
    puzzleIdentifiers: tensor("batch/1/puzzle_identifiers"),
  };
  let states = model.start(question);
  for (let k = 1; k <= 3; k++) {
    const thought = model.think(states, question);
    states = thought.states;
    assertClose(thought.logits, tensor(`eval/${k}/logits`), { atol, rtol: 1e-5 }, `segment ${k}`);
  }
}

/** Loads what we exported into PyTorch models, strictly: the twins have the official names. */
const LOAD = `
import json, sys
import torch
twins, cases = sys.argv[1:]
sys.path.insert(0, twins)
import actv2_twin, hrm_twin, trm_twin
made = {
    "hrm": lambda c: hrm_twin.HRM(hrm_twin.HRMConfig.of(c)),
    "trm": lambda c: trm_twin.TRM(trm_twin.TRMConfig.of(c)),
    "trm-mlp": lambda c: trm_twin.TRM(trm_twin.TRMConfig.of(c)),
    "actv2": lambda c: actv2_twin.ActV2(actv2_twin.ActV2Config.of(c)),
}
for kind, file, arch in json.loads(cases):
    compiled = torch.nn.Module()
    compiled._orig_mod = torch.nn.Module()
    compiled._orig_mod.model = made[kind](arch)
    print(kind, compiled.load_state_dict(torch.load(file, weights_only=True), strict=True))
`;

Deno.test({
  name: `zoo export writes what PyTorch loads strictly into a model of the same names${needsTorch}`,
  ignore: !hasTorch,
  fn: () =>
    inFolder(async (folder) => {
      const twins = new URL("../golden", import.meta.url).pathname;
      const cases: [kind: string, file: string, arch: object][] = [];
      for (const [kind, config] of Object.entries(models)) {
        const { state, settings } = toOfficial(config, weightsOf(config), optim);
        const file = join(folder, `${kind}.pt`);
        Deno.writeFileSync(file, await encodeTorchFile(state));
        const { vocabSize, seqLen, numPuzzleIdentifiers } = config;
        const sizes = {
          ...{ vocab_size: vocabSize, seq_len: seqLen },
          num_puzzle_identifiers: numPuzzleIdentifiers,
        };
        cases.push([kind, file, { ...settings["arch"] as object, ...sizes }]);
      }
      const printed = await runPython(LOAD, twins, JSON.stringify(cases));
      const want = cases.map(([kind]) => `${kind} <All keys matched successfully>`);
      assertEquals(printed.split("\n"), want);
    }),
});

Deno.test("loadStateDict() takes what was imported in another dtype", () => {
  using _ = scope();
  const config = { ...models["hrm"]!, forwardDtype: "bfloat16" } as const;
  const { state, settings } = toOfficial(config, weightsOf(config), optim);
  const { weights, model } = fromOfficial(state, settings, { seqLen: 16 });
  loadStateDict(makeModel(model, { random: new Random(2) }), weights, "model.");
});
