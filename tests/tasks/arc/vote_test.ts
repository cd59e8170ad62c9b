import { assertEquals, assertThrows } from "@std/assert";
import fc from "npm:fast-check@^4";
import { augmentArcGrid } from "../../../tasks/arc/augment.ts";
import { encodeArcGrid } from "../../../tasks/arc/encode.ts";
import { type ArcTask, formatArcGrid, parseArcGrid } from "../../../tasks/arc/grid.ts";
import { formatArcIdentifier, parseArcIdentifier } from "../../../tasks/arc/identifier.ts";
import {
  type ArcPrediction,
  arcSubmission,
  ArcVotes,
  scoreArc,
  voteArc,
} from "../../../tasks/arc/vote.ts";
import { augmentations, grids } from "./_arbitrary.ts";

const size = 4;

/** A prediction of `answer` for `input`, both as they are before the augmentation that is named. */
function predict(identifier: string, input: string, answer: string, qHalt: number): ArcPrediction {
  const { augmentation } = parseArcIdentifier(identifier);
  const encode = (text: string): Uint8Array =>
    encodeArcGrid(augmentArcGrid(augmentation, parseArcGrid(text)), { size });
  return { identifier, inputs: encode(input), tokens: encode(answer), qHalt };
}

/** Votes by hand for task "t" with inputs 12 and 34, and for task "u" with input 5. */
function castVotes(): ArcVotes {
  const swapped = "t|||t0|||0213456789", turned = "t|||t1|||0123456789";
  const mirrored = "t|||t4|||0987654321", hrm = "t_t7_0198765432";
  const malformed = predict("t", "12", "77", 0);
  malformed.tokens instanceof Uint8Array && malformed.tokens.fill(0, 0, 1); // no grid at all
  const damaged = predict("t", "12", "215/666", 0);
  damaged.tokens instanceof Uint8Array && damaged.tokens.fill(1, 2, 3); // 21 of the first row ...
  damaged.tokens instanceof Uint8Array && damaged.tokens.fill(0, 4, 5); // ... none of the second
  return voteArc([
    predict("t", "12", "99", 100), // one vote of confidence 1
    predict(swapped, "12", "88", 0), // two votes, 1/2 on average
    predict(turned, "12", "7/7", -100), // two votes, 1/2 on average, but later
    predict(mirrored, "12", "21", -1), // three votes with the damaged one
    predict(hrm, "12", "88", 0),
    predict("t", "12", "7/7", 100),
    predict(hrm, "12", "21", 1),
    malformed, // one vote, 1/2, for a grid without cells
    damaged,
    predict("t", "12", "66", -100), // one vote of confidence 0
    predict(turned, "34", "43", 3),
    predict("u", "5", "6", -3),
    predict("u", "5", "5", 3),
    predict("v", "12", "12", 3), // a task that nobody asks for
  ]);
}

const tasks: ArcTask[] = [
  {
    name: "t",
    train: [],
    test: [
      { input: parseArcGrid("12"), output: parseArcGrid("7/7") },
      { input: parseArcGrid("34"), output: parseArcGrid("43") },
    ],
  },
  { name: "u", train: [], test: [{ input: parseArcGrid("5"), output: parseArcGrid("6") }] },
];

Deno.test("voteArc() ranks by votes, then by confidence, then by which came first", () => {
  const ranked = castVotes().rank("t", parseArcGrid("12"));
  assertEquals(
    ranked.map(({ grid, votes, confidence }) => [formatArcGrid(grid), votes, confidence]),
    [
      ["21", 3, 0.5], // 1/(1 + e) + e/(1 + e) + 1/2 = 3/2
      ["88", 2, 0.5],
      ["7/7", 2, 0.5], // 0 + 1, to within 1e-43
      ["99", 1, 1],
      ["", 1, 0.5],
      ["66", 1, 1 / (1 + Math.exp(100))],
    ],
  );
});

Deno.test("scoreArc() counts tasks whole as HRM does and in part as TRM does", () => {
  // the answers are in places 3 and 1 of task t and in place 2 of task u
  assertEquals(scoreArc(castVotes(), tasks), [
    { k: 1, wholeTasks: 0, withinTasks: 0.25 },
    { k: 2, wholeTasks: 0.5, withinTasks: 0.75 },
    { k: 5, wholeTasks: 1, withinTasks: 1 },
    { k: 10, wholeTasks: 1, withinTasks: 1 },
    { k: 100, wholeTasks: 1, withinTasks: 1 },
    { k: 1000, wholeTasks: 1, withinTasks: 1 },
  ]);
  assertEquals(scoreArc(castVotes(), tasks, [3]), [{ k: 3, wholeTasks: 1, withinTasks: 1 }]);
  assertEquals(scoreArc(new ArcVotes(), tasks, [1]), [{ k: 1, wholeTasks: 0, withinTasks: 0 }]);
});

Deno.test("scoreArc() refuses tasks it cannot score", () => {
  const test = [{ input: parseArcGrid("5"), output: null }];
  assertThrows(
    () => scoreArc(new ArcVotes(), [{ name: "u", train: [], test }]),
    RangeError,
    'Cannot score task "u": the output of test pair 1 is not known',
  );
  assertThrows(() => scoreArc(new ArcVotes(), []), RangeError, "Cannot score no tasks");
});

Deno.test("arcSubmission() gives two attempts for every test input", () => {
  assertEquals(arcSubmission(castVotes(), [...tasks, { ...tasks[1]!, name: "w" }]), {
    t: [
      { attempt_1: [[2, 1]], attempt_2: [[8, 8]] },
      { attempt_1: [[4, 3]], attempt_2: [[4, 3]] }, // the only candidate
    ],
    u: [{ attempt_1: [[5]], attempt_2: [[6]] }],
    w: [{ attempt_1: [[0]], attempt_2: [[0]] }], // no candidate
  });
});

Deno.test("ArcVotes.rank() finds nothing for an input or a task without predictions", () => {
  assertEquals(castVotes().rank("t", parseArcGrid("1")), []);
  assertEquals(castVotes().rank("x", parseArcGrid("12")), []);
});

Deno.test("ArcVotes.add() refuses what it cannot count", () => {
  const good = predict("t", "12", "21", 0), votes = new ArcVotes();
  assertThrows(() => votes.add({ ...good, qHalt: NaN }), RangeError, '"t": its q_halt is NaN');
  assertThrows(() => votes.add({ ...good, tokens: [2, 3] }), RangeError, "a canvas of 2 tokens");
  assertThrows(() => votes.add({ ...good, identifier: "t|||" }), SyntaxError, 'Cannot read "t|||"');
  assertEquals(votes.rank("t", parseArcGrid("12")), []);
});

Deno.test("voteArc() unites the same answer under every augmentation", () => {
  const many = fc.array(augmentations(), { minLength: 1, maxLength: 6 });
  fc.assert(fc.property(grids(6), grids(6), many, (input, output, augmentations) => {
    const votes = voteArc(augmentations.map((augmentation) => ({
      identifier: formatArcIdentifier("t", augmentation, "hrm"),
      inputs: encodeArcGrid(augmentArcGrid(augmentation, input)),
      tokens: encodeArcGrid(augmentArcGrid(augmentation, output)),
      qHalt: 0,
    })));
    const want = { grid: output, votes: augmentations.length, confidence: 0.5 };
    assertEquals(votes.rank("t", input), [want]);
    const [rate] = scoreArc(votes, [{ name: "t", train: [], test: [{ input, output }] }]);
    assertEquals(rate, { k: 1, wholeTasks: 1, withinTasks: 1 });
  }));
});
