// Compares with numbers of numpy, made by tests/golden/arc_twin.py.
import { assert, assertEquals } from "@std/assert";
import {
  augmentArcGrid,
  distinctArcAugmentations,
  invertArcAugmentation,
} from "../../../tasks/arc/augment.ts";
import { cropArcGrid, encodeArcGrid } from "../../../tasks/arc/encode.ts";
import { type ArcGrid, formatArcGrid, parseArcGrid } from "../../../tasks/arc/grid.ts";
import { formatArcIdentifier, parseArcIdentifier } from "../../../tasks/arc/identifier.ts";
import { arcSubmission, scoreArc, voteArc } from "../../../tasks/arc/vote.ts";
import twin from "../../golden/arc_twin.json" with { type: "json" };

function tokensOf(text: string): Uint8Array {
  return Uint8Array.from(text, (digit) => parseInt(digit, 12));
}

function pairsOf(pairs: readonly string[][]): { input: ArcGrid; output: ArcGrid }[] {
  return pairs.map(([input, output]) => {
    return { input: parseArcGrid(input!), output: parseArcGrid(output!) };
  });
}

Deno.test("encodeArcGrid() draws what numpy draws", () => {
  for (const { grid, size, row, column, tokens } of twin.encodings) {
    const drawn = encodeArcGrid(parseArcGrid(grid), { size, offset: { row, column } });
    assertEquals(drawn, tokensOf(tokens));
  }
  assertEquals(twin.encodings.length, 17);
});

Deno.test("augmentArcGrid() turns and renames as numpy does, and back", () => {
  for (const { grid, name, augmented, undone } of twin.augmentations) {
    const { task, augmentation } = parseArcIdentifier(name);
    const inverse = invertArcAugmentation(augmentation);
    assertEquals(formatArcIdentifier(task, augmentation, "trm"), name);
    assertEquals(formatArcGrid(augmentArcGrid(augmentation, parseArcGrid(grid))), augmented);
    assertEquals(formatArcGrid(augmentArcGrid(inverse, parseArcGrid(augmented))), grid);
    assertEquals(formatArcGrid(augmentArcGrid(inverse, parseArcGrid(grid))), undone);
  }
  assertEquals(twin.augmentations.length, 16);
});

Deno.test("cropArcGrid() crops as numpy does", () => {
  for (const { tokens, grid } of twin.crops) {
    assertEquals(formatArcGrid(cropArcGrid(tokensOf(tokens))), grid, tokens);
  }
  assertEquals(twin.crops.length, 29);
});

Deno.test("distinctArcAugmentations() keeps the draws that the hashes of numpy keep", () => {
  for (const { pairs, draws, count, kept } of twin.deduplication) {
    const task = { name: "x", train: pairsOf(pairs), test: [] };
    const augmentations = draws.map((name) => parseArcIdentifier(name).augmentation);
    const found = distinctArcAugmentations(task, augmentations, count);
    assertEquals(found.slice(1), kept.map((draw) => augmentations[draw]!));
  }
  assert(twin.deduplication.some(({ kept, count }) => kept.length < count));
});

Deno.test("voteArc() ranks, and scoreArc() counts, as numpy does", () => {
  const { tests, predictions, ranked, rates } = twin.voting;
  const votes = voteArc(predictions.map(({ identifier, qHalt, inputs, tokens }) => {
    return { identifier, qHalt, inputs: tokensOf(inputs), tokens: tokensOf(tokens) };
  }));
  const tasks = Object.entries(tests).map(([name, pairs]) => {
    return { name, train: [], test: pairsOf(pairs) };
  });
  for (const { name, test } of tasks) {
    test.forEach(({ input }, i) => {
      const want = ranked[name as keyof typeof ranked][i]!;
      const found = votes.rank(name, input);
      assertEquals(
        found.map(({ grid, votes }) => ({ grid: formatArcGrid(grid), votes })),
        want.map(({ grid, votes }) => ({ grid, votes })),
      );
      found.forEach(({ confidence }, place) => {
        assert(Math.abs(confidence - want[place]!.confidence) < 1e-14);
      });
      const attempts = arcSubmission(votes, tasks)[name]![i]!;
      assertEquals(attempts.attempt_2.map((row) => row.join("")).join("/"), want[1]!.grid);
    });
  }
  assertEquals(scoreArc(votes, tasks), rates);
});
