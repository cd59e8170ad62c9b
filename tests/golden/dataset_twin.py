"""A small NumPy twin of the batches of HRM's and TRM's data sets, for reference values.

Written from the rules: in training, epochs of an iteration one after the other, each a
permutation of the groups; one puzzle of each group; its examples without replacement, as
many as there is space for; a last batch that is not full is dropped. The random numbers
are Ponder's (Philox4x32-10), one stream per epoch.

    python dataset_twin.py                        writes dataset_sampler.json beside it
    python dataset_twin.py read DIR SPLIT B N     prints what a reader of the official
                                                  layout sees, batches of B for N replicas
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

MASK = 0xFFFFFFFF
IGNORED = -100


class Words:
    """Salmon et al. 2011; counter = (block, stream, 0), key = seed."""

    def __init__(self, seed: int, stream: int):
        self.seed, self.stream, self.drawn, self.block = seed, stream, 0, []

    def uint32(self) -> int:
        if self.drawn % 4 == 0:
            self.block = philox(self.drawn // 4, self.stream, self.seed)
        self.drawn += 1
        return self.block[(self.drawn - 1) % 4]

    def below(self, bound: int) -> int:
        limit = 2**32 - 2**32 % bound
        while (word := self.uint32()) >= limit:
            pass
        return word % bound


def philox(block: int, stream: int, seed: int) -> list[int]:
    c = [block & MASK, block >> 32, stream, 0]
    k = [seed & MASK, seed >> 32]
    for _ in range(10):
        a, b = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(b >> 32) ^ c[1] ^ k[0], b & MASK, (a >> 32) ^ c[3] ^ k[1], a & MASK]
        k = [(k[0] + 0x9E3779B9) & MASK, (k[1] + 0xBB67AE85) & MASK]
    return c


@dataclass
class Set:
    puzzle_identifiers: np.ndarray
    puzzle_indices: np.ndarray
    group_indices: np.ndarray


def draw_epoch(data: Set, words: Words, most: int) -> list[tuple[int, list[int]]]:
    """Pairs of a puzzle and its examples, at most `most`, in the order of the epoch."""
    order = list(range(len(data.group_indices) - 1))
    for last in range(len(order) - 1, 0, -1):
        chosen = words.below(last + 1)
        order[last], order[chosen] = order[chosen], order[last]
    puzzles = []
    for group in order:
        first, end = int(data.group_indices[group]), int(data.group_indices[group + 1])
        puzzles.append(first + words.below(end - first))
    return [(puzzle, draw_examples(data, puzzle, words, most)) for puzzle in puzzles]


def draw_examples(data: Set, puzzle: int, words: Words, most: int) -> list[int]:
    rest = list(range(int(data.puzzle_indices[puzzle]), int(data.puzzle_indices[puzzle + 1])))
    drawn = []
    while rest and len(drawn) < most:
        chosen = words.below(len(rest)) if len(rest) > 1 else 0
        drawn.append(rest[chosen])
        rest[chosen] = rest[0]
        rest = rest[1:]
    return drawn


def train_batches(sets: list[Set], seed: int, size: int, epochs: int, iterations: int):
    """Per batch: index of the set, first epoch, examples, puzzles."""
    epoch = 0
    for _ in range(iterations):
        for index, data in enumerate(sets):
            slots = []
            for _ in range(epochs):
                slots += [(epoch, *slot) for slot in draw_epoch(data, Words(seed, epoch), size)]
                epoch += 1
            at = 0
            while at < len(slots):
                first, examples, puzzles = at, [], []
                while at < len(slots) and len(examples) < size:
                    _, puzzle, drawn = slots[at]
                    drawn = drawn[: size - len(examples)]  # the rest of the puzzle is lost
                    examples += drawn
                    puzzles += [puzzle] * len(drawn)
                    at += 1
                if len(examples) < size:
                    break  # the last batch is dropped
                yield index, slots[first][0], examples, puzzles


def made_up(rng: np.random.Generator, groups: int, puzzles: int, examples: int, names: int,
            uniform: bool = False) -> Set:
    counts = rng.integers(1, puzzles + 1, groups)
    sizes = rng.integers(1, examples + 1, counts.sum())
    if uniform:
        sizes[:] = examples
    offsets = [np.concatenate([[0], np.cumsum(n)]).astype(np.int32) for n in (sizes, counts)]
    return Set(rng.integers(0, names, sizes.size).astype(np.int32), *offsets)


def fixture() -> dict:
    rng = np.random.default_rng(7)
    mixed, single = made_up(rng, 13, 5, 6, 20), made_up(rng, 11, 4, 1, 20, uniform=True)
    triple = made_up(rng, 9, 3, 3, 20, uniform=True)
    few = made_up(rng, 3, 4, 5, 20)
    cases = [  # sets, seed, batch size, epochs per iteration, iterations
        ("puzzles of several sizes", [mixed], 1, 8, 1, 6),
        ("several epochs per iteration", [mixed], 2, 8, 4, 3),
        ("puzzles larger than a batch", [mixed], 3, 3, 2, 2),
        ("batches of many epochs", [few], 2**40 + 5, 40, 12, 3),
        ("one example each", [single], 4, 4, 1, 5),
        ("one example each, several epochs", [single], 5, 8, 3, 3),
        ("three examples each", [triple], 6, 7, 2, 4),
        ("two sets", [single, mixed], 7, 6, 2, 3),
    ]
    return {"numIdentifiers": 20, "cases": [
        {
            "name": name,
            "sets": [{
                "puzzleIdentifiers": s.puzzle_identifiers.tolist(),
                "puzzleIndices": s.puzzle_indices.tolist(),
                "groupIndices": s.group_indices.tolist(),
            } for s in sets],
            "seed": seed,
            "batchSize": size,
            "epochsPerIteration": epochs,
            "iterations": iterations,
            "batches": [{
                "set": index,
                "epoch": epoch,
                "examples": examples,
                "identifiers": sets[index].puzzle_identifiers[puzzles].tolist(),
            } for index, epoch, examples, puzzles in
                train_batches(sets, seed, size, epochs, iterations)],
        } for name, sets, seed, size, epochs, iterations in cases
    ]}


def read(folder: str, split: str, size: int, replicas: int) -> dict:
    """What the official reader would take from a folder, and its batches in a test."""
    path = Path(folder) / split
    metadata = json.loads((path / "dataset.json").read_text())
    kinds = {
        "pad_id": int, "blank_identifier_id": int, "vocab_size": int, "seq_len": int,
        "num_puzzle_identifiers": int, "total_groups": int, "total_puzzles": int, "sets": list,
    }
    assert all(type(metadata[name]) is kind for name, kind in kinds.items()), metadata
    assert type(metadata["mean_puzzle_examples"]) in (int, float)
    assert metadata["ignore_label_id"] is None or type(metadata["ignore_label_id"]) is int
    sets = {
        name: {
            field: np.load(path / f"{name}__{field}.npy", mmap_mode=mode)
            for field, mode in (("inputs", "r"), ("labels", "r"), ("puzzle_identifiers", None),
                                ("puzzle_indices", None), ("group_indices", None))
        } for name in metadata["sets"]
    }
    return {
        "metadata": metadata,
        "identifiers": json.loads((Path(folder) / "identifiers.json").read_text()),
        "dtypes": {name: {k: str(v.dtype) for k, v in d.items()} for name, d in sets.items()},
        "shapes": {name: {k: v.shape for k, v in d.items()} for name, d in sets.items()},
        "batches": [[
            test_batch(data, metadata, start, size // replicas, rank, size)
            for rank in range(replicas)
        ] for data in sets.values() for start in range(0, len(data["inputs"]), size)],
    }


def test_batch(data: dict, metadata: dict, start: int, rows: int, rank: int, size: int) -> dict:
    total = len(data["inputs"])
    at = np.arange(start + rank * rows, min(start + (rank + 1) * rows, total))
    of = np.searchsorted(data["puzzle_indices"], at, side="right") - 1
    batch = {
        "inputs": data["inputs"][at].astype(np.int32),
        "labels": data["labels"][at].astype(np.int32),
        "identifiers": data["puzzle_identifiers"][of].astype(np.int32),
    }
    if metadata["ignore_label_id"] is not None:
        batch["labels"][batch["labels"] == metadata["ignore_label_id"]] = IGNORED
    fill = {"inputs": metadata["pad_id"], "labels": IGNORED,
            "identifiers": metadata["blank_identifier_id"]}
    for name, rest in batch.items():
        missing = [(0, rows - len(at))] + [(0, 0)] * (rest.ndim - 1)
        batch[name] = np.pad(rest, missing, constant_values=fill[name]).ravel().tolist()
    return {**batch, "numExamples": min(size, total - start)}


if __name__ == "__main__":
    if sys.argv[1:2] == ["read"]:
        print(json.dumps(read(sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))))
    else:
        out = Path(__file__).with_name("dataset_sampler.json")
        out.write_text(json.dumps(fixture(), separators=(",", ":")) + "\n")
