"""A small PyTorch twin of the plain transformer, for reference values.

It has three kinds of backbone, which recurrent_twin.py and looped_twin.py use, too:
"post-norm" (HRM's blocks), "pre-norm" (the same parts, normed before) and "gpt"
(minGPT's conventions, but without a mask). `make_family.py` makes golden tensors with it.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pieces import Attention, Block, Config, Embedding, Frame, Linear, SwiGLU, rms_norm


@dataclass
class BackboneConfig(Config):
    backbone: str = "post-norm"  # or "pre-norm", "gpt"
    num_layers: int = 2


class PreNormBlock(nn.Module):
    def __init__(self, c: BackboneConfig):
        super().__init__()
        self.eps = c.rms_norm_eps
        self.self_attn = Attention(c.hidden_size, c.num_heads, c.head_dim)
        self.mlp = SwiGLU(c.hidden_size, c.mlp_width)

    def forward(self, x: Tensor, rope) -> Tensor:
        x = x + self.self_attn(rms_norm(x, self.eps), rope)
        return x + self.mlp(rms_norm(x, self.eps))


class GPTMLP(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.up_proj = Linear(width, 4 * width, bias=True)
        self.down_proj = Linear(4 * width, width, bias=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.down_proj(F.gelu(self.up_proj(x)))  # exact, not the tanh approximation


class GPTBlock(nn.Module):
    def __init__(self, c: BackboneConfig):
        super().__init__()
        self.norm1 = nn.LayerNorm(c.hidden_size, eps=1e-5)
        self.norm2 = nn.LayerNorm(c.hidden_size, eps=1e-5)
        self.self_attn = Attention(c.hidden_size, c.num_heads, c.head_dim, bias=True)
        self.mlp = GPTMLP(c.hidden_size)

    def forward(self, x: Tensor, rope: None) -> Tensor:
        x = x + self.self_attn(self.norm1(x), rope)
        return x + self.mlp(self.norm2(x))


class RMSBackbone(Frame):
    """Blocks without a bias or a gain, after HRM's embedding and before its head."""

    def __init__(self, c: BackboneConfig):
        super().__init__(c, q_head=False)
        block = {"post-norm": Block, "pre-norm": PreNormBlock}[c.backbone]
        self.layers = nn.ModuleList(block(c) for _ in range(c.num_layers))

    def blocks(self, z: Tensor) -> Tensor:
        for layer in self.layers:
            z = layer(z, self.rope)
        return z

    def final_norm(self, z: Tensor) -> Tensor:
        return z if self.c.backbone == "post-norm" else rms_norm(z, self.c.rms_norm_eps)


class GPTBackbone(nn.Module):
    """Learned positions, biases, LayerNorm; no puzzle embedding, no prefix, no scaling."""

    def __init__(self, c: BackboneConfig):
        super().__init__()
        assert c.puzzle_emb_ndim == 0 and c.pos_encodings == "learned"
        self.embed_tokens = Embedding(c.vocab_size, c.hidden_size, 0.02, torch.float32)
        self.embed_pos = Embedding(c.seq_len, c.hidden_size, 0.02, torch.float32)
        self.layers = nn.ModuleList(GPTBlock(c) for _ in range(c.num_layers))
        self.norm = nn.LayerNorm(c.hidden_size, eps=1e-5)
        self.lm_head = Linear(c.hidden_size, c.vocab_size)
        with torch.no_grad():
            for name, p in self.named_parameters():
                if "norm" not in name and p.ndim == 2:
                    p.normal_(std=0.02)
            self.embed_pos.embedding_weight.zero_()

    def embed(self, data: dict[str, Tensor]) -> Tensor:
        return self.embed_tokens(data["inputs"]) + self.embed_pos.embedding_weight

    def blocks(self, z: Tensor) -> Tensor:
        for layer in self.layers:
            z = layer(z, None)
        return z

    def final_norm(self, z: Tensor) -> Tensor:
        return self.norm(z)

    def logits(self, z: Tensor) -> Tensor:
        return self.lm_head(z)


def backbone(c: BackboneConfig) -> nn.Module:
    return GPTBackbone(c) if c.backbone == "gpt" else RMSBackbone(c)


class Transformer(nn.Module):
    """logits = head(final_norm(blocks(embed)))."""

    def __init__(self, c: BackboneConfig):
        super().__init__()
        self.c = c
        self.backbone = backbone(c)

    def forward(self, data: dict[str, Tensor], draws=None) -> list[tuple[float, Tensor]]:
        net = self.backbone
        return [(1.0, net.logits(net.final_norm(net.blocks(net.embed(data)))))]

    def units(self, data: dict[str, Tensor], count: int):
        """For evaluation: there is one unit only."""
        yield {"logits": self(data)[0][1]}
