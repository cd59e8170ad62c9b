"""Makes the golden tensors of all models but HRM, with the PyTorch twins of this folder.

    python -m venv venv
    venv/bin/pip install torch
    venv/bin/pip install numpy safetensors
    venv/bin/python tests/golden/make_family.py [DIR]

Writes each of FIXTURES as a .safetensors with a .json beside it that tells config,
hyper-parameters, and what every tensor is; into this folder, unless DIR is given.
"""

import os
import sys
from dataclasses import dataclass

sys.dont_write_bytecode = True

import torch
from torch import nn

import pieces
from actv2_twin import ActV2, ActV2Config
from l_only_twin import LOnly, LOnlyConfig
from looped_twin import Lengths, Looped, LoopedConfig
from make_hrm import HERE, batches_of, write
from recurrent_twin import Recurrent, RecurrentConfig
from transformer_twin import BackboneConfig, GPTBackbone, Transformer
from trm_twin import TRM, TRMConfig

STEPS = 3
PROGRESSIVE = [Lengths(1, 2), Lengths(2, 2), Lengths(0, 1)]  # one a training step


@dataclass
class Fixture:
    name: str
    model: type
    config: pieces.Config
    loss: str
    seed: int  # chosen so that no element's step hangs on rounding
    draws: list | None = None
    ema_rate: float | None = None
    scale: float = 0.7  # of the blocks' matrices: deep recurrences of larger ones are chaotic


def small(**more) -> dict:
    """An embedding for each of 3 puzzles, in one prefix position, unless told otherwise."""
    return {"num_puzzle_identifiers": 3, "puzzle_emb_ndim": 16, "mlp_multiple": 16} | more


def halting(**more) -> dict:
    return small(halt_max_steps=3, halt_exploration_prob=0.0, **more)


def bare(**more) -> dict:
    return {"mlp_multiple": 16} | more


def gpt(**more) -> dict:
    return bare(backbone="gpt", pos_encodings="learned", **more)


FIXTURES = [
    Fixture("trm_tiny_attention", TRM, TRMConfig(
        **halting(puzzle_emb_ndim=20), puzzle_emb_len=3, H_cycles=2, L_cycles=3,
    ), "stablemax", 12, ema_rate=0.9),
    Fixture("trm_tiny_mlp", TRM, TRMConfig(
        **halting(puzzle_emb_ndim=24), puzzle_emb_len=0, H_cycles=3, L_cycles=2, mlp_t=True,
        pos_encodings="none", expansion=2.0,
    ), "softmax", 3, ema_rate=0.9, scale=0.6),
    Fixture("l_only_tiny", LOnly, LOnlyConfig(**halting(), cycles=3), "softmax", 9),
    Fixture("actv2_tiny", ActV2, ActV2Config(
        **halting(puzzle_emb_ndim=32), hidden_size=32, num_heads=3, H_layers=1, expansion=2.0,
    ), "stablemax", 3),
    Fixture("transformer_tiny_post", Transformer, BackboneConfig(
        **small(puzzle_emb_ndim=24),
    ), "stablemax", 9),
    Fixture("transformer_tiny_pre", Transformer, BackboneConfig(
        **small(), backbone="pre-norm", pos_encodings="learned",
    ), "softmax", 1),
    Fixture("transformer_tiny_gpt", Transformer, BackboneConfig(**gpt()), "softmax", 5),
    Fixture("recurrent_tiny_every", Recurrent, RecurrentConfig(
        **small(), recurrences=3, loss_at="every", gradient_steps=3,
    ), "stablemax", 10),
    Fixture("recurrent_tiny_last", Recurrent, RecurrentConfig(
        **bare(), backbone="pre-norm", recurrences=4, loss_at="last", gradient_steps=2,
    ), "softmax", 1),
    Fixture("recurrent_tiny_gpt", Recurrent, RecurrentConfig(
        **gpt(), recurrences=3, loss_at="every", gradient_steps=3,
    ), "softmax", 3),
    Fixture("looped_tiny_add", Looped, LoopedConfig(**gpt(), injection="add"), "softmax", 6),
    Fixture("looped_tiny_multiply", Looped, LoopedConfig(
        **small(), injection="multiply",
    ), "stablemax", 9),
    Fixture("looped_tiny_concat", Looped, LoopedConfig(
        **bare(), backbone="pre-norm", injection="concat",
    ), "softmax", 5),
    Fixture("looped_tiny_none", Looped, LoopedConfig(
        **small(), pos_encodings="learned", injection="none",
    ), "stablemax", 5),
    Fixture("looped_tiny_progressive", Looped, LoopedConfig(
        **small(), backbone="pre-norm", injection="add", objective="progressive",
    ), "stablemax", 5, draws=PROGRESSIVE),
]


@torch.no_grad()
def shake(head: nn.Module, scale: float) -> None:
    """Replaces what would start constant, and all of the gpt backbone, by random numbers."""
    for module in head.modules():
        if isinstance(module, pieces.PuzzleEmbedding):
            module.weights.normal_(std=0.2)
        if isinstance(module, GPTBackbone):
            for name, p in module.named_parameters():
                if name.startswith("embed"):
                    p.normal_(std=0.5)
                elif p.ndim == 2:
                    p.normal_(std=p.shape[1] ** -0.5)
                else:  # a gain or a bias
                    p.normal_(mean=float("norm" in name and "weight" in name), std=0.2)
    if isinstance(head, pieces.LossHead):
        head.model.inner.q_head.weight.normal_(std=0.2)
        head.model.inner.q_head.bias.copy_(torch.tensor([0.1, -0.05]))
    for name, p in head.named_parameters():
        if ".layers." in name and p.ndim == 2:
            p.mul_(scale)


def rounding_only(head: nn.Module) -> dict[str, list[int]]:
    """Ranges of elements whose gradient is zero but for rounding.

    A bias on every key alike changes no attention; it is the middle third.
    """
    return {
        name: [len(p) // 3, 2 * len(p) // 3]
        for name, p in head.named_parameters() if name.endswith("qkv_proj.bias")
    }


def build(f: Fixture, seed: int):
    """State dict, batches, what was recorded, and how far off float64 it is."""
    torch.manual_seed(seed)
    head_of = pieces.LossHead if isinstance(f.config, pieces.HaltingConfig) else pieces.TokenHead
    first = head_of(f.model(f.config), f.loss)
    shake(first, f.scale)
    state = {k: t.clone() for k, t in first.state_dict().items()}
    batches = batches_of(f.config, STEPS)
    inert = rounding_only(first)

    def run(wide: bool) -> dict:
        head = head_of(f.model(f.config), f.loss)
        pieces.load_state(head, state)
        if wide:
            pieces.widen(head)
        found = pieces.record_eval(head, batches[0])
        train = pieces.record_train(
            head, batches, pieces.Hyper(), (1, STEPS), f.draws, f.ema_rate
        )
        for k, t in train.items():
            part, rest = k.split("/", 1)
            found[k if part.startswith("ema") else f"{part}/{f.loss}/{rest}"] = t
        return found

    found, wide = run(False), run(True)
    noise, over = {}, 0
    for k, t in found.items():
        gap = (t.double() - wide[k].double()).abs()
        for name, (start, end) in inert.items():
            if k.endswith(name):
                gap[start:end] = 0
        part = k.split("/")[0]
        noise[part] = max(noise.get(part, 0.0), float(gap.max()))
        over += int((gap > 1e-5).sum())
    for k, lengths in enumerate(f.draws or [], 1):
        found |= {
            f"train/{f.loss}/{k}/{n}": torch.tensor(v) for n, v in lengths._asdict().items()
        }
    return state, batches, inert, found, noise, over


def make(f: Fixture, directory: str) -> None:
    state, batches, inert, found, noise, over = build(f, f.seed)
    assert over == 0, f"{f.name}: choose another seed: an element's sign hangs on rounding"
    grads = {k.split("/", 2)[2]: t for k, t in found.items() if k.startswith("grad/")}
    tensors = state | found
    for k, b in enumerate(batches, 1):
        tensors |= {f"batch/{k}/{n}": t for n, t in b.items()}
    hyper = vars(pieces.Hyper())
    if f.ema_rate is not None:
        hyper = hyper | {"ema_rate": f.ema_rate}
    notes = [
        "names without a leading eval, train, grad, after, ema, batch are the state dict",
        "batch/K: step K uses batch K, evaluation uses batch 1; labels of -100 do not count, "
        "two rows of batch 3 have no other",
        "train/LOSS/K/loss and its parts are summed over the batch",
        "grad/LOSS: gradient of loss / batch at step 1; local_weights is that of the looked-up "
        "puzzle rows; no_gradient lists what the loss does not depend on: it decays all the same",
        "after1/LOSS, after3/LOSS: the state dict after 1 and 3 steps",
        "rounding_only: ranges of elements whose gradient is zero but for rounding, so that the "
        "optimizer takes them anywhere; nothing depends on them",
    ]
    if isinstance(f.config, pieces.HaltingConfig):
        notes += [
            "eval/K: K-th evaluation segment from the initial carry: outputs, new carry",
            "train/LOSS/K: training segments, exploration off, the carry kept: loss = lm + 0.5 "
            "(q_halt + q_continue, if it has a target), and the official metrics; steps is "
            "a metric, steps_carry that of the carry",
        ]
        if f.ema_rate is not None:
            notes.append("ema3: averages of the parameters, updated after each step")
    else:
        notes += [
            "eval/K: K-th recurrence or loop from the start: logits, and z with the prefix",
            "train/LOSS/K: lm_loss = loss; last_loss is the token loss of the last output, of "
            "which logits, count, accuracy and exact_accuracy are, too (progressive: of the run "
            "of all loops; n and k are the loops without and with gradient of the other run)",
        ]
    write(f.name, tensors, {
        "model": f.model.__name__,
        "seed": f.seed,
        "config": vars(f.config),
        "hyperparams": hyper,
        "optimizer": "SignSGD on touched puzzle rows, then AdamATan2 (imoneoi), constant lr",
        "loss": f.loss,
        "max_abs_against_float64": noise,
        "rounding_only": inert,
        "no_gradient": [n for n, t in sorted(grads.items()) if not t.any()],
        "notes": notes,
    }, "make_family.py", directory)


if __name__ == "__main__":
    torch.set_num_threads(1)
    where = sys.argv[1] if len(sys.argv) > 1 else HERE
    os.makedirs(where, exist_ok=True)
    for fixture in FIXTURES:
        make(fixture, where)
