"""A small PyTorch twin of HRM with one module in place of two, for reference values.

The module runs several times a segment, with gradient the last time only; halting and
the loss are HRM's. `make_family.py` makes golden tensors with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from pieces import Frame, Halting, HaltingConfig, Level, truncated_normal


@dataclass
class LOnlyConfig(HaltingConfig):
    L_layers: int = 2
    cycles: int = 4


class State(NamedTuple):
    z: Tensor


class Inner(Frame):
    """One segment: z = L(z + x), `cycles` times, the last with gradient."""

    def __init__(self, c: LOnlyConfig):
        super().__init__(c, q_head=True)
        self.L_level = Level(c, c.L_layers)
        self.register_buffer("L_init", truncated_normal((c.hidden_size,), 1.0))

    def start(self) -> State:
        return State(*self.fixed(self.L_init))

    def forward(self, state: State, data: dict[str, Tensor]):
        x, rope, z = self.embed(data), self.rope, state.z
        with torch.no_grad():
            for _ in range(self.c.cycles - 1):
                z = self.L_level(z, x, rope)
        z = self.L_level(z, x, rope)
        return State(z.detach()), self.logits(z), self.q(z)


class LOnly(Halting):
    def __init__(self, c: LOnlyConfig):
        super().__init__(c, Inner(c), weighs_continue=True, learns_continue=True)
