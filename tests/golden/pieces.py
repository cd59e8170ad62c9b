"""What the PyTorch twins of this folder share: pieces, halting, losses, training, records.

Written from the mathematics alone (arXiv 2506.21734, 2510.04871), with the official
parameter names: plain eager PyTorch on the CPU or a GPU, no compiled kernels.
`hrm_twin.py` and the other `*_twin.py` hold a model each, `make_*.py` make golden
tensors with them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

IGNORE = -100


class Measures:
    """What follows from a config; the twins' configs are dataclasses with this."""

    @property
    def prefix_len(self) -> int:
        return -(-self.puzzle_emb_ndim // self.hidden_size)

    @property
    def head_dim(self) -> int:
        return self.hidden_size // self.num_heads

    @property
    def mlp_width(self) -> int:
        return self.swiglu_width(self.hidden_size)

    def swiglu_width(self, width: int) -> int:
        raw = round(self.expansion * width * 2 / 3)
        return -(-raw // self.mlp_multiple) * self.mlp_multiple

    @classmethod
    def of(cls, values: dict):
        known = {f.name for f in fields(cls)}
        return cls(**{k: v for k, v in values.items() if k in known})


@dataclass
class Config(Measures):
    """What all twins but the oldest, HRM's, have in common."""

    batch_size: int = 4
    seq_len: int = 16
    vocab_size: int = 6
    num_puzzle_identifiers: int = 1
    puzzle_emb_ndim: int = 0  # 0: no puzzle embedding and no prefix
    hidden_size: int = 16
    num_heads: int = 2
    expansion: float = 4.0
    mlp_multiple: int = 256  # the official width rounds up to 256
    pos_encodings: str = "rope"  # or "learned", "none"
    rope_theta: float = 10000.0
    rms_norm_eps: float = 1e-5
    forward_dtype: str = "float32"


@dataclass
class HaltingConfig(Config):
    halt_max_steps: int = 16
    halt_exploration_prob: float = 0.1


# --------------------------------------------------------------------------- pieces


def truncated_normal(shape, std: float, gen: torch.Generator | None = None) -> Tensor:
    """N(0, 1) cut to [-2, 2], rescaled so that the true standard deviation is std."""
    low, high = math.erf(-math.sqrt(2)), math.erf(math.sqrt(2))
    u = torch.rand(shape, generator=gen, dtype=torch.float64) * (high - low) + low
    z = (torch.erfinv(u) * math.sqrt(2)).clamp_(-2, 2)
    pdf = math.exp(-2) / math.sqrt(2 * math.pi)
    true_std = math.sqrt(1 - 2 * 2 * pdf / ((high - low) / 2))  # 0.8796 = 1 / 1.1369
    return (z * (std / true_std)).to(torch.float32)


def rms_norm(x: Tensor, eps: float) -> Tensor:
    wide = x if x.dtype == torch.float64 else x.float()
    return (wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + eps)).to(x.dtype)


def rope_tables(length: int, dim: int, theta: float) -> tuple[Tensor, Tensor]:
    freq = 1.0 / theta ** (torch.arange(0, dim, 2, dtype=torch.float32) / dim)
    angle = torch.arange(length, dtype=torch.float32)[:, None] * freq[None, :]
    angle = torch.cat([angle, angle], dim=-1)
    return angle.cos(), angle.sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """x [batch, length, heads, dim]; the first half pairs with the second half."""
    wide = x.to(cos.dtype)
    a, b = wide.chunk(2, dim=-1)
    turned = torch.cat([-b, a], dim=-1)
    return (wide * cos[:, None, :] + turned * sin[:, None, :]).to(x.dtype)


def stablemax_cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """-log of s(logit)/sum s, s(v) = v + 1 above zero and 1 / (1 - v) below, in float64."""
    v = logits.double()
    s = torch.where(v < 0, 1 / (1 - v + 1e-30), v + 1)
    log_p = torch.log(s / s.sum(-1, keepdim=True))
    valid = labels != IGNORE
    picked = log_p.gather(-1, labels.clamp_min(0).long()[..., None])[..., 0]
    return -torch.where(valid, picked, torch.zeros_like(picked))


def softmax_cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    wide = logits if logits.dtype == torch.float64 else logits.float()
    flat = F.cross_entropy(
        wide.reshape(-1, wide.shape[-1]), labels.reshape(-1).long(),
        ignore_index=IGNORE, reduction="none",
    )
    return flat.reshape(labels.shape)


LOSSES = {"stablemax": stablemax_cross_entropy, "softmax": softmax_cross_entropy}


# --------------------------------------------------------------------------- layers


class Linear(nn.Module):
    """Keeps float32 weights, multiplies in the dtype of the input."""

    def __init__(self, n_in: int, n_out: int, bias: bool = False):
        super().__init__()
        self.weight = nn.Parameter(truncated_normal((n_out, n_in), n_in**-0.5))
        self.bias = nn.Parameter(torch.zeros(n_out)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        bias = None if self.bias is None else self.bias.to(x.dtype)
        return F.linear(x, self.weight.to(x.dtype), bias)


class Embedding(nn.Module):
    def __init__(self, n: int, dim: int, std: float, dtype: torch.dtype):
        super().__init__()
        self.dtype = dtype
        self.embedding_weight = nn.Parameter(truncated_normal((n, dim), std))

    def forward(self, ids: Tensor) -> Tensor:
        return F.embedding(ids.long(), self.embedding_weight.to(self.dtype))


class PuzzleEmbedding(nn.Module):
    """A table outside the parameters; training looks rows up through a fresh leaf."""

    def __init__(self, n: int, dim: int, dtype: torch.dtype):
        super().__init__()
        self.dtype = dtype
        self.register_buffer("weights", torch.zeros(n, dim))
        self.local_weights: Tensor | None = None  # rows of the last training forward
        self.local_ids: Tensor | None = None

    def forward(self, ids: Tensor) -> Tensor:
        rows = self.weights[ids.long()]
        if self.training and torch.is_grad_enabled():
            rows = rows.clone().requires_grad_()
            self.local_weights, self.local_ids = rows, ids.clone()
        return rows.to(self.dtype)


class Attention(nn.Module):
    """The heads together may be narrower than x."""

    def __init__(self, width: int, heads: int, dim: int, bias: bool = False):
        super().__init__()
        self.heads, self.dim = heads, dim
        self.qkv_proj = Linear(width, 3 * heads * dim, bias)
        self.o_proj = Linear(heads * dim, width, bias)

    def forward(self, x: Tensor, rope) -> Tensor:
        batch, length, _ = x.shape
        qkv = self.qkv_proj(x).view(batch, length, 3 * self.heads, self.dim)
        q, k, v = qkv.split(self.heads, dim=2)
        if rope is not None:
            q, k = rotate(q, *rope), rotate(k, *rope)
        y = F.scaled_dot_product_attention(
            q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2)
        )
        return self.o_proj(y.transpose(1, 2).reshape(batch, length, self.heads * self.dim))


class SwiGLU(nn.Module):
    def __init__(self, width: int, inner: int):
        super().__init__()
        self.gate_up_proj = Linear(width, 2 * inner)
        self.down_proj = Linear(inner, width)

    def forward(self, x: Tensor) -> Tensor:
        gate, up = self.gate_up_proj(x).chunk(2, dim=-1)
        return self.down_proj(F.silu(gate) * up)


class Block(nn.Module):
    """Post-norm: the norm comes after each residual sum."""

    def __init__(self, c: Config):
        super().__init__()
        self.eps = c.rms_norm_eps
        self.self_attn = Attention(c.hidden_size, c.num_heads, c.head_dim)
        self.mlp = SwiGLU(c.hidden_size, c.mlp_width)

    def forward(self, x: Tensor, rope) -> Tensor:
        x = rms_norm(x + self.self_attn(x, rope), self.eps)
        return rms_norm(x + self.mlp(x), self.eps)


class Level(nn.Module):
    """Adds an injection to its state and passes the sum through its blocks."""

    def __init__(self, c: Config, layers: int, block=Block):
        super().__init__()
        self.layers = nn.ModuleList(block(c) for _ in range(layers))

    def forward(self, state: Tensor, injection: Tensor, rope) -> Tensor:
        x = state + injection
        for layer in self.layers:
            x = layer(x, rope)
        return x


class Rotary(nn.Module):
    def __init__(self, length: int, dim: int, theta: float):
        super().__init__()
        cos, sin = rope_tables(length, dim, theta)
        self.register_buffer("cos_cached", cos, persistent=False)
        self.register_buffer("sin_cached", sin, persistent=False)


class Frame(nn.Module):
    """What surrounds the recurrence: embeddings with prefix and positions, and the heads."""

    def __init__(self, c: Config, q_head: bool):
        super().__init__()
        self.c = c
        self.dtype = getattr(torch, c.forward_dtype)
        std, length = c.hidden_size**-0.5, c.seq_len + c.prefix_len
        self.embed_tokens = Embedding(c.vocab_size, c.hidden_size, std, self.dtype)
        self.lm_head = Linear(c.hidden_size, c.vocab_size)
        if q_head:
            self.q_head = Linear(c.hidden_size, 2, bias=True)
            with torch.no_grad():
                self.q_head.weight.zero_()
                self.q_head.bias.fill_(-5)
        if c.puzzle_emb_ndim > 0:
            self.puzzle_emb = PuzzleEmbedding(
                c.num_puzzle_identifiers, c.puzzle_emb_ndim, self.dtype
            )
        assert c.pos_encodings in ("rope", "learned", "none")
        if c.pos_encodings == "rope":
            self.rotary_emb = Rotary(length, c.head_dim, c.rope_theta)
        if c.pos_encodings == "learned":
            self.embed_pos = Embedding(length, c.hidden_size, std, self.dtype)

    @property
    def rope(self):
        if self.c.pos_encodings != "rope":
            return None
        return self.rotary_emb.cos_cached, self.rotary_emb.sin_cached

    def embed(self, data: dict[str, Tensor]) -> Tensor:
        c = self.c
        x = self.embed_tokens(data["inputs"])
        if c.puzzle_emb_ndim > 0:
            rows = self.puzzle_emb(data["puzzle_identifiers"])
            rows = F.pad(rows, (0, c.prefix_len * c.hidden_size - rows.shape[-1]))
            x = torch.cat([rows.view(-1, c.prefix_len, c.hidden_size), x], dim=1)
        if c.pos_encodings == "learned":
            x = 0.707106781 * (x + self.embed_pos.embedding_weight.to(self.dtype))
        return math.sqrt(c.hidden_size) * x

    def logits(self, z: Tensor) -> Tensor:
        return self.lm_head(z)[:, self.c.prefix_len :]

    def q(self, z: Tensor) -> tuple[Tensor, Tensor]:
        q = self.q_head(z[:, 0])
        q = q if q.dtype == torch.float64 else q.float()
        return q[..., 0], q[..., 1]

    def fixed(self, *vectors: Tensor):
        """Vectors at which states start, in the dtype of computation."""
        return [v.to(self.dtype) for v in vectors]


# -------------------------------------------------------------------------- halting


class Carry(NamedTuple):
    inner: NamedTuple  # the states, [batch, length, width] each
    steps: Tensor  # segments done, int32 [batch]
    halted: Tensor  # bool [batch]
    data: dict[str, Tensor]


class Draws(NamedTuple):
    """The two random draws of exploration, so that a test may give them."""

    explore: Tensor  # uniform [0, 1), [batch]
    min_steps: Tensor  # integers 2..halt_max_steps, [batch]


class Halting(nn.Module):
    """The halting wrapper; one call is one segment.

    `inner(states, data)` returns new states, logits and (q_halt, q_continue);
    `inner.start()` the vectors at which the states start.
    A row wants to halt when q_halt > q_continue, or, without `weighs_continue`, > 0.
    `learns_continue`: q_continue gets a target, by one more segment without gradient.
    """

    def __init__(
        self, c: HaltingConfig, inner: Frame, weighs_continue: bool, learns_continue: bool
    ):
        super().__init__()
        self.c = c
        self.inner = inner
        self.weighs_continue, self.learns_continue = weighs_continue, learns_continue

    def initial_carry(self, batch: dict[str, Tensor]) -> Carry:
        n, c = batch["inputs"].shape[0], self.c
        shape = (n, c.seq_len + c.prefix_len, c.hidden_size)
        empty = torch.zeros(shape, dtype=self.inner.dtype)
        start = self.inner.start()
        return Carry(
            type(start)(*(empty for _ in start)),
            torch.zeros(n, dtype=torch.int32),
            torch.ones(n, dtype=torch.bool),
            {k: torch.zeros_like(v) for k, v in batch.items()},
        )

    def forward(self, carry: Carry, batch: dict[str, Tensor], draws: Draws | None = None):
        c, fresh = self.c, carry.halted
        spread, start = fresh[:, None, None], self.inner.start()
        state = type(start)(*(torch.where(spread, a, z) for a, z in zip(start, carry.inner)))
        data = {
            k: torch.where(fresh.view(-1, *[1] * (v.ndim - 1)), batch[k], v)
            for k, v in carry.data.items()
        }
        state, logits, (q_halt, q_continue) = self.inner(state, data)
        out = {"logits": logits, "q_halt_logits": q_halt, "q_continue_logits": q_continue}
        with torch.no_grad():
            steps = torch.where(fresh, 0, carry.steps) + 1
            last = steps >= c.halt_max_steps
            halted = last
            if self.training and c.halt_max_steps > 1:
                halted = halted | (q_halt > (q_continue if self.weighs_continue else 0))
                if c.halt_exploration_prob > 0:
                    if draws is None:
                        draws = Draws(
                            torch.rand(steps.shape),
                            torch.randint(2, c.halt_max_steps + 1, steps.shape),
                        )
                    floor = (draws.explore < c.halt_exploration_prob) * draws.min_steps
                    halted = halted & (steps >= floor)
                if self.learns_continue:
                    _, _, (next_halt, next_continue) = self.inner(state, data)
                    best = torch.where(last, next_halt, torch.maximum(next_halt, next_continue))
                    out["target_q_continue"] = torch.sigmoid(best)
        return Carry(state, steps.to(torch.int32), halted, data), out


# --------------------------------------------------------------------------- losses


def token_loss(kind: str, logits: Tensor, labels: Tensor) -> Tensor:
    """The mean over each row's tokens that count, summed over the batch."""
    divisor = (labels != IGNORE).sum(-1).clamp_min(1)
    return (LOSSES[kind](logits, labels) / divisor[:, None]).sum()


@torch.no_grad()
def scores(logits: Tensor, labels: Tensor, halted: Tensor):
    """Which rows are solved, which count, and sums over those that count."""
    mask = labels != IGNORE
    counts = mask.sum(-1)
    right = mask & (logits.argmax(-1) == labels)
    solved = right.sum(-1) == counts
    valid = halted & (counts > 0)
    share = right.float() / counts.clamp_min(1)[:, None]
    return solved, valid, {
        "count": valid.sum(),
        "accuracy": torch.where(valid, share.sum(-1), 0.0).sum(),
        "exact_accuracy": (valid & solved).sum(),
    }


class LossHead(nn.Module):
    """Adds the loss; its state dict has the official names (`model.inner...`)."""

    def __init__(self, model: Halting, loss: str = "stablemax"):
        super().__init__()
        self.model = model
        self.loss = loss

    def initial_carry(self, batch: dict[str, Tensor]) -> Carry:
        return self.model.initial_carry(batch)

    def forward(self, carry: Carry, batch: dict[str, Tensor], draws: Draws | None = None):
        """Returns the new carry, the loss SUMMED over the batch, metrics and outputs."""
        carry, out = self.model(carry, batch, draws)
        labels, logits, q_halt_logits = carry.data["labels"], out["logits"], out["q_halt_logits"]
        solved, valid, metrics = scores(logits, labels, carry.halted)
        with torch.no_grad():
            metrics |= {
                "q_halt_accuracy": (valid & ((q_halt_logits >= 0) == solved)).sum(),
                "steps": torch.where(valid, carry.steps, 0).sum(),
            }
        lm = token_loss(self.loss, logits, labels)
        q_halt = F.binary_cross_entropy_with_logits(
            q_halt_logits, solved.to(q_halt_logits.dtype), reduction="sum"
        )
        metrics |= {"lm_loss": lm.detach(), "q_halt_loss": q_halt.detach()}
        q = q_halt
        if "target_q_continue" in out:
            q_continue = F.binary_cross_entropy_with_logits(
                out["q_continue_logits"], out["target_q_continue"], reduction="sum"
            )
            metrics["q_continue_loss"] = q_continue.detach()
            q = q_halt + q_continue
        return carry, lm + 0.5 * q, metrics, out


class TokenHead(nn.Module):
    """The same for models without halting: one call is one batch, there is no carry.

    `model(batch, draws)` returns pairs of a weight and logits; the loss is the
    weighted sum of their token losses. The first pair's logits are the answer.
    """

    def __init__(self, model: nn.Module, loss: str = "stablemax"):
        super().__init__()
        self.model = model
        self.loss = loss

    def initial_carry(self, batch: dict[str, Tensor]) -> None:
        return None

    def forward(self, carry: None, batch: dict[str, Tensor], draws=None):
        labels, terms = batch["labels"], self.model(batch, draws)
        losses = [token_loss(self.loss, logits, labels) for _, logits in terms]
        loss = sum(weight * each for (weight, _), each in zip(terms, losses))
        answer = terms[0][1]
        _, _, metrics = scores(answer, labels, torch.ones(len(labels), dtype=torch.bool))
        metrics |= {"lm_loss": loss.detach(), "last_loss": losses[0].detach()}
        return None, loss, metrics, {"logits": answer}


# ------------------------------------------------------------------------ optimizers


class AdamATan2(torch.optim.Optimizer):
    """Adam with atan2 in place of the division, hence without an epsilon.

    convention "imoneoi" (the official kernel): lr / (1 - b1^t) * atan2(m, sqrt(v / (1 - b2^t)))
    convention "lucidrains": 1.27 * lr * atan2(m / (1 - b1^t), sqrt(v / (1 - b2^t)))
    """

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.95), weight_decay=0.1, convention="imoneoi"):
        assert convention in ("imoneoi", "lucidrains")
        self.convention = convention
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            params = [p for p in group["params"] if p.grad is not None]
            if not params:
                continue
            for p in params:
                if not self.state[p]:
                    self.state[p] = {"m": torch.zeros_like(p), "v": torch.zeros_like(p)}
            grads = [p.grad for p in params]
            m = [self.state[p]["m"] for p in params]
            v = [self.state[p]["v"] for p in params]
            lr, (b1, b2) = group["lr"], group["betas"]
            t = group["t"] = group.get("t", 0) + 1
            torch._foreach_mul_(params, 1 - lr * group["weight_decay"])
            torch._foreach_lerp_(m, grads, 1 - b1)
            torch._foreach_mul_(v, b2)
            torch._foreach_addcmul_(v, grads, grads, 1 - b2)
            below = torch._foreach_sqrt(v)
            torch._foreach_div_(below, math.sqrt(1 - b2**t))
            if self.convention == "imoneoi":
                above, rate = m, lr / (1 - b1**t)
            else:
                above, rate = torch._foreach_div(m, 1 - b1**t), 1.27 * lr
            for a, b in zip(above, below):
                torch.atan2(a, b, out=b)
            torch._foreach_add_(params, below, alpha=-rate)


def sign_sgd(embedding: PuzzleEmbedding, lr: float, weight_decay: float) -> None:
    """Only rows of the last batch move; gradients of equal ids are summed first."""
    with torch.no_grad():
        ids, place = embedding.local_ids.long().unique(return_inverse=True)
        grad = embedding.local_weights.grad
        summed = torch.zeros(len(ids), grad.shape[1], dtype=grad.dtype).index_add_(0, place, grad)
        rows = embedding.weights[ids] * (1 - lr * weight_decay) - lr * summed.sign()
        embedding.weights[ids] = rows


def cosine_lr(step: int, base: float, warmup: int, total: int, min_ratio: float) -> float:
    """Linear warm-up from 0, then half a cosine down to min_ratio * base."""
    if step < warmup:
        return base * step / max(1, warmup)
    done = (step - warmup) / max(1, total - warmup)
    return base * (min_ratio + max(0.0, (1 - min_ratio) * 0.5 * (1 + math.cos(math.pi * done))))


class EMA:
    """Averages of the parameters, not of the buffers: s = mu s + (1 - mu) p."""

    def __init__(self, module: nn.Module, mu: float):
        self.mu, self.module = mu, module
        self.shadow = {n: p.detach().clone() for n, p in module.named_parameters()}

    @torch.no_grad()
    def update(self) -> None:
        for n, p in self.module.named_parameters():
            self.shadow[n] = self.mu * self.shadow[n] + (1 - self.mu) * p


@dataclass
class Hyper:
    lr: float = 1e-3
    weight_decay: float = 0.1
    beta1: float = 0.9
    beta2: float = 0.95
    puzzle_emb_lr: float = 1e-2
    puzzle_emb_weight_decay: float = 0.1

    @staticmethod
    def of(values: dict) -> "Hyper":
        known = {f.name for f in fields(Hyper)}
        return Hyper(**{k: v for k, v in values.items() if k in known})


class Trainer:
    """One optimizer step a segment (or batch), the carry kept between steps."""

    def __init__(self, head: nn.Module, h: Hyper, convention: str = "imoneoi"):
        self.head, self.h = head.train(), h
        self.opt = AdamATan2(
            head.parameters(), h.lr, (h.beta1, h.beta2), h.weight_decay, convention
        )
        self.tables = [m for m in head.modules() if isinstance(m, PuzzleEmbedding)]
        self.carry: Carry | None = None

    def gradients(self, batch: dict[str, Tensor], draws=None):
        if self.carry is None:
            self.carry = self.head.initial_carry(batch)
        self.carry, loss, metrics, out = self.head(self.carry, batch, draws)
        for p in self.head.parameters():
            p.grad = None
        (loss / batch["inputs"].shape[0]).backward()
        # What the loss does not depend on has a gradient of zero, and so still decays.
        leaves = [*self.head.parameters(), *(t.local_weights for t in self.tables)]
        for p in leaves:
            if p.grad is None:
                p.grad = torch.zeros_like(p)
        return loss.detach(), metrics, out

    def update(self, lr_scale: float = 1.0) -> None:
        for table in self.tables:
            sign_sgd(table, self.h.puzzle_emb_lr * lr_scale, self.h.puzzle_emb_weight_decay)
        for group in self.opt.param_groups:
            group["lr"] = self.h.lr * lr_scale
        self.opt.step()

    def step(self, batch: dict[str, Tensor], draws=None, lr_scale: float = 1.0):
        result = self.gradients(batch, draws)
        self.update(lr_scale)
        return result


# -------------------------------------------------------------------------- records


def load_state(head: nn.Module, tensors: dict[str, Tensor]) -> None:
    head.load_state_dict({k: tensors[k] for k in head.state_dict()})


def record_eval(head: nn.Module, batch: dict[str, Tensor], units: int = 3) -> dict[str, Tensor]:
    """The first segments (recurrences, loops) on one batch, from the start."""
    head.eval()
    found, carry = {}, head.initial_carry(batch)
    with torch.no_grad():
        if carry is None:
            for k, unit in enumerate(head.model.units(batch, units), 1):
                found |= {f"eval/{k}/{name}": t for name, t in unit.items()}
            return found
        for k in range(1, units + 1):
            carry, out = head.model(carry, batch)
            found |= {f"eval/{k}/{name}": t for name, t in out.items()}
            found |= {
                f"eval/{k}/halted": carry.halted.to(torch.uint8), f"eval/{k}/steps": carry.steps,
            }
            found |= {f"eval/{k}/{name}": z for name, z in carry.inner._asdict().items()}
    return found


def record_train(
    head: nn.Module, batches: list[dict[str, Tensor]], h: Hyper, after=(1, 5),
    draws=None, ema_rate: float | None = None,
) -> dict[str, Tensor]:
    """Training steps from the present weights; names have no loss in them yet."""
    trainer, found = Trainer(head, h), {}
    ema = None if ema_rate is None else EMA(head, ema_rate)
    for k, batch in enumerate(batches, 1):
        loss, metrics, out = trainer.gradients(batch, draws[k - 1] if draws else None)
        carry = trainer.carry
        found |= {f"train/{k}/{name}": t.detach() for name, t in (metrics | out).items()}
        found[f"train/{k}/loss"] = loss
        if carry is not None:
            found |= {
                f"train/{k}/halted": carry.halted.to(torch.uint8),
                f"train/{k}/steps_carry": carry.steps,
                f"train/{k}/current_puzzle_identifiers": carry.data["puzzle_identifiers"],
            }
        if k == 1:
            found |= {f"grad/{n}": p.grad.clone() for n, p in head.named_parameters()}
            for n, table in head.named_modules():
                if isinstance(table, PuzzleEmbedding):
                    found[f"grad/{n}.local_weights"] = table.local_weights.grad.clone()
        trainer.update()
        if ema is not None:
            ema.update()
        if k in after:
            found |= {f"after{k}/{n}": t.clone() for n, t in head.state_dict().items()}
    if ema is not None:
        found |= {f"ema{len(batches)}/{n}": t for n, t in ema.shadow.items()}
    return found


def widen(head: nn.Module) -> nn.Module:
    """From now on it computes in float64."""
    head.double()
    for module in head.modules():
        if hasattr(module, "dtype"):
            module.dtype = torch.float64
    return head


def report(title: str, want: dict[str, Tensor], have: dict[str, Tensor]) -> None:
    """Prints how far two sets of tensors are apart at most."""
    missing = want.keys() - have.keys()
    assert not missing, missing
    worst, where, over, at = 0.0, "", 0, ""
    for name, tensor in want.items():
        assert tensor.shape == have[name].shape, name
        gap = (tensor.double() - have[name].double()).abs()
        over += int((gap > 1e-5).sum())
        assert not gap.isnan().any(), name
        if gap.max() > worst:
            worst, where = float(gap.max()), name
            at = f" (values up to {float(tensor.double().abs().max()):.3g})"
    print(f"{title:24} {len(want):3} tensors  worst {worst:.2e}  {where}{at}; {over} over 1e-5")
