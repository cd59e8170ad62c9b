"""A small PyTorch twin of the Hierarchical Reasoning Model, for reference values.

It computes what the official implementation computes (arXiv 2506.21734) and keeps
its parameter names, but is written from the mathematics alone: plain eager PyTorch
on the CPU or a GPU, no compiled kernels. `make_hrm.py` makes golden tensors with it,
`bench/peers/hrm_pytorch.py` times it.

    python -m venv venv
    venv/bin/pip install torch
    venv/bin/pip install numpy safetensors

    python hrm_twin.py [DIR]    compares with reference tensors hrm_a*.safetensors in DIR
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

IGNORE = -100


@dataclass
class HRMConfig:
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

    @property
    def prefix_len(self) -> int:
        return -(-self.puzzle_emb_ndim // self.hidden_size)

    @property
    def mlp_width(self) -> int:
        raw = round(self.expansion * self.hidden_size * 2 / 3)
        return -(-raw // self.mlp_multiple) * self.mlp_multiple

    @staticmethod
    def of(values: dict) -> "HRMConfig":
        known = {f.name for f in fields(HRMConfig)}
        return HRMConfig(**{k: v for k, v in values.items() if k in known})


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


# --------------------------------------------------------------------------- network


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
    def __init__(self, c: HRMConfig):
        super().__init__()
        self.heads, self.dim = c.num_heads, c.hidden_size // c.num_heads
        self.qkv_proj = Linear(c.hidden_size, 3 * c.hidden_size)
        self.o_proj = Linear(c.hidden_size, c.hidden_size)

    def forward(self, x: Tensor, rope) -> Tensor:
        batch, length, width = x.shape
        qkv = self.qkv_proj(x).view(batch, length, 3 * self.heads, self.dim)
        q, k, v = qkv.split(self.heads, dim=2)
        if rope is not None:
            q, k = rotate(q, *rope), rotate(k, *rope)
        y = F.scaled_dot_product_attention(
            q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2)
        )
        return self.o_proj(y.transpose(1, 2).reshape(batch, length, width))


class SwiGLU(nn.Module):
    def __init__(self, c: HRMConfig):
        super().__init__()
        self.gate_up_proj = Linear(c.hidden_size, 2 * c.mlp_width)
        self.down_proj = Linear(c.mlp_width, c.hidden_size)

    def forward(self, x: Tensor) -> Tensor:
        gate, up = self.gate_up_proj(x).chunk(2, dim=-1)
        return self.down_proj(F.silu(gate) * up)


class Block(nn.Module):
    """Post-norm: the norm comes after each residual sum."""

    def __init__(self, c: HRMConfig):
        super().__init__()
        self.eps = c.rms_norm_eps
        self.self_attn = Attention(c)
        self.mlp = SwiGLU(c)

    def forward(self, x: Tensor, rope) -> Tensor:
        x = rms_norm(x + self.self_attn(x, rope), self.eps)
        return rms_norm(x + self.mlp(x), self.eps)


class Level(nn.Module):
    def __init__(self, c: HRMConfig, layers: int):
        super().__init__()
        self.layers = nn.ModuleList(Block(c) for _ in range(layers))

    def forward(self, state: Tensor, injection: Tensor, rope) -> Tensor:
        x = state + injection
        for layer in self.layers:
            x = layer(x, rope)
        return x


class Rotary(nn.Module):
    def __init__(self, c: HRMConfig):
        super().__init__()
        cos, sin = rope_tables(
            c.seq_len + c.prefix_len, c.hidden_size // c.num_heads, c.rope_theta
        )
        self.register_buffer("cos_cached", cos, persistent=False)
        self.register_buffer("sin_cached", sin, persistent=False)


class State(NamedTuple):
    z_H: Tensor
    z_L: Tensor


class Inner(nn.Module):
    """One segment: N cycles of (T low updates, 1 high update), the last two with gradient."""

    def __init__(self, c: HRMConfig):
        super().__init__()
        self.c = c
        self.dtype = getattr(torch, c.forward_dtype)
        std = c.hidden_size**-0.5
        self.embed_tokens = Embedding(c.vocab_size, c.hidden_size, std, self.dtype)
        self.lm_head = Linear(c.hidden_size, c.vocab_size)
        self.q_head = Linear(c.hidden_size, 2, bias=True)
        with torch.no_grad():
            self.q_head.weight.zero_()
            self.q_head.bias.fill_(-5)
        if c.puzzle_emb_ndim > 0:
            self.puzzle_emb = PuzzleEmbedding(
                c.num_puzzle_identifiers, c.puzzle_emb_ndim, self.dtype
            )
        if c.pos_encodings == "rope":
            self.rotary_emb = Rotary(c)
        else:
            length = c.seq_len + c.prefix_len
            self.embed_pos = Embedding(length, c.hidden_size, std, self.dtype)
        self.H_level = Level(c, c.H_layers)
        self.L_level = Level(c, c.L_layers)
        self.register_buffer("H_init", truncated_normal((c.hidden_size,), 1.0))
        self.register_buffer("L_init", truncated_normal((c.hidden_size,), 1.0))

    def embed(self, inputs: Tensor, puzzle_identifiers: Tensor) -> Tensor:
        c = self.c
        x = self.embed_tokens(inputs)
        if c.puzzle_emb_ndim > 0:
            rows = self.puzzle_emb(puzzle_identifiers)
            rows = F.pad(rows, (0, c.prefix_len * c.hidden_size - rows.shape[-1]))
            x = torch.cat([rows.view(-1, c.prefix_len, c.hidden_size), x], dim=1)
        if c.pos_encodings == "learned":
            x = 0.707106781 * (x + self.embed_pos.embedding_weight.to(self.dtype))
        return math.sqrt(c.hidden_size) * x

    def forward(self, state: State, data: dict[str, Tensor]):
        c = self.c
        rope = None
        if c.pos_encodings == "rope":
            rope = (self.rotary_emb.cos_cached, self.rotary_emb.sin_cached)
        x = self.embed(data["inputs"], data["puzzle_identifiers"])
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
        logits = self.lm_head(z_H)[:, c.prefix_len :]
        q = self.q_head(z_H[:, 0])
        q = q if q.dtype == torch.float64 else q.float()
        return State(z_H.detach(), z_L.detach()), logits, (q[..., 0], q[..., 1])


class Carry(NamedTuple):
    inner: State
    steps: Tensor  # segments done, int32 [batch]
    halted: Tensor  # bool [batch]
    data: dict[str, Tensor]


class Draws(NamedTuple):
    """The two random draws of exploration, so that a test may give them."""

    explore: Tensor  # uniform [0, 1), [batch]
    min_steps: Tensor  # integers 2..halt_max_steps, [batch]


class HRM(nn.Module):
    """The halting wrapper; one call is one segment."""

    def __init__(self, c: HRMConfig):
        super().__init__()
        self.c = c
        self.inner = Inner(c)

    def initial_carry(self, batch: dict[str, Tensor]) -> Carry:
        n, c = batch["inputs"].shape[0], self.c
        shape = (n, c.seq_len + c.prefix_len, c.hidden_size)
        empty = torch.zeros(shape, dtype=self.inner.dtype)
        return Carry(
            State(empty, empty),
            torch.zeros(n, dtype=torch.int32),
            torch.ones(n, dtype=torch.bool),
            {k: torch.zeros_like(v) for k, v in batch.items()},
        )

    def forward(self, carry: Carry, batch: dict[str, Tensor], draws: Draws | None = None):
        c, fresh = self.c, carry.halted
        spread = fresh[:, None, None]
        state = State(
            torch.where(spread, self.inner.H_init.to(self.inner.dtype), carry.inner.z_H),
            torch.where(spread, self.inner.L_init.to(self.inner.dtype), carry.inner.z_L),
        )
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
                halted = halted | (q_halt > (q_continue if c.target_q else 0))
                if c.halt_exploration_prob > 0:
                    if draws is None:
                        draws = Draws(
                            torch.rand(steps.shape),
                            torch.randint(2, c.halt_max_steps + 1, steps.shape),
                        )
                    floor = (draws.explore < c.halt_exploration_prob) * draws.min_steps
                    halted = halted & (steps >= floor)
                if c.target_q:
                    _, _, (next_halt, next_continue) = self.inner(state, data)
                    best = torch.where(last, next_halt, torch.maximum(next_halt, next_continue))
                    out["target_q_continue"] = torch.sigmoid(best)
        return Carry(state, steps.to(torch.int32), halted, data), out


class LossHead(nn.Module):
    """Adds the loss; its state dict has the official names (`model.inner...`)."""

    def __init__(self, model: HRM, loss: str = "stablemax"):
        super().__init__()
        self.model = model
        self.loss = loss

    def forward(self, carry: Carry, batch: dict[str, Tensor], draws: Draws | None = None):
        """Returns the new carry, the loss SUMMED over the batch, metrics and outputs."""
        carry, out = self.model(carry, batch, draws)
        labels, logits = carry.data["labels"], out["logits"]
        mask = labels != IGNORE
        counts = mask.sum(-1)
        divisor = counts.clamp_min(1)
        with torch.no_grad():
            right = mask & (logits.argmax(-1) == labels)
            solved = right.sum(-1) == counts
            valid = carry.halted & (counts > 0)
            metrics = {
                "count": valid.sum(),
                "accuracy": torch.where(
                    valid, (right.float() / divisor[:, None]).sum(-1), 0.0
                ).sum(),
                "exact_accuracy": (valid & solved).sum(),
                "q_halt_accuracy": (valid & ((out["q_halt_logits"] >= 0) == solved)).sum(),
                "steps": torch.where(valid, carry.steps, 0).sum(),
            }
        lm = (LOSSES[self.loss](logits, labels) / divisor[:, None]).sum()
        q_halt = F.binary_cross_entropy_with_logits(
            out["q_halt_logits"], solved.to(out["q_halt_logits"].dtype), reduction="sum"
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


@dataclass
class Hyper:
    lr: float = 1e-3
    weight_decay: float = 0.1
    beta1: float = 0.9
    beta2: float = 0.95
    puzzle_emb_lr: float = 1e-2
    puzzle_emb_weight_decay: float = 0.1


class Trainer:
    """One optimizer step a segment, the carry kept between steps."""

    def __init__(self, head: LossHead, h: Hyper, convention: str = "imoneoi"):
        self.head, self.h = head.train(), h
        self.opt = AdamATan2(
            head.parameters(), h.lr, (h.beta1, h.beta2), h.weight_decay, convention
        )
        self.carry: Carry | None = None

    def gradients(self, batch: dict[str, Tensor], draws: Draws | None = None):
        if self.carry is None:
            self.carry = self.head.model.initial_carry(batch)
        self.carry, loss, metrics, out = self.head(self.carry, batch, draws)
        for p in self.head.parameters():
            p.grad = None
        (loss / batch["inputs"].shape[0]).backward()
        return loss.detach(), metrics, out

    def update(self, lr_scale: float = 1.0) -> None:
        inner = self.head.model.inner
        if inner.c.puzzle_emb_ndim > 0:
            sign_sgd(
                inner.puzzle_emb, self.h.puzzle_emb_lr * lr_scale, self.h.puzzle_emb_weight_decay
            )
        for group in self.opt.param_groups:
            group["lr"] = self.h.lr * lr_scale
        self.opt.step()

    def step(self, batch: dict[str, Tensor], draws: Draws | None = None, lr_scale: float = 1.0):
        result = self.gradients(batch, draws)
        self.update(lr_scale)
        return result


# -------------------------------------------------------------------------- records


def load_state(head: LossHead, tensors: dict[str, Tensor]) -> None:
    head.load_state_dict({k: tensors[k] for k in head.state_dict()})


def record_eval(head: LossHead, batch: dict[str, Tensor], segments: int = 3) -> dict[str, Tensor]:
    head.eval()
    found, carry = {}, head.model.initial_carry(batch)
    with torch.no_grad():
        for k in range(1, segments + 1):
            carry, out = head.model(carry, batch)
            found |= {f"eval/{k}/{name}": t for name, t in out.items()}
            found |= {
                f"eval/{k}/halted": carry.halted.to(torch.uint8), f"eval/{k}/steps": carry.steps,
                f"eval/{k}/z_H": carry.inner.z_H, f"eval/{k}/z_L": carry.inner.z_L,
            }
    return found


def record_train(head: LossHead, batches: list[dict[str, Tensor]], h: Hyper, after=(1, 5)):
    """Training steps from the present weights; names have no loss in them yet."""
    trainer, found = Trainer(head, h), {}
    for k, batch in enumerate(batches, 1):
        loss, metrics, out = trainer.gradients(batch)
        carry = trainer.carry
        found |= {f"train/{k}/{name}": t.detach() for name, t in (metrics | out).items()}
        found |= {
            f"train/{k}/loss": loss, f"train/{k}/halted": carry.halted.to(torch.uint8),
            f"train/{k}/steps_carry": carry.steps,
            f"train/{k}/current_puzzle_identifiers": carry.data["puzzle_identifiers"],
        }
        if k == 1:
            found |= {f"grad/{n}": p.grad.clone() for n, p in head.named_parameters()}
            local = head.model.inner.puzzle_emb.local_weights
            found["grad/model.inner.puzzle_emb.local_weights"] = local.grad.clone()
        trainer.update()
        if k in after:
            found |= {f"after{k}/{n}": t.clone() for n, t in head.state_dict().items()}
    return found


def compare(directory: str) -> None:
    import json
    import os

    from safetensors.torch import load_file

    def read(name):
        return load_file(os.path.join(directory, name))

    with open(os.path.join(directory, "hrm_a.json")) as f:
        meta = json.load(f)
    golden = read("hrm_a.safetensors")
    config, h = HRMConfig.of(meta["config"]), Hyper(
        **{k: v for k, v in meta["hyperparams"].items() if k != "ema_rate"}
    )
    names = ("inputs", "labels", "puzzle_identifiers")
    batches = [{n: golden[f"batch/{k}/{n}"] for n in names} for k in range(1, 6)]

    def report(title, want: dict[str, Tensor], have: dict[str, Tensor]):
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
    import os
    import sys

    default = os.path.join(os.path.dirname(__file__), "..", "..", "..", "shared", "golden")
    compare(sys.argv[1] if len(sys.argv) > 1 else default)
