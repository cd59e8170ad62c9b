"""Times a model in PyTorch, the yardstick for the same step, or thinking, in Ponder.

    python -m venv venv
    venv/bin/pip install torch
    venv/bin/pip install numpy safetensors
    venv/bin/python bench/peers/step_pytorch.py FILE '{"model": {"kind": "hrm", ...}, ...}'
    venv/bin/python bench/peers/step_pytorch.py FILE '{...}' --compile   by torch.compile
    venv/bin/python bench/peers/step_pytorch.py --op mul8                one 8x8 multiply, in us

FILE is that of bench/weights.ts, the JSON that of bench/step.ts: the file has the state dict, of
which every tensor must be the model's and the other way round, and a batch
`batch/inputs`, `batch/labels`, `batch/puzzle_identifiers`, used at every step. The models
are the twins in tests/golden, eager and without anything random in training. A step is
the official one: forward, with the forward for the target of Q where it has one,
backward, SignSGD on the puzzle rows, AdamATan2 with foreach operations. With "segments"
in the JSON it thinks for so many, without gradients, in place of a step. With "device"
it computes there, and step_ms has the mean of steps that are queued.

Prints one line of JSON: step_ms, losses (both without the warm-up steps), first_loss (of
the very first step), peak_rss_mb.
"""

import argparse
import json
import os
import re
import resource
import statistics
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(
    0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tests", "golden")
)

import torch
from safetensors.torch import load_file
from torch import nn

import pieces
from actv2_twin import ActV2, ActV2Config
from hrm_twin import HRM, HRMConfig
from l_only_twin import LOnly, LOnlyConfig
from looped_twin import Looped, LoopedConfig
from recurrent_twin import Recurrent, RecurrentConfig
from transformer_twin import BackboneConfig, Transformer
from trm_twin import TRM, TRMConfig

TWINS = {
    "hrm": (HRM, HRMConfig, pieces.LossHead),
    "l-only": (LOnly, LOnlyConfig, pieces.LossHead),
    "trm": (TRM, TRMConfig, pieces.LossHead),
    "actv2": (ActV2, ActV2Config, pieces.LossHead),
    "transformer": (Transformer, BackboneConfig, pieces.TokenHead),
    "recurrent": (Recurrent, RecurrentConfig, pieces.TokenHead),
    "looped": (Looped, LoopedConfig, pieces.TokenHead),
}
# The twins have no dropout and no curriculum: they are as bench/step.ts settles a model.
SETTLED = ("dropout", "loopsStart", "loopsIncrement", "loopsInterval")
HYPER = pieces.Hyper(
    lr=1e-4, weight_decay=1.0, puzzle_emb_lr=1e-4, puzzle_emb_weight_decay=1.0
)


def official_name(field: str) -> str:
    """`puzzleEmbNdim` is puzzle_emb_ndim, `hLayers` is H_layers."""
    snake = re.sub("[A-Z]", lambda letter: "_" + letter[0].lower(), field)
    return re.sub("^[hl]_", lambda level: level[0].upper(), snake)


def twin_of(model: dict, batch: int) -> nn.Module:
    """The twin with its loss; a field that it does not know is an error."""
    kind, values = model["kind"], {k: v for k, v in model.items() if k not in SETTLED}
    del values["kind"]
    if "mixer" in values:
        values["mlp_t"] = values.pop("mixer") == "mlp"
    if "haltExplorationProb" in values:
        values["haltExplorationProb"] = 0.0
    if values.get("backbone") == "gpt" and values["forwardDtype"] != "float32":
        sys.exit("The twin of the gpt backbone computes in float32 only")
    make, make_config, head_of = TWINS[kind]
    named = {official_name(k): v for k, v in values.items()}
    return head_of(make(make_config(batch_size=batch, **named)), "stablemax")


def think(head: nn.Module, batch: dict, segments: int) -> float:
    """So many segments without gradients; the loss of the last answer."""
    with torch.no_grad():
        carry = head.initial_carry(batch)
        for _ in range(segments):
            carry, out = head.model(carry, batch)
        return pieces.token_loss("stablemax", out["logits"], batch["labels"]).item()


def queued(preset: dict, trainer: pieces.Trainer, batch: dict) -> dict:
    """Steps one behind the other, of which nothing is read before the last; their mean time."""
    on_gpu = preset["device"] != "cpu"
    wait = torch.cuda.synchronize if on_gpu else lambda: None
    first = [trainer.step(batch)[0].detach() for _ in range(max(1, preset["warmup"]))]
    wait()
    if on_gpu:
        torch.cuda.reset_peak_memory_stats()
    start = time.perf_counter()
    losses = [trainer.step(batch)[0].detach() for _ in range(preset["steps"])]
    wait()
    ms = (time.perf_counter() - start) / preset["steps"] * 1e3
    return {
        "step_ms": [round(ms, 3)],
        "losses": [loss.item() for loss in losses],
        "first_loss": first[0].item(),
        "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "peak_device_bytes": torch.cuda.max_memory_allocated() if on_gpu else None,
        "torch": torch.__version__,
    }


def timed(preset: dict, file: str, compiles: bool) -> dict:
    torch.set_num_threads(preset["threads"])
    device = preset.get("device")
    torch.set_default_device(device or "cpu")  # of what the twins make themselves
    tensors = load_file(file, device=device or "cpu")
    batch = {k[6:]: tensors.pop(k) for k in [*tensors] if k.startswith("batch/")}
    head = twin_of(preset["model"], preset["batch"])
    head.load_state_dict(tensors, strict=True)
    if preset.get("segments"):
        head.eval()
        if compiles:
            head.model.compile(dynamic=False)
        compute = lambda: think(head, batch, preset["segments"])
    else:
        if compiles:
            head.compile(dynamic=False)  # the network and its loss, as the official code does
        trainer = pieces.Trainer(head, HYPER)
        if device:
            return queued(preset, trainer, batch)
        compute = lambda: trainer.step(batch)[0].item()
    times, losses, first_loss = [], [], None
    if preset.get("segments"):
        first_loss = think(head, batch, 1)  # later ones make too much of rounding
    for step in range(preset["warmup"] + preset["steps"]):
        start = time.perf_counter()
        value = compute()
        ms = round((time.perf_counter() - start) * 1e3, 3)
        if first_loss is None:
            first_loss = value
        if step >= preset["warmup"]:
            times.append(ms)
            losses.append(value)
    return {
        "step_ms": times,
        "losses": losses,
        "first_loss": first_loss,
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
    args = argparse.ArgumentParser(description="Times a model's training step in PyTorch.")
    args.add_argument("file", nargs="?", help="safetensors file with weights and a batch")
    args.add_argument("preset", nargs="?", help="JSON: model, batch, threads, steps, warmup")
    args.add_argument("--compile", action="store_true", help="by torch.compile; takes minutes")
    args.add_argument("--op", help="time one operation instead: mul8")
    given = args.parse_args()
    if given.op:
        print(json.dumps(op(given.op)))
        return
    if given.preset is None:
        args.error("FILE and the preset are needed")
    try:
        print(json.dumps(timed(json.loads(given.preset), given.file, given.compile)))
    except Exception as error:
        if not given.compile:
            raise
        # what it says goes on for pages
        sys.exit(f"{type(error).__name__}: {str(error).strip().splitlines()[0]}")


if __name__ == "__main__":
    main()
