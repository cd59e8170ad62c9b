"""Makes maze_twin.json: tokens, shortest paths and transforms of mazes, by numpy alone.

    python -m venv venv
    venv/bin/pip install numpy
    venv/bin/python tests/golden/maze_twin.py

Lengths and numbers of shortest paths are those of walks: the walks of k steps from the
start are counted at every cell by adding up neighbours k times, and the first that reach
the goal are the shortest paths. Takes no arguments.
"""

import json
import os

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
TOKENS = {"#": 1, " ": 2, "S": 3, "G": 4, "o": 5}
DIHEDRAL = [
    lambda x: x,
    lambda x: np.rot90(x, 1),
    lambda x: np.rot90(x, 2),
    lambda x: np.rot90(x, 3),
    np.fliplr,
    np.flipud,
    lambda x: x.T,
    lambda x: np.fliplr(np.rot90(x, 1)),
]


def maze(rng: np.random.Generator, rows: int, columns: int, share: float) -> np.ndarray:
    cells = np.full(rows * columns, TOKENS[" "])
    order = rng.permutation(rows * columns)
    cells[order[: round(share * rows * columns)]] = TOKENS["#"]
    cells[order[-1]], cells[order[-2]] = TOKENS["S"], TOKENS["G"]
    return cells.reshape(rows, columns)


def shortest(x: np.ndarray) -> tuple[int, int]:
    """Steps and number of the shortest paths; 0 and 0 when there is none."""
    free = (x != TOKENS["#"]).astype(int).astype(object)  # Python's integers do not overflow
    walks = (x == TOKENS["S"]).astype(int).astype(object)
    for step in range(1, x.size):
        out = np.full((x.shape[0] + 2, x.shape[1] + 2), 0, dtype=object)
        out[1:-1, 1:-1] = walks
        walks = free * (out[:-2, 1:-1] + out[2:, 1:-1] + out[1:-1, :-2] + out[1:-1, 2:])
        count = walks[x == TOKENS["G"]][0]
        if count > 0:
            return step, int(count)
    return 0, 0


def winding(rows: int, columns: int) -> np.ndarray:
    """A maze whose one path winds through every second row."""
    x = np.full((rows, columns), TOKENS[" "])
    x[1::4, :-1] = x[3::4, 1:] = TOKENS["#"]
    x[0, 0], x[-1, -1] = TOKENS["S"], TOKENS["G"]
    return x


def text(x: np.ndarray) -> str:
    names = {token: character for character, token in TOKENS.items()}
    return "/".join("".join(names[int(cell)] for cell in row) for row in x)


def main() -> None:
    rng = np.random.default_rng(7)
    sizes = [(2, 2), (5, 5), (4, 9), (9, 9), (9, 9), (15, 15), (12, 20), (30, 30), (30, 30)]
    shares = [0.3, 0.4, 0.2]
    drawn = [maze(rng, *size, share) for share in shares for size in sizes]
    mazes = []
    for x in [*drawn, winding(9, 7), winding(29, 30)]:
        steps, count = shortest(x)
        record = {"text": text(x), "steps": steps, "paths": str(count)}
        if x.size <= 100:
            record["tokens"] = x.ravel().tolist()
        mazes.append(record)
    marked = np.array([[3, 1, 4], [5, 1, 5], [5, 5, 5]])
    mazes.append({"text": text(marked), "steps": 6, "paths": "1", "tokens": marked.ravel().tolist()})
    grids = []
    for rows, columns in [(1, 1), (1, 4), (2, 2), (2, 3), (5, 4)]:
        x = rng.integers(0, 10, (rows, columns))
        grids.append({
            "rows": rows,
            "columns": columns,
            "cells": x.ravel().tolist(),
            "transforms": [
                {"rows": y.shape[0], "columns": y.shape[1], "cells": y.ravel().tolist()}
                for y in (transform(x) for transform in DIHEDRAL)
            ],
        })
    record = {"made_by": "maze_twin.py", "numpy": np.__version__, "mazes": mazes, "grids": grids}
    path = os.path.join(HERE, "maze_twin.json")
    with open(path, "w") as f:
        f.write("{\n")
        parts = []
        for key, value in record.items():
            if isinstance(value, list):
                rows = ",\n".join("  " + json.dumps(item) for item in value)
                parts.append(f' "{key}": [\n{rows}\n ]')
            else:
                parts.append(f' "{key}": {json.dumps(value)}')
        f.write(",\n".join(parts) + "\n}\n")
    print(f"maze_twin.json: {len(mazes)} mazes, {len(grids)} grids, {os.path.getsize(path)} bytes")


if __name__ == "__main__":
    main()
