import fc from "npm:fast-check@^4";
import { Random } from "../../../core/random.ts";
import { type ArcAugmentation, drawArcAugmentation } from "../../../tasks/arc/augment.ts";
import { type ArcGrid, arcGrid } from "../../../tasks/arc/grid.ts";

/** Any grid of at most `most` rows and columns. */
export function grids(most: number): fc.Arbitrary<ArcGrid> {
  const side = fc.integer({ min: 1, max: most });
  return fc.tuple(side, side).chain(([rows, columns]) => {
    const row = fc.array(fc.integer({ min: 0, max: 9 }), {
      minLength: columns,
      maxLength: columns,
    });
    return fc.array(row, { minLength: rows, maxLength: rows }).map(arcGrid);
  });
}

/** Any augmentation. */
export function augmentations(): fc.Arbitrary<ArcAugmentation> {
  return fc.nat().map((seed) => drawArcAugmentation(new Random(seed)));
}
