"""A small numpy twin of the ARC task's encoding, augmentation, cropping and voting.

Written from the description of the official data and evaluation alone; makes the
reference values of tests/tasks/arc/twin_test.ts.

    python arc_twin.py > arc_twin.json

Grids are written as rows of digits divided by "/", "" for a grid without cells;
canvases as one string, a base-12 digit a token.
"""

from __future__ import annotations

import hashlib
import json

import numpy as np

DIGITS = "0123456789ab"
TURNS = [
    lambda g: g,
    lambda g: np.rot90(g, 1),
    lambda g: np.rot90(g, 2),
    lambda g: np.rot90(g, 3),
    np.fliplr,
    np.flipud,
    np.transpose,
    lambda g: np.fliplr(np.rot90(g, 1)),
]
UNDONE_BY = [0, 3, 2, 1, 4, 5, 6, 7]


def text(grid: np.ndarray) -> str:
    return "/".join("".join(map(str, row)) for row in grid.tolist())


def tokens_text(canvas: np.ndarray) -> str:
    return "".join(DIGITS[t] for t in canvas.ravel())


def encode(grid: np.ndarray, size: int, row: int = 0, column: int = 0) -> np.ndarray:
    canvas = np.zeros((size, size), np.uint8)
    bottom, right = row + grid.shape[0], column + grid.shape[1]
    canvas[row:bottom, column:right] = grid + 2
    canvas[bottom:bottom + 1, column:right] = 1  # nothing where the grid ends with the canvas
    canvas[row:bottom, right:right + 1] = 1
    return canvas


def crop(canvas: np.ndarray) -> np.ndarray:
    """The first, by rows, of the largest all-colour rectangles at the top left, by brute force
    over the staircase that the rows above allow."""
    colour = (canvas >= 2) & (canvas <= 11)
    widths = [int(np.argmin(np.append(line, False))) for line in colour]
    best = (0, 0)
    for rows in range(1, len(canvas) + 1):
        columns = min(widths[:rows])
        if rows * columns > best[0] * best[1]:
            best = (rows, columns)
    return canvas[:best[0], :best[1]].astype(np.int64).astype(np.uint8) - np.uint8(2)


def augment(grid: np.ndarray, turn: int, colours: np.ndarray) -> np.ndarray:
    return TURNS[turn](colours[grid])


def undo(grid: np.ndarray, turn: int, colours: np.ndarray) -> np.ndarray:
    return np.argsort(colours).astype(np.uint8)[TURNS[UNDONE_BY[turn]](grid)]


def digest(grid: np.ndarray) -> str:
    sides = bytes(grid.shape)
    return hashlib.sha256(sides + np.ascontiguousarray(grid).tobytes()).hexdigest()


def task_digest(pairs: list) -> str:
    return "|".join(sorted(digest(a) + digest(b) for a, b in pairs))


def random_grid(rng: np.random.Generator, most: int, colours: int = 10) -> np.ndarray:
    rows, columns = rng.integers(1, most + 1, 2)
    return rng.integers(0, colours, (rows, columns)).astype(np.uint8)


def random_augmentation(rng: np.random.Generator) -> tuple[int, np.ndarray]:
    colours = np.concatenate([[0], 1 + rng.permutation(9)]).astype(np.uint8)
    return int(rng.integers(8)), colours


def name(task: str, turn: int, colours: np.ndarray) -> str:
    return f"{task}|||t{turn}|||{''.join(map(str, colours))}"


def encodings(rng: np.random.Generator) -> list:
    found = []
    for size in (30, 12, 10, 3):
        for corner in range(4):  # at the origin, at random, and ending with the canvas
            grid = random_grid(rng, size)
            room = size - np.array(grid.shape)
            row, column = [(0, 0), rng.integers(0, room + 1), room, (0, room[1])][corner]
            canvas = encode(grid, size, int(row), int(column))
            found.append({
                "grid": text(grid), "size": size, "row": int(row), "column": int(column),
                "tokens": tokens_text(canvas),
            })
    full = rng.integers(0, 10, (30, 30)).astype(np.uint8)
    found.append({"grid": text(full), "size": 30, "row": 0, "column": 0, "tokens": tokens_text(encode(full, 30))})
    return found


def augmentations(rng: np.random.Generator) -> list:
    found = []
    for turn in list(range(8)) * 2:
        grid, (_, colours) = random_grid(rng, 6), random_augmentation(rng)
        augmented = augment(grid, turn, colours)
        assert (undo(augmented, turn, colours) == grid).all()
        found.append({
            "grid": text(grid), "name": name("x", turn, colours), "augmented": text(augmented),
            "undone": text(undo(grid, turn, colours)),  # the inverse of another grid
        })
    return found


def crops(rng: np.random.Generator) -> list:
    canvases = []
    for size in (30, 10, 4):
        for noise in (0, 1, 3, 20):  # cells overwritten by anything
            canvas = encode(random_grid(rng, size), size)
            at = rng.integers(0, size * size, noise)
            canvas.flat[at] = rng.integers(0, 12, noise)
            canvases.append(canvas)
    canvases.append(np.zeros((10, 10), np.uint8))
    canvases.append(np.full((10, 10), 5, np.uint8))
    canvases.append(encode(random_grid(rng, 5), 10, 2, 3))  # not in the corner: nothing to crop
    staircase = np.array([[2, 2, 2, 2], [3, 3, 1, 4], [4, 0, 5, 5], [5, 5, 5, 5]], np.uint8)
    canvases += [staircase, np.ascontiguousarray(staircase.T)]  # rectangles of equal area
    for _ in range(12):
        canvases.append(rng.choice([0, 1, 2, 7, 11], (6, 6), p=[.03, .07, .3, .3, .3]).astype(np.uint8))
    return [{"tokens": tokens_text(c), "grid": text(crop(c))} for c in canvases]


def deduplication(rng: np.random.Generator) -> list:
    """Tasks of much and of little symmetry, draws, and which of these are kept."""
    ring = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], np.uint8)
    row = np.array([[1, 2]], np.uint8)
    tasks = [
        [(ring, ring * 2)],
        [(row, row[:, ::-1])],
        [(row, row), (row.T, row.T)],  # two pairs that a turn exchanges
        [(random_grid(rng, 4, 4), random_grid(rng, 4, 4)) for _ in range(2)],
    ]
    found = []
    for pairs in tasks:
        count, draws = 100, [random_augmentation(rng) for _ in range(200)]
        seen, kept = {task_digest(pairs)}, []
        for i, (turn, colours) in enumerate(draws):
            key = task_digest([tuple(augment(g, turn, colours) for g in pair) for pair in pairs])
            if key not in seen:
                seen.add(key)
                kept.append(i)
            if len(kept) == count:
                break
        found.append({
            "pairs": [[text(a), text(b)] for a, b in pairs], "count": count, "kept": kept,
            "draws": [name("x", *draw) for draw in draws],
        })
    return found


def voting(rng: np.random.Generator) -> dict:
    """Predictions for two tasks of one and two tests, and how they rank."""
    size = 10
    tasks = {
        "one": [(random_grid(rng, 6), random_grid(rng, 6))],
        "two": [(random_grid(rng, 6), random_grid(rng, 6)) for _ in range(2)],
    }
    predictions, tallies = [], {}
    for task, pairs in tasks.items():
        for test, (given, answer) in enumerate(pairs):
            wrong = [random_grid(rng, 6) for _ in range(8)]
            for i in range(60):
                turn, colours = random_augmentation(rng)
                identifier = task if i == 0 else name(task, turn, colours)
                if i == 0:
                    turn, colours = 0, np.arange(10, dtype=np.uint8)
                guess = answer if rng.random() < 0.15 else wrong[int(rng.integers(8))]
                canvas = encode(augment(guess, turn, colours), size)
                if rng.random() < 0.2:  # malformed: a hole in it
                    canvas.flat[rng.integers(0, 30)] = rng.integers(0, 2)
                logit = float(rng.integers(-8, 9)) / 2
                predictions.append({
                    "identifier": identifier, "qHalt": logit, "tokens": tokens_text(canvas),
                    "inputs": tokens_text(encode(augment(given, turn, colours), size)),
                })
                grid = undo(crop(canvas), turn, colours)
                votes = tallies.setdefault((task, test), {}).setdefault(digest(grid), [0, 0.0, grid])
                votes[0] += 1
                votes[1] += 1 / (1 + np.exp(-logit))
    ranked = {}
    for (task, test), votes in tallies.items():
        order = sorted(votes.values(), key=lambda v: (v[0], v[1] / v[0]), reverse=True)
        ranked.setdefault(task, []).append([
            {"grid": text(grid), "votes": count, "confidence": total / count}
            for count, total, grid in order
        ])
    rates = []
    for k in (1, 2, 5, 10, 100, 1000):
        right = [
            [text(answer) in [c["grid"] for c in ranked[task][i][:k]] for i, (_, answer) in enumerate(pairs)]
            for task, pairs in tasks.items()
        ]
        rates.append({
            "k": k, "wholeTasks": float(np.mean([all(r) for r in right])),
            "withinTasks": float(np.mean([np.mean(r) for r in right])),
        })
    return {
        "tests": {task: [[text(a), text(b)] for a, b in pairs] for task, pairs in tasks.items()},
        "predictions": predictions, "ranked": ranked, "rates": rates,
    }


if __name__ == "__main__":
    generator = np.random.default_rng(7)
    print(json.dumps({
        "encodings": encodings(generator),
        "augmentations": augmentations(generator),
        "crops": crops(generator),
        "deduplication": deduplication(generator),
        "voting": voting(generator),
    }, indent=0))
