"""LAMB and AdamW over groups of parameters that share weight decay and relative learning rate."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn

from mbrt_train.errors import TrainingError

# Neither decayed nor, in LAMB, scaled by the trust ratio: as in the published code.
UNDECAYED = ("LayerNorm", "bias")


def groups(parameters: Iterable[tuple[str, nn.Parameter]], rate: Callable[[str], float]) -> list[dict[str, Any]]:
    """Parameter groups by (decayed or not, relative rate), in a fixed order; each keeps the names it holds."""
    found: dict[tuple[bool, float], dict[str, Any]] = {}
    for name, parameter in parameters:
        if not parameter.requires_grad:
            continue
        key = (not any(part in name for part in UNDECAYED), rate(name))
        group = found.setdefault(key, {"params": [], "names": [], "decayed": key[0], "rate": key[1]})
        group["params"].append(parameter)
        group["names"].append(name)
    return [found[key] for key in sorted(found)]


def make_optimiser(
    name: str, parameters: Iterable[tuple[str, nn.Parameter]], rate: Callable[[str], float], weight_decay: float
) -> torch.optim.Optimizer:
    """An optimiser without moments. name: "lamb" (as published: eps 1e-6, no bias correction) or "adamw"."""
    found = groups(parameters, rate)
    if not found:
        raise TrainingError("no parameter is left to train in this stage: every rate is 0.")
    for group in found:
        group["weight_decay"] = weight_decay if group["decayed"] else 0.0
    if name == "adamw":
        return torch.optim.AdamW(found, lr=0.0, betas=(0.9, 0.999), eps=1e-6)
    if name == "lamb":
        from pytorch_optimizer import Lamb  # noqa: PLC0415 - slow to import, and not needed for AdamW

        for group in found:
            group["adam"] = not group["decayed"]  # trust ratio 1
            group["adam_debias"] = True  # without it the library divides the step by 1 - beta1^t
        # weight_decouple=False adds the decay to the update, inside the trust ratio, as LAMB's paper has it.
        optimiser: Any = Lamb(found, lr=0.0, betas=(0.9, 0.999), eps=1e-6, weight_decouple=False)
        optimiser.clamp = math.inf  # the library bounds the norm of a weight by 10; the published code does not
        return optimiser  # type: ignore[no-any-return]
    raise TrainingError(f"optimiser is {name!r}; it can be lamb or adamw.")


def set_rate(optimiser: torch.optim.Optimizer, learning_rate: float) -> None:
    for group in optimiser.param_groups:
        group["lr"] = learning_rate * group["rate"]
