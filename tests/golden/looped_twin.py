"""A small PyTorch twin of looped transformers, for reference values.

The same blocks run several times, and the input is injected before each. Two objectives:
"window" (the mean loss of the last outputs, arXiv 2311.12424) and "progressive" (part of
the loss is that of a run begun without gradient, arXiv 2202.05826). `make_family.py`
makes golden tensors with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from pieces import Linear
from transformer_twin import BackboneConfig, backbone


@dataclass
class LoopedConfig(BackboneConfig):
    injection: str = "add"  # or "multiply", "concat", "none"
    loops: int = 4
    objective: str = "window"  # or "progressive"
    window: int = 2
    alpha: float = 0.5


class Lengths(NamedTuple):
    """Of a progressive run: loops without gradient, then loops with."""

    n: int
    k: int


class Looped(nn.Module):
    """z = final_norm(blocks(inject(z, x))); logits = head(z)."""

    def __init__(self, c: LoopedConfig):
        super().__init__()
        assert c.injection in ("add", "multiply", "concat", "none")
        assert c.objective in ("window", "progressive")
        self.c = c
        self.backbone = backbone(c)
        if c.injection == "concat":
            self.inject = Linear(2 * c.hidden_size, c.hidden_size)

    def start(self, x: Tensor) -> Tensor:
        if self.c.injection == "none":
            return x
        return torch.ones_like(x) if self.c.injection == "multiply" else torch.zeros_like(x)

    def injected(self, z: Tensor, x: Tensor) -> Tensor:
        match self.c.injection:
            case "add":
                return z + x
            case "multiply":
                return z * x
            case "concat":
                return self.inject(torch.cat([z, x], dim=-1))
        return z

    def loop(self, z: Tensor, x: Tensor) -> Tensor:
        return self.backbone.final_norm(self.backbone.blocks(self.injected(z, x)))

    def run(self, x: Tensor, n: int, k: int) -> list[Tensor]:
        """Logits of k loops with gradient, after n without; the last first."""
        z, outputs = self.start(x), []
        with torch.no_grad():
            for _ in range(n):
                z = self.loop(z, x)
        for _ in range(k):
            z = self.loop(z, x)
            outputs.append(self.backbone.logits(z))
        return outputs[::-1]

    def forward(
        self, data: dict[str, Tensor], draws: Lengths | None = None
    ) -> list[tuple[float, Tensor]]:
        c, x = self.c, self.backbone.embed(data)
        if c.objective == "window":
            n = max(0, c.loops - c.window)
            outputs = self.run(x, n, c.loops - n)
            return [(1 / len(outputs), logits) for logits in outputs]
        full = self.run(x, 0, c.loops)[0]
        return [(1 - c.alpha, full), (c.alpha, self.run(x, *draws)[0])]

    def units(self, data: dict[str, Tensor], count: int):
        """For evaluation: the first loops."""
        x = self.backbone.embed(data)
        z = self.start(x)
        for _ in range(count):
            z = self.loop(z, x)
            yield {"logits": self.backbone.logits(z), "z": z}
