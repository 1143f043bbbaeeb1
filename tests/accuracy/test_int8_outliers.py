"""int8 with the outliers of trained MobileBERT models: channels a thousand times larger than the others, and a first
token whose state is a million in one channel.

Both are added to a random MobileBERT of the published sizes without changing its function (or hardly, for the first
token), so the original model gives the expected accuracy of int8. The reference is the engine's fp32.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.common import configs, random_weights
from mobilebert_rt import Model
from mobilebert_rt.conversion import equalise
from tests.conversion.rescaling import few_times, rescaled
from tests.small_models.folders import Array, write_folder

CONFIG = configs.mobilebert(vocab_size=1000)
LAYERS = range(CONFIG["num_hidden_layers"])
IDS = np.random.default_rng(5).integers(0, CONFIG["vocab_size"], (4, 24))
MAX_LOSS = 0.002  # of the tokens' min cosine

HUGE = 100  # the channel in which the first token's state is HUGE_STATE
HUGE_STATE = 1e6
HUGE_WEIGHT = 1e-6  # factor of the weights that read it


@pytest.fixture(scope="module")
def tensors() -> dict[str, Array]:
    return dict(random_weights.tensors(CONFIG))


@pytest.fixture(scope="module")
def original_cosine(tensors: dict[str, Array], tmp_path_factory: pytest.TempPathFactory) -> float:
    """Min cosine over tokens between int8 and fp32, of the original model."""
    return min_cosine(*states(tmp_path_factory.mktemp("plain"), tensors))


def states(folder: Path, tensors: dict[str, Array]) -> tuple[Array, Array]:
    """Last hidden states [tokens, H] in int8 and fp32."""
    write_folder(folder, CONFIG, tensors)
    int8, fp32 = (
        Model.from_pretrained(folder, precision=precision)(IDS).last_hidden_state for precision in ("int8", "fp32")
    )
    return int8.reshape(-1, CONFIG["hidden_size"]), fp32.reshape(-1, CONFIG["hidden_size"])


def cosines(a: Array, b: Array) -> Array:
    a, b = a.astype(np.float64), b.astype(np.float64)
    return np.sum(a * b, axis=-1) / (np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1))


def min_cosine(a: Array, b: Array) -> float:
    return float(cosines(a, b).min())


def with_huge_first_token(tensors: dict[str, Array]) -> dict[str, Array]:
    """Position 0 is HUGE_STATE in one channel, which all blocks keep; its readers have tiny weights."""
    found = {name: array.copy() for name, array in tensors.items()}
    found["embeddings.position_embeddings.weight"][0, HUGE] = HUGE_STATE
    producers = ["embeddings.LayerNorm"]
    for i in LAYERS:
        at = f"encoder.layer.{i}."
        producers.append(at + "output.bottleneck.LayerNorm")
        for reader in ("bottleneck.input.dense", "bottleneck.attention.dense", "attention.self.value"):
            found[f"{at}{reader}.weight"][:, HUGE] *= HUGE_WEIGHT
    for producer in producers:
        found[producer + ".weight"][HUGE] = 1.0
    return found


def without_huge(states: Array) -> Array:
    return np.delete(states, HUGE, axis=-1)


@pytest.fixture
def unequalised(monkeypatch: pytest.MonkeyPatch) -> None:
    """The converter without equalisation."""
    monkeypatch.setattr(equalise, "channel_scale", lambda readers, x: np.ones(len(x), np.float32))


def test_model_has_moderate_states_and_distinct_tokens(tensors: dict[str, Array], tmp_path: Path) -> None:
    int8, fp32 = states(tmp_path, tensors)
    rms = float(np.sqrt(np.mean(fp32.astype(np.float64) ** 2)))
    between = cosines(fp32[:, None], fp32[None])[~np.eye(len(fp32), dtype=bool)]
    print(
        f"\nrms of the states {rms:.2f}, mean cosine between tokens {between.mean():.2f}, int8 to fp32 min cosine "
        f"{min_cosine(int8, fp32):.5f}"
    )
    assert 0.2 < rms < 5
    assert between.mean() < 0.8
    assert min_cosine(int8, fp32) > 0.99


@pytest.mark.parametrize("factor", [1024.0, 1000.0])
def test_channels_a_thousand_times_larger_do_not_reduce_accuracy(
    tensors: dict[str, Array], original_cosine: float, tmp_path: Path, factor: float
) -> None:
    moved = rescaled(CONFIG, tensors, few_times(factor, share=0.09, seed=1))
    int8, fp32 = states(tmp_path, moved)
    cosine = min_cosine(int8, fp32)
    print(f"\n9 % of channels times {factor:g}: min cosine {cosine:.5f}, originally {original_cosine:.5f}")
    assert cosine >= original_cosine - MAX_LOSS


def test_first_token_of_a_million_does_not_reduce_accuracy(
    tensors: dict[str, Array], original_cosine: float, tmp_path: Path
) -> None:
    int8, fp32 = states(tmp_path, with_huge_first_token(tensors))
    first = fp32.reshape(*IDS.shape, -1)[:, 0, HUGE]
    assert (np.abs(first) > HUGE_STATE / 2).all()
    cosine = min_cosine(without_huge(int8), without_huge(fp32))
    print(f"\nfirst token of {HUGE_STATE:g}: min cosine {cosine:.5f}, originally {original_cosine:.5f}")
    assert cosine >= original_cosine - MAX_LOSS


def test_large_channels_and_first_token(tensors: dict[str, Array], original_cosine: float, tmp_path: Path) -> None:
    both = rescaled(CONFIG, with_huge_first_token(tensors), few_times(1024.0, share=0.09, seed=2))
    int8, fp32 = states(tmp_path, both)
    assert min_cosine(without_huge(int8), without_huge(fp32)) >= original_cosine - MAX_LOSS


@pytest.mark.usefixtures("unequalised")
def test_without_equalisation_accuracy_falls(tensors: dict[str, Array], tmp_path: Path) -> None:
    plain = min_cosine(*states(tmp_path / "plain", tensors))
    large = min_cosine(*states(tmp_path / "large", rescaled(CONFIG, tensors, few_times(1024.0, share=0.09, seed=1))))
    int8, fp32 = states(tmp_path / "huge", with_huge_first_token(tensors))
    huge = min_cosine(without_huge(int8), without_huge(fp32))
    print(f"\nwithout equalisation: original {plain:.5f}, large channels {large:.5f}, first token {huge:.5f}")
    assert plain > 0.99
    assert large < 0.9
    assert huge < 0.9
