"""Quantisation-aware training computes the engine's integers, with the gradients of the float layers."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.numerics import forward as numerics
from tests.numerics import operations
from tests.training.small import BERT, IB_BERT, STUDENT, configs, models, spread, torch

mbrt = pytest.importorskip("mobilebert_rt")
load_file = pytest.importorskip("safetensors.numpy").load_file
heads = pytest.importorskip("mbrt_train.heads")
layers = pytest.importorskip("mbrt_train.layers")
quantised = pytest.importorskip("mbrt_train.quantised.model")
arithmetic = pytest.importorskip("mbrt_train.quantised.arithmetic")
scales = pytest.importorskip("mbrt_train.quantised.scales")

SIZES: dict[str, Any] = {"vocab_size": 120, "hidden_size": 40, "num_attention_heads": 4, "num_hidden_layers": 3}
CONFIGS = {
    "mobilebert": STUDENT,
    "without_opt": replace(STUDENT, hidden_act="gelu", normalization_type="layer_norm"),
    "tiny": replace(STUDENT, use_bottleneck_attention=True, key_query_shared_bottleneck=False),
    "ib_bert": IB_BERT,
    "bert": BERT,
    "no_bottleneck": replace(STUDENT, use_bottleneck=False, key_query_shared_bottleneck=False, hidden_act="silu"),
    "pooler": replace(STUDENT, classifier_activation=True),
}
LENGTHS = (13, 1, 9, 17)


def make(name: str, kind: str, seed: int = 4, uneven: bool = True) -> Any:
    config = CONFIGS[name]
    build = {"Encoder": models.Encoder, "QuestionAnswering": heads.QuestionAnswering}
    model = heads.SequenceClassifier(config, 3) if kind == "SequenceClassifier" else build[kind](config)
    spread(model, seed)
    if not uneven:
        return model.eval()
    with torch.no_grad():  # some channels a thousand times larger than others, as real NoNorm models have
        for part in model.modules():
            if isinstance(part, layers.NoNorm):
                part.weight[::7] *= 300
    return model.eval()


def texts(seed: int = 0) -> list[list[int]]:
    rng = np.random.default_rng(seed)
    return [rng.integers(5, 120, n).tolist() for n in LENGTHS]


def padded(rows: list[list[int]]) -> tuple[Any, Any, Any]:
    ids = torch.zeros(len(rows), max(map(len, rows)), dtype=torch.long)
    mask = torch.zeros_like(ids)
    for i, row in enumerate(rows):
        ids[i, : len(row)], mask[i, : len(row)] = torch.tensor(row), 1
    return ids, mask, (torch.arange(ids.shape[1]) > 4).long() * mask


def run(model: Any, rows: list[list[int]]) -> tuple[Any, Any]:
    with torch.no_grad():
        made = quantised.Quantised(model).eval()(*padded(rows))
    return made if isinstance(made, tuple) else (None, made)


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("kind", ["Encoder", "SequenceClassifier", "QuestionAnswering"])
def test_training_outputs_equal_the_engines(tmp_path: Path, name: str, kind: str) -> None:
    model, rows = make(name, kind), texts()
    heads.save_model(model, tmp_path)
    engine = mbrt.Model.from_pretrained(tmp_path, "int8")
    types = [[int(j > 4) for j in range(len(row))] for row in rows]
    found = engine(rows, token_type_ids=types, output_hidden_states=True)
    logits, out = run(model, rows)
    for i, row in enumerate(rows):
        for layer, state in enumerate(out.hidden_states):
            ours, theirs = state[i, : len(row)].numpy(), found.hidden_states[layer][i]
            assert np.abs(ours - theirs).max() <= 1e-5 * np.abs(theirs).max(), (layer, i)
        if kind == "SequenceClassifier":
            assert np.abs(logits[i].numpy() - found.logits[i]).max() <= 1e-5 * np.abs(found.logits[i]).max()
        if kind == "QuestionAnswering":
            assert np.abs(logits[i, : len(row), 0].numpy() - found.start_logits[i]).max() <= 1e-5


@pytest.mark.parametrize("name", CONFIGS)
def test_every_quantised_row_equals_the_engines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Every quantised row, in order, against the numpy implementation of docs/numerics.md."""
    model, row = make(name, "Encoder"), texts()[0]
    heads.save_model(model, tmp_path)
    mbrt.convert(tmp_path, tmp_path / "int8.safetensors", "int8")
    wanted: list[Any] = []
    plain = operations.quantise

    def recorded(x: Any, *rest: Any) -> Any:
        wanted.append((plain(x, *rest).q, x.shape))
        return plain(x, *rest)

    monkeypatch.setattr(operations, "quantise", recorded)
    engine_in_numpy(tmp_path / "int8.safetensors", row)
    seen: list[Any] = []
    quantise = quantised.quantise

    def recording(x: Any) -> Any:
        seen.append(quantise(x).q[0])
        return quantise(x)

    monkeypatch.setattr(quantised, "quantise", recording)
    run(model, [row])
    theirs = {q[:, : s.shape[1]].tobytes() for s in seen for q, _ in wanted if q.shape[0] == s.shape[0]}
    for i, s in enumerate(seen):
        if s.ndim == 2:
            assert s.numpy().astype(np.int8).tobytes() in theirs, i


def engine_in_numpy(file: Path, row: list[int]) -> None:
    model = mbrt.Model.from_pretrained(file)
    config = json.loads(model.metadata["config"])
    types = np.array([int(j > 4) for j in range(len(row))], np.int32)
    numerics.Forward(config, load_file(file))(np.array(row, np.int32), types)


def test_weights_equal_the_files_integers(tmp_path: Path) -> None:
    model = make("mobilebert", "Encoder")
    heads.save_model(model, tmp_path)
    mbrt.convert(tmp_path, tmp_path / "int8.safetensors", "int8")
    file = load_file(tmp_path / "int8.safetensors")
    found = scales.find_scales(model).linears["encoder.layer.1.ffn.0.intermediate"]
    weight = model.encoder.layer[1].ffn[0].intermediate.dense.weight * found.weight
    q, scale = arithmetic.quantise_rows(weight)
    n, k = q.shape
    assert (numerics.unpack(file["encoder.layer.1.ffn.0.intermediate.weight"])[:n, :k] == q.detach().numpy()).all()
    assert (file["encoder.layer.1.ffn.0.intermediate.scale"][:n] == scale.detach().numpy()).all()


def test_same_results_alone_and_in_any_batch() -> None:
    model, rows = make("mobilebert", "Encoder"), texts()
    _, together = run(model, rows)
    _, alone = run(model, rows[:1])
    n = len(rows[0])
    assert torch.equal(together.last_hidden_state[0, :n], alone.last_hidden_state[0, :n])


@pytest.mark.parametrize("name", ["mobilebert", "bert"])
def test_gradients_of_parameters_match_the_float_model(name: str) -> None:
    """Rounding changes them slightly; their direction is that of the float model."""
    config = CONFIGS[name]
    model = spread(heads.SequenceClassifier(config, 3), 4).eval()
    ids, mask, types = padded(texts())
    target = torch.tensor([0, 1, 2, 0])

    def gradients(runner: Any) -> dict[str, Any]:
        model.zero_grad(set_to_none=True)
        torch.nn.functional.cross_entropy(runner(ids, mask, types)[0], target).backward()
        return {name: p.grad.flatten() for name, p in model.named_parameters() if p.grad is not None}

    ours, plain = gradients(quantised.Quantised(model)), gradients(model)
    assert ours.keys() == plain.keys()
    together = [torch.cat([g[name] for name in sorted(plain)]) for g in (ours, plain)]
    assert torch.nn.functional.cosine_similarity(*together, dim=0) > 0.95


def test_quantised_training_lowers_the_loss() -> None:
    model = make("mobilebert", "SequenceClassifier", uneven=False)
    wrapped = quantised.Quantised(model, every=5).train()
    ids, mask, types = padded(texts())
    target = torch.tensor([0, 1, 2, 0])
    optimiser = torch.optim.AdamW(model.parameters(), lr=3e-3)
    losses = []
    for _ in range(25):
        optimiser.zero_grad()
        loss = torch.nn.functional.cross_entropy(wrapped(ids, mask, types)[0], target)
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]


@pytest.mark.parametrize("name", ["exp", "tanh", "gelu_erf", "gelu_tanh", "silu"])
def test_functions_have_the_specified_bits(name: str) -> None:
    x = np.random.default_rng(1).normal(0, 4, 4000).astype(np.float32)
    x = -np.abs(x) * 20 if name == "exp" else x
    ours = {"gelu_erf": "gelu"}.get(name, name)
    made = getattr(arithmetic, ours)(torch.from_numpy(x)).numpy()
    wanted = operations.exp(x) if name == "exp" else operations.ACTIVATIONS[name.removesuffix("_erf")](x)
    assert (made == wanted).all()


def test_sums_have_the_specified_order() -> None:
    x = np.random.default_rng(2).normal(0, 1e3, (50, 83)).astype(np.float32)
    weight, bias = np.full(83, 1.7, np.float32), np.full(83, 0.1, np.float32)
    made = arithmetic.layer_norm(*(torch.from_numpy(a) for a in (x, weight, bias)), 1e-5).numpy()
    assert (made == operations.layer_norm(x, weight, bias, 1e-5)).all()


def test_zero_rows_stay_zero() -> None:
    for x in (torch.zeros(2, 8), torch.full((2, 8), 1e-30), -torch.full((2, 8), 1e-30)):
        rows = arithmetic.quantise(x)
        assert not rows.q.any()
        assert not rows.values.any()


def test_deep_products_are_exact() -> None:
    a, b = torch.full((1, 4096), 127.0), torch.full((4096, 1), 127.0)
    b[0] = 126.0
    exact = 4096 * 127 * 127 - 127
    assert arithmetic.byte_product(a, b).item() == np.float32(exact)


def test_pretraining_models_are_refused() -> None:
    with pytest.raises(ValueError, match="pre-training"):
        quantised.Quantised(models.PreTraining(STUDENT))


def test_published_sizes_are_quantised() -> None:
    config = replace(configs.MOBILEBERT, num_hidden_layers=1, vocab_size=120)
    model = spread(models.Encoder(config)).eval()
    _, out = run(model, texts())
    assert torch.isfinite(out.last_hidden_state).all()
