"""A small PyTorch twin of ARC Prize's transformer in HRM's outer loop, for reference values.

One stack of blocks runs once a segment, all of it with gradient. The heads together may
be narrower than the model. A row halts when q_halt > q_continue, but q_continue is never
trained. `make_family.py` makes golden tensors with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor

from pieces import Frame, Halting, HaltingConfig, Level, truncated_normal


@dataclass
class ActV2Config(HaltingConfig):
    H_layers: int = 8


class State(NamedTuple):
    z: Tensor


class Inner(Frame):
    """One segment: z = blocks(z + x)."""

    def __init__(self, c: ActV2Config):
        super().__init__(c, q_head=True)
        self.H_level = Level(c, c.H_layers)
        self.register_buffer("H_init", truncated_normal((c.hidden_size,), 1.0))

    def start(self) -> State:
        return State(*self.fixed(self.H_init))

    def forward(self, state: State, data: dict[str, Tensor]):
        z = self.H_level(state.z, self.embed(data), self.rope)
        return State(z.detach()), self.logits(z), self.q(z)


class ActV2(Halting):
    def __init__(self, c: ActV2Config):
        super().__init__(c, Inner(c), weighs_continue=True, learns_continue=False)
