"""A small PyTorch twin of the Tiny Recursive Model (arXiv 2510.04871), for reference values.

Official parameter names, written from the mathematics alone. `make_family.py` makes
golden tensors with it.

    python trm_twin.py DIR    compares with reference tensors trm_a*.safetensors in DIR
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from hrm_twin import State
from pieces import (
    Attention, Frame, Halting, HaltingConfig, Hyper, Level, LossHead, SwiGLU, load_state,
    record_eval, record_train, report, rms_norm, truncated_normal,
)


@dataclass
class TRMConfig(HaltingConfig):
    L_layers: int = 2
    H_cycles: int = 3
    L_cycles: int = 6
    mlp_t: bool = False  # True: a SwiGLU over the positions in place of attention
    puzzle_emb_len: int = 16  # prefix positions; 0: as many as a row of the table fills

    @property
    def prefix_len(self) -> int:
        if self.puzzle_emb_ndim == 0:
            return 0
        return self.puzzle_emb_len or -(-self.puzzle_emb_ndim // self.hidden_size)


class Block(nn.Module):
    """Post-norm; positions are mixed by attention or, transposed, by a SwiGLU."""

    def __init__(self, c: TRMConfig):
        super().__init__()
        self.eps = c.rms_norm_eps
        if c.mlp_t:
            length = c.prefix_len + c.seq_len
            self.mlp_t = SwiGLU(length, c.swiglu_width(length))
        else:
            self.self_attn = Attention(c.hidden_size, c.num_heads, c.head_dim)
        self.mlp = SwiGLU(c.hidden_size, c.mlp_width)

    def forward(self, x: Tensor, rope) -> Tensor:
        if hasattr(self, "mlp_t"):
            h = x.transpose(1, 2)  # [batch, width, positions]; the norm is over positions
            x = rms_norm(h + self.mlp_t(h), self.eps).transpose(1, 2)
        else:
            x = rms_norm(x + self.self_attn(x, rope), self.eps)
        return rms_norm(x + self.mlp(x), self.eps)


class Inner(Frame):
    """One segment: H_cycles recursions of one network, the last with gradient."""

    def __init__(self, c: TRMConfig):
        super().__init__(c, q_head=True)
        self.L_level = Level(c, c.L_layers, Block)
        self.register_buffer("H_init", truncated_normal((c.hidden_size,), 1.0))
        self.register_buffer("L_init", truncated_normal((c.hidden_size,), 1.0))

    def start(self) -> State:
        return State(*self.fixed(self.H_init, self.L_init))

    def recursion(self, state: State, x: Tensor) -> State:
        net, rope, (z_H, z_L) = self.L_level, self.rope, state
        for _ in range(self.c.L_cycles):
            z_L = net(z_L, z_H + x, rope)
        return State(net(z_H, z_L, rope), z_L)

    def forward(self, state: State, data: dict[str, Tensor]):
        x = self.embed(data)
        with torch.no_grad():
            for _ in range(self.c.H_cycles - 1):
                state = self.recursion(state, x)
        z_H, z_L = self.recursion(state, x)
        return State(z_H.detach(), z_L.detach()), self.logits(z_H), self.q(z_H)


class TRM(Halting):
    def __init__(self, c: TRMConfig):
        super().__init__(c, Inner(c), weighs_continue=False, learns_continue=False)


def compare(directory: str) -> None:
    import json
    import os

    from safetensors.torch import load_file

    def read(name):
        return load_file(os.path.join(directory, name))

    with open(os.path.join(directory, "trm_a.json")) as f:
        meta = json.load(f)
    golden = read("trm_a.safetensors")
    config, h = TRMConfig.of(meta["config"]), Hyper.of(meta["hyperparams"])
    names = ("inputs", "labels", "puzzle_identifiers")
    batches = [{n: golden[f"batch/{k}/{n}"] for n in names} for k in range(1, 6)]
    head = LossHead(TRM(config), "stablemax")  # the official code runs with no other
    load_state(head, golden)

    def part(prefix):
        return {k: v for k, v in golden.items() if k.startswith(prefix)}

    report("rope", {k: v for k, v in golden.items() if "rotary" in k}, {
        "model." + k: v for k, v in head.model.named_buffers() if "rotary" in k
    })
    report("eval", part("eval/"), record_eval(head, batches[0]))
    have = record_train(head, batches, h, ema_rate=meta["hyperparams"]["ema_rate"])
    report("train", {k.replace("stablemax/", ""): v for k, v in part("train/").items()}, have)
    for prefix in ("grad/", "after1/", "after5/"):
        report(prefix[:-1], part(prefix), have)
    report("ema5", read("trm_a_ema.safetensors"), have)


if __name__ == "__main__":
    import sys

    if len(sys.argv) != 2:
        sys.exit(__doc__)
    compare(sys.argv[1])
