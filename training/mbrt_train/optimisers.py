"""LAMB, AdamW and Muon over groups of parameters that share weight decay and relative learning rate."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn

from mbrt_train.errors import TrainingError

# No weight decay and, in LAMB, no trust ratio: as in the published code.
UNDECAYED = ("LayerNorm", "bias")
# Muon's published rate is 0.02 with 2e-3 for the parameters trained by AdamW: the recipe has one rate for both.
MUON_RATE = 10.0


def groups(parameters: Iterable[tuple[str, nn.Parameter]], rate: Callable[[str], float]) -> list[dict[str, Any]]:
    """Parameter groups by (weight decay or not, relative rate, matrix or not), in a fixed order; each keeps its names.

    A matrix is a weight that multiplies activations inside the encoder: neither a table nor a head.
    """
    found: dict[tuple[bool, float, bool], dict[str, Any]] = {}
    for name, parameter in parameters:
        if not parameter.requires_grad:
            continue
        matrix = parameter.ndim == 2 and (".encoder." in name or "embedding_transformation" in name)
        key = (not any(part in name for part in UNDECAYED), rate(name), matrix)
        empty = {"params": [], "names": [], "decayed": key[0], "rate": key[1], "matrix": matrix}
        group = found.setdefault(key, empty)
        group["params"].append(parameter)
        group["names"].append(name)
    return [found[key] for key in sorted(found)]


def make_optimiser(
    name: str,
    parameters: Iterable[tuple[str, nn.Parameter]],
    rate: Callable[[str], float],
    weight_decay: float,
    dtype: torch.dtype = torch.float32,
) -> torch.optim.Optimizer:
    """An optimiser without moments.

    name: "lamb" (as published: eps 1e-6, no bias correction), "adamw", or "muon" (Jordan et al. 2024: orthogonalised
    momentum for matrices; AdamW for tables, biases and norms). dtype: what Muon orthogonalises in; published: bfloat16,
    which is 15 times slower than float32 on CPUs without such instructions and twice as fast on the others.
    """
    found = groups(parameters, rate)
    if not found:
        raise TrainingError("no parameter is trained in this stage: every rate is 0.")
    for group in found:
        group["weight_decay"] = weight_decay if group["decayed"] else 0.0
    if name == "adamw":
        return torch.optim.AdamW(found, lr=0.0, betas=(0.9, 0.999), eps=1e-6)
    if name == "lamb":
        from pytorch_optimizer import Lamb  # noqa: PLC0415 - slow to import, and not needed for AdamW

        for group in found:
            group["adam"] = not group["decayed"]  # trust ratio 1
            group["adam_debias"] = True  # no bias correction
        # weight_decouple=False adds the decay to the update, inside the trust ratio, as LAMB's paper has it.
        optimiser: Any = Lamb(found, lr=0.0, betas=(0.9, 0.999), eps=1e-6, weight_decouple=False)
        optimiser.clamp = math.inf  # the library limits the norm of a weight to 10; the published code does not
        return optimiser  # type: ignore[no-any-return]
    if name == "muon":
        return _muon(found, dtype)
    raise TrainingError(f"optimiser is {name!r}; expected lamb, adamw or muon.")


def _muon(found: list[dict[str, Any]], dtype: torch.dtype) -> torch.optim.Optimizer:
    from pytorch_optimizer import Muon  # noqa: PLC0415 - slow to import, and not needed for AdamW
    from pytorch_optimizer.optimizer.utils.matrix import zero_power_via_newton_schulz_5  # noqa: PLC0415

    class MuonOf(Muon):
        """Orthogonalises in `dtype`; the library's is always bfloat16."""

        @staticmethod
        def _orthogonalize(group: dict[str, Any], updates: list[torch.Tensor]) -> list[torch.Tensor]:
            tall = [update.shape[0] > update.shape[1] for update in updates]
            wide = torch.stack([u.mT if t else u for u, t in zip(updates, tall, strict=True)])
            done = zero_power_via_newton_schulz_5(
                wide, num_steps=group["ns_steps"], weights=group["ns_coeffs"], dtype=dtype
            ).to(wide.dtype)
            return [u.mT if t else u for u, t in zip(done, tall, strict=True)]

    for group in found:
        group["use_muon"] = group["matrix"]
        if group["matrix"]:
            group["rate"] *= MUON_RATE
        else:
            group |= {"betas": (0.9, 0.999), "eps": 1e-6}
    return MuonOf(found)


def set_rate(optimiser: torch.optim.Optimizer, learning_rate: float) -> None:
    for group in optimiser.param_groups:
        group["lr"] = learning_rate * group["rate"]
