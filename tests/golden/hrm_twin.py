"""A small PyTorch twin of the Hierarchical Reasoning Model, for reference values.

It computes what the official implementation computes (arXiv 2506.21734) and keeps
its parameter names, but is written from the mathematics alone: plain eager PyTorch
on the CPU or a GPU, no compiled kernels. `make_hrm.py` makes golden tensors with it,
`bench/peers/step_pytorch.py` times it.

    python -m venv venv
    venv/bin/pip install torch
    venv/bin/pip install numpy safetensors

    python hrm_twin.py DIR    compares with reference tensors hrm_a*.safetensors in DIR
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

# Those who use this twin find the shared pieces here, too.
from pieces import (  # noqa: F401
    IGNORE, LOSSES, AdamATan2, Draws, Frame, Halting, Hyper, Level, LossHead, Measures,
    PuzzleEmbedding, Trainer, cosine_lr, load_state, record_eval, record_train, report, rms_norm,
    rope_tables, rotate, sign_sgd, truncated_normal, widen,
)


@dataclass
class HRMConfig(Measures):
    batch_size: int = 4
    seq_len: int = 16
    vocab_size: int = 6
    num_puzzle_identifiers: int = 1
    puzzle_emb_ndim: int = 64  # 0: no puzzle embedding and no prefix
    hidden_size: int = 64
    num_heads: int = 2
    H_layers: int = 2
    L_layers: int = 2
    H_cycles: int = 2
    L_cycles: int = 2
    expansion: float = 4.0
    mlp_multiple: int = 256  # the official width rounds up to 256
    pos_encodings: str = "rope"  # or "learned"
    rope_theta: float = 10000.0
    rms_norm_eps: float = 1e-5
    halt_max_steps: int = 16
    halt_exploration_prob: float = 0.1
    forward_dtype: str = "float32"  # or "bfloat16"
    target_q: bool = True  # False: no extra forward, halt on q_halt > 0


class State(NamedTuple):
    z_H: Tensor
    z_L: Tensor


class Inner(Frame):
    """One segment: N cycles of (T low updates, 1 high update), the last two with gradient."""

    def __init__(self, c: HRMConfig):
        super().__init__(c, q_head=True)
        self.H_level = Level(c, c.H_layers)
        self.L_level = Level(c, c.L_layers)
        self.register_buffer("H_init", truncated_normal((c.hidden_size,), 1.0))
        self.register_buffer("L_init", truncated_normal((c.hidden_size,), 1.0))

    def start(self) -> State:
        return State(*self.fixed(self.H_init, self.L_init))

    def forward(self, state: State, data: dict[str, Tensor]):
        c, rope = self.c, self.rope
        x = self.embed(data)
        z_H, z_L = state
        with torch.no_grad():
            for high in range(c.H_cycles):
                for low in range(c.L_cycles):
                    if high < c.H_cycles - 1 or low < c.L_cycles - 1:
                        z_L = self.L_level(z_L, z_H + x, rope)
                if high < c.H_cycles - 1:
                    z_H = self.H_level(z_H, z_L, rope)
        z_L = self.L_level(z_L, z_H + x, rope)
        z_H = self.H_level(z_H, z_L, rope)
        return State(z_H.detach(), z_L.detach()), self.logits(z_H), self.q(z_H)


class HRM(Halting):
    def __init__(self, c: HRMConfig):
        super().__init__(c, Inner(c), weighs_continue=c.target_q, learns_continue=c.target_q)


def compare(directory: str) -> None:
    import json
    import os

    from safetensors.torch import load_file

    def read(name):
        return load_file(os.path.join(directory, name))

    with open(os.path.join(directory, "hrm_a.json")) as f:
        meta = json.load(f)
    golden = read("hrm_a.safetensors")
    config, h = HRMConfig.of(meta["config"]), Hyper.of(meta["hyperparams"])
    names = ("inputs", "labels", "puzzle_identifiers")
    batches = [{n: golden[f"batch/{k}/{n}"] for n in names} for k in range(1, 6)]

    def fresh(loss):
        head = LossHead(HRM(config), loss)
        load_state(head, golden)
        return head

    head = fresh("stablemax")
    report("rope", {k: v for k, v in golden.items() if "rotary" in k}, {
        "model." + k: v for k, v in head.model.named_buffers() if "rotary" in k
    })
    report("eval", {k: v for k, v in golden.items() if k.startswith("eval/")},
           record_eval(head, batches[0]))
    for loss in LOSSES:
        have = record_train(fresh(loss), batches, h)
        pick = f"train/{loss}/"
        report(f"{loss} train", {
            "train/" + k[len(pick):]: v for k, v in golden.items() if k.startswith(pick)
        }, have)
        state = read(f"hrm_a_{loss}.safetensors") | read(f"hrm_a_{loss}_after5.safetensors")
        for part in ("grad/", "after1/", "after5/"):
            report(f"{loss} {part[:-1]}", {k: v for k, v in state.items() if k.startswith(part)},
                   have)


if __name__ == "__main__":
    import sys

    if len(sys.argv) != 2:
        sys.exit(__doc__)
    compare(sys.argv[1])
