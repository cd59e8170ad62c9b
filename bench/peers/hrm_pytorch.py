"""Times HRM in eager PyTorch on this machine, the yardstick for the same step in Ponder.

    python -m venv venv
    venv/bin/pip install torch
    venv/bin/pip install numpy safetensors
    venv/bin/python bench/peers/hrm_pytorch.py '{"hidden_size": 128, "batch": 32}'
    echo '{"steps": 5}' | venv/bin/python bench/peers/hrm_pytorch.py
    venv/bin/python bench/peers/hrm_pytorch.py --init FILE '{...}'   weights, batch from FILE
    venv/bin/python bench/peers/hrm_pytorch.py --op mul8             one 8x8 multiply, in us

A step is the official one: a segment forward, the forward without gradient for the
target of Q (target_q), backward, SignSGD on the puzzle rows, AdamATan2 with foreach
operations. Prints one line of JSON: step_ms, losses (both without the warm-up steps),
peak_rss_mb.

FILE is a safetensors file with the state dict (`model.inner...` or `inner...`) and a
batch `batch/inputs`, `batch/labels`, `batch/puzzle_identifiers`, used at every step;
with it (and exploration 0, the default here) the losses depend on nothing random.
"""

import argparse
import json
import os
import resource
import statistics
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(
    0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tests", "golden")
)

import torch

import hrm_twin as twin

PRESET = {
    "hidden_size": 128, "num_heads": 4, "H_layers": 2, "L_layers": 2, "H_cycles": 2,
    "L_cycles": 2, "seq_len": 81, "vocab_size": 11, "batch": 32, "dtype": "float32",
    "threads": os.cpu_count(), "steps": 10, "warmup": 2, "target_q": True,
    # rarely changed
    "loss": "stablemax", "pos_encodings": "rope", "mlp_multiple": 256, "num_puzzles": 1,
    "puzzle_emb_ndim": None, "halt_max_steps": 16, "exploration": 0.0,
    "lr": 1e-4, "weight_decay": 1.0, "puzzle_emb_lr": 1e-4, "seed": 0,
}


def train(p: dict, init: str | None) -> dict:
    torch.set_num_threads(p["threads"])
    torch.manual_seed(p["seed"])
    width = p["puzzle_emb_ndim"]
    config = twin.HRMConfig(
        batch_size=p["batch"], seq_len=p["seq_len"], vocab_size=p["vocab_size"],
        num_puzzle_identifiers=p["num_puzzles"],
        puzzle_emb_ndim=p["hidden_size"] if width is None else width,
        hidden_size=p["hidden_size"], num_heads=p["num_heads"], H_layers=p["H_layers"],
        L_layers=p["L_layers"], H_cycles=p["H_cycles"], L_cycles=p["L_cycles"],
        mlp_multiple=p["mlp_multiple"], pos_encodings=p["pos_encodings"],
        halt_max_steps=p["halt_max_steps"], halt_exploration_prob=p["exploration"],
        forward_dtype=p["dtype"], target_q=p["target_q"],
    )
    head = twin.LossHead(twin.HRM(config), p["loss"])
    hyper = twin.Hyper(
        lr=p["lr"], weight_decay=p["weight_decay"], puzzle_emb_lr=p["puzzle_emb_lr"],
        puzzle_emb_weight_decay=p["weight_decay"],
    )
    shape = (p["batch"], p["seq_len"])
    if init:
        from safetensors.torch import load_file

        tensors = load_file(init)
        batch = {k[6:]: v for k, v in tensors.items() if k.startswith("batch/")}
        twin.load_state(head, {
            k if k.startswith("model.") else "model." + k: v for k, v in tensors.items()
        })
        assert batch["inputs"].shape == shape, batch["inputs"].shape
    else:
        batch = {
            "inputs": torch.randint(0, p["vocab_size"], shape, dtype=torch.int32),
            "labels": torch.randint(1, p["vocab_size"], shape, dtype=torch.int32),
            "puzzle_identifiers": torch.zeros(p["batch"], dtype=torch.int32),
        }
    trainer, times, losses = twin.Trainer(head, hyper), [], []
    for step in range(p["warmup"] + p["steps"]):
        start = time.perf_counter()
        loss, _, _ = trainer.step(batch)
        value = loss.item()
        if step >= p["warmup"]:
            times.append(round((time.perf_counter() - start) * 1e3, 3))
            losses.append(value)
    return {
        "step_ms": times,
        "losses": losses,
        "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "median_ms": round(statistics.median(times), 3),
        "parameters": sum(w.numel() for w in head.parameters()),
        "torch": torch.__version__,
    }


def op(name: str, loops: int = 15, times: int = 20000) -> dict:
    assert name == "mul8", "known: mul8"
    torch.set_num_threads(1)
    a, b = torch.rand(8, 8), torch.rand(8, 8)
    micros = []
    with torch.no_grad():
        for _ in range(loops):
            start = time.perf_counter()
            for _ in range(times):
                a * b
            micros.append((time.perf_counter() - start) / times * 1e6)
    return {"op": name, "us": round(statistics.median(micros), 4), "torch": torch.__version__}


def main() -> None:
    args = argparse.ArgumentParser(description="Times HRM in eager PyTorch.")
    args.add_argument("preset", nargs="?", help="JSON of settings to change (or on stdin)")
    args.add_argument("--init", help="safetensors file with weights and a batch")
    args.add_argument("--op", help="time one operation instead: mul8")
    given = args.parse_args()
    if given.op:
        print(json.dumps(op(given.op)))
        return
    text = given.preset
    if text is None and not sys.stdin.isatty():
        text = sys.stdin.read()
    changes = json.loads(text) if text and text.strip() else {}
    unknown = changes.keys() - PRESET.keys()
    if unknown:
        sys.exit(f"unknown settings: {', '.join(sorted(unknown))}")
    print(json.dumps(train({**PRESET, **changes}, given.init)))


if __name__ == "__main__":
    main()
