import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { isGradEnabled } from "../../core/autograd.ts";
import { tensor } from "../../core/create.ts";
import { Random } from "../../core/random.ts";
import { scope } from "../../core/scope.ts";
import { liveTensors } from "../../ffi/mod.ts";
import type { ModelConfig } from "../../models/family.ts";
import type { HaltingModel, SegmentNetwork } from "../../models/halting.ts";
import { type Answers, infer, type InferenceOptions, type Noise } from "../../models/inference.ts";
import type { Model, Question, States, Training } from "../../models/model.ts";
import { assertClose } from "../close.ts";
import { familyBatch, familyModel, small } from "./_family.ts";

const ROWS = 6, UNITS = 6;

/** In float64 a row is computed alike in a batch and alone, but for the last bits. */
const exact = { forwardDtype: "float64" } as const;

/** After how many units each row first wants to halt, and never for those that do not. */
function firstWishes(model: Model, question: Question): number[] {
  using _ = scope();
  let states = model.start(question);
  const first = Array<number>(ROWS).fill(Infinity);
  for (let unit = 1; unit <= UNITS; unit++) {
    const thought = model.think(states, question);
    states = thought.states;
    thought.wantsToHalt!.toNumbers().forEach((wants, i) => {
      if (wants !== 0) first[i] = Math.min(first[i]!, unit);
    });
  }
  return first;
}

/** Noise of a seed, with a stream for each row. */
function noiseOf(std: number, seed: number): Noise {
  return { std, randomOf: (row) => new Random(seed, row) };
}

const biases = new Map<ModelConfig, number>();

/** A model whose rows halt at segments that differ; the bias is what makes it so. */
function restless(config: ModelConfig): { model: Model; question: Question; first: number[] } {
  const question = familyBatch(config, ROWS);
  const model = familyModel({ ...config, ...exact });
  for (let b = biases.get(config) ?? -6; b <= 6; b += 0.5) {
    setBias(model, b, 0);
    const first = firstWishes(model, question);
    if (new Set(first).size < 3 || !first.includes(Infinity) || !first.includes(1)) continue;
    biases.set(config, b);
    return { model, question, first };
  }
  throw new Error("no bias makes the rows halt at different segments");
}

/** Moves the logits of halting and of going on. */
function setBias(model: Model, halt: number, goOn: number): void {
  const { inner } = model as HaltingModel<States, SegmentNetwork<States>>;
  inner.q_head.bias!.detach().copy_(tensor([halt, goOn]));
}

const halting = { hrm: small.hrm, lOnly: small.lOnly, trm: small.trm, trmMlp: small.trmMlp };

/** One row of a question. */
function rowOf({ inputs, puzzleIdentifiers }: Question, i: number): Question {
  return {
    inputs: inputs.slice(0, i, i + 1),
    puzzleIdentifiers: puzzleIdentifiers.slice(0, i, i + 1),
  };
}

const tokensOf = ({ tokens, units }: Answers, i: number) => {
  const length = tokens.length / units.length;
  return [...tokens.subarray(i * length, (i + 1) * length)];
};

function assertNear(got: number, want: number, what: string): void {
  assert(Math.abs(got - want) <= 1e-9 * Math.max(1, Math.abs(want)), `${what}: ${got}, ${want}`);
}

for (const [name, config] of Object.entries(small)) {
  Deno.test(`infer() of ${name} answers as think() does unit after unit, every row all units`, () => {
    using _ = scope();
    const model = familyModel(config), question = familyBatch(config, 3);
    const answers = infer(model, question);
    assertEquals(answers.length, model.depth.trained);
    let states = model.start(question);
    for (const [i, { tokens, haltLogits, units }] of answers.entries()) {
      const thought = model.think(states, question);
      states = thought.states;
      assertEquals([...tokens], thought.logits.argmax(-1).toNumbers());
      assertEquals(haltLogits && [...haltLogits], thought.qHalt?.toNumbers() ?? null);
      assertEquals([...units], [i + 1, i + 1, i + 1]);
    }
  });

  Deno.test(`infer() of ${name} leaves no tensors behind, records nothing and spares the question`, () => {
    using _ = scope();
    const model = familyModel(config), question = familyBatch(config, 3);
    const before = liveTensors(), asked = question.inputs.toNumbers();
    const { think } = model;
    model.think = (...args) => {
      assertEquals(isGradEnabled(), false);
      const thought = think.apply(model, args);
      for (const t of [thought.logits, ...Object.values(thought.states)]) assert(!t.requiresGrad);
      return thought;
    };
    const options: InferenceOptions[] = [
      {},
      { noise: noiseOf(0.1, 1) },
      ...model.depth.unit === "segment" ? [{ halt: true }] : [],
      ...model.depth.most > 1 ? [{ units: 7 }] : [],
    ];
    for (const how of options) {
      infer(model, question, how);
      assertEquals(liveTensors(), before, JSON.stringify(how));
      assertEquals(question.inputs.toNumbers(), asked);
      assertEquals(question.puzzleIdentifiers.disposed, false);
    }
  });
}

for (const [name, config] of Object.entries(halting)) {
  Deno.test(`infer() of ${name} with halt freezes a row from where it wants to halt`, () => {
    using _ = scope();
    const { model, question, first } = restless(config);
    const free = infer(model, question, { units: UNITS });
    const held = infer(model, question, { units: UNITS, halt: true });
    assertEquals(held.length, UNITS, "a row goes on to the end");
    for (let i = 0; i < ROWS; i++) {
      for (const [unit, answers] of held.entries()) {
        const at = Math.min(unit + 1, first[i]!); // the unit that the row's answer is of
        const want = free[at - 1]!;
        const what = `row ${i} after ${unit + 1}, halted after ${first[i]}`;
        assertEquals(answers.units[i], at, what);
        assertEquals(tokensOf(answers, i), tokensOf(want, i), what);
        assertNear(answers.haltLogits![i]!, want.haltLogits![i]!, what);
      }
    }
    // else the case tells nothing: rows change after their halt
    const last = (a: Answers[]) => [...a.at(-1)!.tokens, ...a.at(-1)!.haltLogits!].join();
    assertNotEquals(last(free), last(held));
  });

  Deno.test(`infer() of ${name} gives probabilities when asked, those of a halted row as they were`, () => {
    using _ = scope();
    const { model, question, first } = restless(config);
    const how = { units: UNITS, halt: true, probabilities: true };
    const before = liveTensors();
    const asked = infer(model, question, how),
      plain = infer(model, question, { ...how, probabilities: false });
    assertEquals(liveTensors(), before);
    const size = asked[0]!.probabilities!.length / ROWS;
    for (const [unit, { tokens, probabilities }] of asked.entries()) {
      assertEquals([...tokens], [...plain[unit]!.tokens]);
      assertEquals(plain[unit]!.probabilities, null);
      const numTokens = ROWS * size / tokens.length;
      tokens.forEach((token, cell) => {
        const row = [...probabilities!.subarray(cell * numTokens, (cell + 1) * numTokens)];
        assert(Math.abs(row.reduce((a, b) => a + b) - 1) < 1e-5);
        assertEquals(row[token], Math.max(...row));
      });
      for (let i = 0; i < ROWS; i++) {
        if (first[i]! > unit || unit === 0) continue;
        const of = (
          at: number,
        ) => [...asked[at]!.probabilities!.subarray(i * size, (i + 1) * size)];
        assertEquals(of(unit), of(unit - 1), `row ${i}, halted after ${first[i]}`);
      }
    }
  });

  Deno.test(`infer() of ${name} thinks no further than it is let`, () => {
    using _ = scope();
    const model = familyModel(config), question = familyBatch(config, 3);
    let asked = 0;
    assertEquals(infer(model, question, { units: 9, stopped: () => ++asked === 3 }).length, 3);
    assertEquals(infer(model, question, { units: 9, stopped: () => true }).length, 1);
  });

  Deno.test(`infer() of ${name} with halt answers a row as if it were alone`, () => {
    using _ = scope();
    const { model, question, first } = restless(config);
    const together = infer(model, question, { units: UNITS, halt: true });
    for (let i = 0; i < ROWS; i++) {
      const alone = infer(model, rowOf(question, i), { units: UNITS, halt: true });
      assertEquals(alone.length, Math.min(first[i]!, UNITS), `row ${i}`);
      for (const [unit, answers] of together.entries()) {
        const want = alone[Math.min(unit, alone.length - 1)]!;
        assertEquals(tokensOf(answers, i), tokensOf(want, 0), `row ${i} after ${unit + 1}`);
        assertEquals(answers.units[i], want.units[0]);
        assertNear(answers.haltLogits![i]!, want.haltLogits![0]!, `row ${i} after ${unit + 1}`);
      }
    }
  });

  Deno.test(`infer() of ${name} with halt thinks no more about rows that halted`, () => {
    using _ = scope();
    const { model, question, first } = restless(config);
    const rows: number[] = [], seen: number[][] = [];
    const { think } = model;
    model.think = (states, asked) => {
      rows.push(asked.inputs.shape[0]!);
      seen.push(asked.puzzleIdentifiers.toNumbers());
      for (const z of Object.values(states)) assertEquals(z.shape[0], rows.at(-1));
      return think.call(model, states, asked);
    };
    infer(model, question, { units: UNITS, halt: true });
    const ids = question.puzzleIdentifiers.toNumbers();
    const going = Array.from(
      { length: UNITS },
      (_, unit) => ids.filter((_, i) => first[i]! > unit),
    );
    assertEquals(rows, going.map(({ length }) => length));
    assertEquals(seen, going);
  });
}

Deno.test("think() wants to halt where the logit exceeds 0 in TRM, that of going on in the others", () => {
  for (const config of [small.hrm, small.lOnly, small.actv2, small.trm, small.trmMlp]) {
    using _ = scope();
    const model = familyModel(config), question = familyBatch(config, 8);
    const { inner } = model as HaltingModel<States, SegmentNetwork<States>>;
    const rows = inner.lookUp(question.puzzleIdentifiers, false), start = model.start(question);
    const seen = new Set<string>();
    for (const [halt, goOn] of [[0, 0], [20, 30], [-30, -20], [30, 20], [-20, -30]] as const) {
      setBias(model, halt, goOn);
      const { qHalt, qContinue } = inner.segment(start, question.inputs, rows);
      const q = qHalt.toNumbers(), other = qContinue.toNumbers();
      const want = q.map((x, i) => x > (config.kind === "trm" ? 0 : other[i]!) ? 1 : 0);
      assertEquals(model.think(start, question).wantsToHalt!.toNumbers(), want);
      q.forEach((x, i) => seen.add(`${x > 0} ${x > other[i]!}`));
    }
    assertEquals(seen.size, 4, "the case tells nothing");
  }
});

Deno.test("think() of TRM wants to halt from a logit of 0 on", () => {
  using _ = scope();
  const model = familyModel(small.trm), question = familyBatch(small.trm, 1);
  const logit = () => model.think(model.start(question), question).qHalt!.item();
  setBias(model, 0, 0);
  const zero = logit(); // the bias at which the logit is 0 is its opposite
  for (const above of [-0.01, 0.01]) {
    setBias(model, above - zero, 99);
    const wants = model.think(model.start(question), question).wantsToHalt!.toNumbers();
    assertEquals(wants, [above > 0 ? 1 : 0]);
  }
});

Deno.test("think() and step() drop nothing but in training", () => {
  const configs = [small.recurrentGpt, { ...small.looped, backbone: "gpt" } as const];
  for (const config of configs) {
    using _ = scope();
    const [dropping, plain] = [0.5, 0].map((dropout) => familyModel({ ...config, dropout }));
    const batch = familyBatch(config, 3);
    assertEquals(infer(dropping!, batch, { units: 6 }), infer(plain!, batch, { units: 6 }));
    const answer = (model: Model, training?: Training) =>
      model.step(model.initialCarry(batch), batch, training && { training }).outputs.logits;
    const logits = (model: Model, training?: Training) =>
      String(answer(model, training).toNumbers());
    assertEquals(logits(dropping!), logits(plain!));
    const training = (seed: number) => ({ random: new Random(seed), step: 0 });
    const dropped = logits(dropping!, training(1));
    assertEquals(logits(dropping!, training(1)), dropped);
    assertNotEquals(logits(dropping!, training(2)), dropped);
    assertNotEquals(logits(plain!, training(1)), dropped);
    assertClose(answer(plain!, training(1)), answer(plain!), {}, "else training answers alike");
  }
});

Deno.test("infer() with halt stops when every row has halted", () => {
  using _ = scope();
  for (const config of [small.hrm, small.trm]) {
    const model = familyModel(config), question = familyBatch(config, 3);
    setBias(model, 99, -99);
    assertEquals(infer(model, question, { halt: true }).map(({ units }) => [...units]), [[
      1,
      1,
      1,
    ]]);
    setBias(model, -99, 99);
    assertEquals(infer(model, question, { halt: true }).length, 4);
  }
});

Deno.test("infer() goes on beyond training, the first units as if it did not", () => {
  for (const config of [small.hrm, small.trm, small.recurrent, small.looped]) {
    using _ = scope();
    const model = familyModel(config), question = familyBatch(config, 3);
    const short = infer(model, question), long = infer(model, question, { units: 9 });
    assertEquals(long.length, 9);
    assertEquals(long.slice(0, short.length), short);
    const tail = long.slice(short.length - 1).map(({ units }) => units[0]);
    assertEquals(tail, Array.from({ length: tail.length }, (_, i) => short.length + i));
  }
});

/** Halting logits or, without a halting head, tokens of every unit. */
function trace(model: Model, question: Question, std: number, seed: number): string {
  const noise = noiseOf(std, seed);
  const answers = infer(model, question, { units: Math.min(5, model.depth.most), noise });
  return answers.map(({ tokens, haltLogits }) => `${tokens} ${haltLogits}`).join("\n");
}

Deno.test("infer() with noise is told by its seed, and without deviation is as if there were none", () => {
  for (const [name, config] of Object.entries(small)) {
    using _ = scope();
    const model = familyModel({ ...config, ...exact }), question = familyBatch(config, 8);
    const units = Math.min(5, model.depth.most);
    const quiet = infer(model, question, { units, noise: null });
    const silent = infer(model, question, { units, noise: noiseOf(0, 3) });
    assertEquals(silent, quiet, name);
    const noisy = trace(model, question, 1, 3);
    assertEquals(trace(model, question, 1, 3), noisy, name);
    assertNotEquals(trace(model, question, 1, 4), noisy, name);
    assertNotEquals(trace(model, question, 0, 3), noisy, name);
  }
});

Deno.test("infer() gives a row its own noise, whatever the rows beside it and however long they think", () => {
  for (const config of [small.hrm, small.recurrent, small.trm]) {
    using _ = scope();
    const model = familyModel({ ...config, ...exact }), question = familyBatch(config, ROWS);
    const halt = model.depth.unit === "segment" && { halt: true };
    const draws: number[] = [];
    const noise = noiseOf(0.5, 6);
    const randomOf = (row: number) => (draws.push(row), noise.randomOf(row));
    const together = infer(model, question, { units: 5, noise: { std: 0.5, randomOf }, ...halt });
    assertEquals(draws, Array.from({ length: ROWS }, (_, row) => row), "once for each row");
    for (let i = 0; i < ROWS; i++) {
      const own = { std: 0.5, randomOf: () => noise.randomOf(i) };
      const alone = infer(model, rowOf(question, i), { units: 5, noise: own, ...halt });
      for (const [unit, answers] of together.entries()) {
        const want = alone[Math.min(unit, alone.length - 1)]!;
        const what = `${config.kind}, row ${i} after ${unit + 1}`;
        assertEquals(tokensOf(answers, i), tokensOf(want, 0), what);
        assertEquals(answers.units[i], want.units[0], what);
        if (answers.haltLogits === null) continue;
        assertNear(answers.haltLogits[i]!, want.haltLogits![0]!, what);
      }
    }
  }
});

Deno.test("infer() adds noise of its deviation to every state before every unit", () => {
  using _ = scope();
  const model = familyModel(small.hrm), question = familyBatch(small.hrm, 40);
  const { think } = model;
  const numbersOf = (states: States) => Object.values(states).map((z) => z.toNumbers());
  let after = numbersOf(model.start(question)), states = 0;
  model.think = (given, asked) => {
    for (const [s, z] of numbersOf(given).entries()) {
      const noise = z.map((x, i) => x - after[s]![i]!);
      const mean = noise.reduce((sum, x) => sum + x) / noise.length;
      const square = noise.reduce((sum, x) => sum + x * x, 0) / noise.length;
      assert(Math.abs(Math.sqrt(square) / 0.3 - 1) < 0.05, `${Math.sqrt(square)}`);
      assert(Math.abs(mean) < 0.03, `${mean}`);
      states++;
    }
    const thought = think.call(model, given, asked);
    after = numbersOf(thought.states);
    return thought;
  };
  infer(model, question, { units: 3, noise: noiseOf(0.3, 1) });
  assertEquals(states, 6);
});

Deno.test("infer() refuses what a model cannot do, and leaves nothing behind", () => {
  using _ = scope();
  for (const name of ["transformer", "recurrent", "looped"] as const) {
    const model = familyModel(small[name]), question = familyBatch(small[name], 2);
    const before = liveTensors();
    const refuse = (how: InferenceOptions, message: string) =>
      assertThrows(() => infer(model, question, how), RangeError, message);
    refuse({ halt: true }, "Cannot halt: the model has no halting head");
    for (const units of [0, -1]) {
      refuse({ units }, `Cannot think for ${units} units: the model does 1`);
    }
    if (name === "transformer") {
      refuse({ units: 2 }, "Cannot think for 2 units: the model does 1");
    }
    assertEquals(liveTensors(), before);
    assertEquals(infer(model, question).length, model.depth.trained);
  }
});
