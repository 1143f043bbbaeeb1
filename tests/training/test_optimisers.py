"""LAMB, AdamW and Muon against their formulas; parameter groups; saving of moments."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch")
optimisers = pytest.importorskip("mbrt_train.optimisers")
checkpoints = pytest.importorskip("mbrt_train.checkpoints")
TrainingError = pytest.importorskip("mbrt_train.errors").TrainingError


def parameters() -> list[tuple[str, Any]]:
    g = torch.Generator().manual_seed(0)
    shapes = {
        "m.encoder.layer.0.dense.weight": (30, 40),
        "m.encoder.layer.0.dense.bias": (30,),
        "m.encoder.layer.0.LayerNorm.weight": (30,),
    }
    # The library limits norms to 10 by default; a large weight shows that this is off.
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


def test_lamb_matches_the_published_formula() -> None:
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


def test_relative_rates_and_no_decay_of_norms() -> None:
    named = parameters()
    found = optimisers.make_optimiser("adamw", named, lambda name: 0.1 if "bias" in name else 1.0, 0.5)
    optimisers.set_rate(found, 2.0)
    by_name = {name: (g["lr"], g["weight_decay"]) for g in found.param_groups for name in g["names"]}
    assert by_name == {
        "m.encoder.layer.0.dense.weight": (2.0, 0.5),
        "m.encoder.layer.0.dense.bias": (0.2, 0.0),
        "m.encoder.layer.0.LayerNorm.weight": (2.0, 0.0),
    }


@pytest.mark.parametrize(("dtype", "error"), [(torch.float32, 0.05), (torch.bfloat16, 0.15)])
def test_muon_orthogonalises_momentum_of_matrices(dtype: torch.dtype, error: float) -> None:
    """m = 0.95 m + 0.05 g, looked ahead once; w falls by rate x 10 x its polar factor; the rest is AdamW's.

    Five steps of the library's quintic iteration leave singular values between 0.65 and 1.25 instead of 1.
    """
    g = torch.Generator().manual_seed(0)
    names = ["m.encoder.layer.0.dense.weight", "m.embeddings.word_embeddings.weight", "m.encoder.layer.0.dense.bias"]
    start = [torch.randn(shape, generator=g) for shape in ((24, 40), (24, 40), (24,))]
    named = [(name, torch.nn.Parameter(value.clone())) for name, value in zip(names, start, strict=True)]
    plain = [(name, torch.nn.Parameter(value.clone())) for name, value in zip(names, start, strict=True)]
    gradient = [torch.randn(value.shape, generator=g) for value in start]
    for each, kind in ((named, "muon"), (plain, "adamw")):
        optimiser = optimisers.make_optimiser(kind, each, lambda _: 1.0, 0.0, dtype)
        for (_, p), value in zip(each, gradient, strict=True):
            p.grad = value.clone()
        optimisers.set_rate(optimiser, 0.002)
        optimiser.step()
    fall = (start[0] - named[0][1].detach()) / 0.02
    u, s, v = torch.linalg.svd(fall, full_matrices=False)
    assert 0.65 < s.min() <= s.max() < 1.25
    wanted_u, _, wanted_v = torch.linalg.svd(gradient[0], full_matrices=False)
    assert (u @ v - wanted_u @ wanted_v).abs().max() < error
    for i in (1, 2):
        assert torch.allclose(named[i][1], plain[i][1], atol=1e-7), names[i]


@pytest.mark.parametrize("name", ["lamb", "adamw", "muon"])
def test_moments_are_restored_from_tensors_and_numbers(name: str) -> None:
    whole, broken = parameters(), parameters()
    train(optimisers.make_optimiser(name, whole, lambda _: 1.0, 0.01), whole, 0, 6)
    first = optimisers.make_optimiser(name, broken, lambda _: 1.0, 0.01)
    train(first, broken, 0, 3)
    second = optimisers.make_optimiser(name, broken, lambda _: 1.0, 0.01)
    checkpoints.load_optimiser_state(second, *checkpoints.optimiser_state(first))
    train(second, broken, 3, 6)
    for (_, a), (_, b) in zip(whole, broken, strict=True):
        assert torch.equal(a, b)


def test_stage_without_trained_parameters_is_refused() -> None:
    named = parameters()
    for _, p in named:
        p.requires_grad_(False)
    with pytest.raises(TrainingError, match="no parameter"):
        optimisers.make_optimiser("lamb", named, lambda _: 1.0, 0.0)


def test_unknown_optimisers_are_refused() -> None:
    with pytest.raises(TrainingError, match="lamb, adamw or muon"):
        optimisers.make_optimiser("sgd", parameters(), lambda _: 1.0, 0.0)
