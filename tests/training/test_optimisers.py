"""LAMB and AdamW against their formulas; groups; moments that survive on disk."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch")
optimisers = pytest.importorskip("mbrt_train.optimisers")
checkpoints = pytest.importorskip("mbrt_train.checkpoints")
TrainingError = pytest.importorskip("mbrt_train.errors").TrainingError


def parameters() -> list[tuple[str, Any]]:
    g = torch.Generator().manual_seed(0)
    shapes = {"layer.0.dense.weight": (30, 40), "layer.0.dense.bias": (30,), "layer.0.LayerNorm.weight": (30,)}
    # The library is known for bounding norms at 10; a large weight shows that it does not here.
    return [
        (name, torch.nn.Parameter(torch.randn(shape, generator=g) * (3 if len(shape) == 2 else 1)))
        for name, shape in shapes.items()
    ]


def gradients(step: int) -> list[Any]:
    g = torch.Generator().manual_seed(step + 1)
    return [torch.randn(p.shape, generator=g) * 0.1 for _, p in parameters()]


def train(optimiser: Any, named: list[tuple[str, Any]], first: int, last: int, rate: float = 0.01) -> None:
    for step in range(first, last):
        for (_, p), g in zip(named, gradients(step), strict=True):
            p.grad = g.clone()
        optimisers.set_rate(optimiser, rate)
        optimiser.step()


def test_lamb_is_the_published_one() -> None:
    """m, v without bias correction; r = m / (sqrt v + eps) + decay w; w -= rate |w| / |r| r, 1 for norms and biases."""
    named = parameters()
    train(optimisers.make_optimiser("lamb", named, lambda _: 1.0, 0.01), named, 0, 3)
    for i, (name, w0) in enumerate(parameters()):
        w = w0.detach().double()
        m = v = torch.zeros_like(w)
        for step in range(3):
            g = gradients(step)[i].double()
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
            plain = "LayerNorm" in name or "bias" in name
            r = m / (v.sqrt() + 1e-6) + (0 if plain else 0.01) * w
            w = w - 0.01 * (1 if plain else w.norm() / r.norm()) * r
        assert (named[i][1].double() - w).abs().max() < 1e-5, name


def test_rates_are_relative_and_zero_decay_stays_with_norms() -> None:
    named = parameters()
    found = optimisers.make_optimiser("adamw", named, lambda name: 0.1 if "bias" in name else 1.0, 0.5)
    optimisers.set_rate(found, 2.0)
    by_name = {name: (g["lr"], g["weight_decay"]) for g in found.param_groups for name in g["names"]}
    assert by_name == {
        "layer.0.dense.weight": (2.0, 0.5),
        "layer.0.dense.bias": (0.2, 0.0),
        "layer.0.LayerNorm.weight": (2.0, 0.0),
    }


@pytest.mark.parametrize("name", ["lamb", "adamw"])
def test_moments_come_back_from_tensors_and_numbers(name: str) -> None:
    whole, broken = parameters(), parameters()
    train(optimisers.make_optimiser(name, whole, lambda _: 1.0, 0.01), whole, 0, 6)
    first = optimisers.make_optimiser(name, broken, lambda _: 1.0, 0.01)
    train(first, broken, 0, 3)
    second = optimisers.make_optimiser(name, broken, lambda _: 1.0, 0.01)
    checkpoints.load_optimiser_state(second, *checkpoints.optimiser_state(first))
    train(second, broken, 3, 6)
    for (_, a), (_, b) in zip(whole, broken, strict=True):
        assert torch.equal(a, b)


def test_a_stage_with_nothing_to_train_is_refused() -> None:
    named = parameters()
    for _, p in named:
        p.requires_grad_(False)
    with pytest.raises(TrainingError, match="no parameter"):
        optimisers.make_optimiser("lamb", named, lambda _: 1.0, 0.0)


def test_unknown_optimisers_are_refused() -> None:
    with pytest.raises(TrainingError, match="lamb or adamw"):
        optimisers.make_optimiser("sgd", parameters(), lambda _: 1.0, 0.0)
