"""A small PyTorch twin of the recurrent transformer, for reference values.

The same blocks run several times on their own output; the input enters only at the
start. `make_family.py` makes golden tensors with it.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from transformer_twin import BackboneConfig, backbone


@dataclass
class RecurrentConfig(BackboneConfig):
    recurrences: int = 3
    loss_at: str = "every"  # the sum over the recurrences with gradient; or "last"
    gradient_steps: int = 3  # the last so many recurrences have a gradient, and a loss


class Recurrent(nn.Module):
    """z = blocks(z) from z = embed; logits = head(final_norm(z))."""

    def __init__(self, c: RecurrentConfig):
        super().__init__()
        assert c.loss_at in ("every", "last") and 1 <= c.gradient_steps <= c.recurrences
        self.c = c
        self.backbone = backbone(c)

    def logits(self, z: Tensor) -> Tensor:
        return self.backbone.logits(self.backbone.final_norm(z))

    def forward(self, data: dict[str, Tensor], draws=None) -> list[tuple[float, Tensor]]:
        c, net, outputs = self.c, self.backbone, []
        z = net.embed(data)
        with torch.no_grad():
            for _ in range(c.recurrences - c.gradient_steps):
                z = net.blocks(z)
        for _ in range(c.gradient_steps):
            z = net.blocks(z)
            outputs.append((1.0, self.logits(z)))
        outputs.reverse()
        return outputs if c.loss_at == "every" else outputs[:1]

    def units(self, data: dict[str, Tensor], count: int):
        """For evaluation: the first recurrences."""
        z = self.backbone.embed(data)
        for _ in range(count):
            z = self.backbone.blocks(z)
            yield {"logits": self.logits(z), "z": z}
