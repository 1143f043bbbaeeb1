"""The model that comes with the package: that it is there, what it is, and that it is as good as its card says."""

from __future__ import annotations

import csv
import json
import os
import re
from pathlib import Path

import numpy as np
import pytest

import mobilebert_rt as mbrt
from mobilebert_rt.cli import main

ROOT = Path(__file__).resolve().parents[2]
LARGEST = 9_000_000  # bytes of the file

QUESTION = "How do plants make their food?"
ANSWER = "Photosynthesis turns sunlight, water and carbon dioxide into sugar."
OTHERS = [
    "The central bank raised interest rates.",
    "Two dogs are running across a field.",
    "The bridge was closed to lorries last week.",
]


@pytest.fixture(scope="module")
def embedder() -> mbrt.TextEmbedder:
    return mbrt.TextEmbedder()


def test_it_loads_by_its_name(embedder: mbrt.TextEmbedder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named = mbrt.TextEmbedder.from_pretrained("default")
    assert named.model.path == mbrt.Model.from_pretrained("default").path == mbrt.default_model_path()
    np.testing.assert_array_equal(named(QUESTION), embedder(QUESTION))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "default").write_bytes(b"GGUF")  # a file of that name goes first
    with pytest.raises(mbrt.ModelFormatError, match="default: found a GGUF model"):
        mbrt.Model.from_pretrained("default")


def test_training_starts_from_its_float_weights() -> None:
    pytest.importorskip("torch")
    from mbrt_train.sources import trainable  # noqa: PLC0415

    folder = trainable(Path("default"))
    assert (folder / "model.safetensors").is_file()
    assert mbrt.Model.from_pretrained(folder).config == mbrt.Model.from_pretrained("default").config


def test_it_is_a_mobilebert_in_int8_and_small() -> None:
    path = mbrt.default_model_path()
    assert path.stat().st_size <= LARGEST
    config = mbrt.Model.from_pretrained(path).config
    assert (config.precision, config.norm, config.activation, config.bottleneck) == (
        "int8",
        "no_norm",
        "relu",
        "shared",
    )
    assert config.trigram
    assert (config.num_layers, config.hidden_size, config.body_size, config.num_heads) == (6, 384, 96, 3)
    assert (config.num_ffn, config.embedding_size) == (4, 128)


def test_it_is_the_conversion_of_the_published_weights(tmp_path: Path) -> None:
    mbrt.convert(ROOT / "training/default_model/weights", tmp_path / "again.safetensors", precision="int8")
    assert (tmp_path / "again.safetensors").read_bytes() == mbrt.default_model_path().read_bytes()


def test_no_argument_is_needed_and_related_texts_are_near(embedder: mbrt.TextEmbedder) -> None:
    vectors = embedder([QUESTION, ANSWER, *OTHERS])
    assert vectors.shape == (5, 384)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    similarities = vectors[1:] @ vectors[0]
    assert similarities.argmax() == 0


def test_every_kernel_set_gives_the_same_bits(embedder: mbrt.TextEmbedder) -> None:
    texts = [QUESTION, ANSWER, *OTHERS]
    expected = embedder(texts)
    for isa in mbrt.available_isas():
        model = mbrt.Model.from_pretrained(mbrt.default_model_path(), isa=isa)
        np.testing.assert_array_equal(mbrt.TextEmbedder(model)(texts), expected, err_msg=isa)


def test_the_command_line_calls_it_default(capfd: pytest.CaptureFixture[str], embedder: mbrt.TextEmbedder) -> None:
    assert main(["embed", "default", QUESTION, "--json"]) == 0
    shown = json.loads(capfd.readouterr().out)
    np.testing.assert_array_equal(np.array(shown["embedding"], dtype=np.float32), embedder(QUESTION))


def test_it_is_what_to_measure_where_there_is_no_other(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "default", "--lengths", "8", "--repeats", "1", "--json"]) == 0
    assert main(["profile", "default", "--tokens", "8", "--repeats", "1", "--json"]) == 0
    assert '"lines"' in capfd.readouterr().out


def test_a_file_named_default_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "default").write_bytes(b"not a model")
    assert main(["embed", "default", QUESTION]) != 0


def test_an_installation_without_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mobilebert_rt.default_model.FILE", tmp_path / "model.int8.safetensors")
    with pytest.raises(mbrt.InputError, match="installed without its model"):
        mbrt.TextEmbedder()


def test_the_card_gives_the_score_that_the_file_has(embedder: mbrt.TextEmbedder) -> None:
    """Spearman on STS-B dev, int8, no training on STS-B; the set is read from $MBRT_DATA (see tests/accuracy)."""
    stats = pytest.importorskip("scipy.stats")
    path = Path(os.environ.get("MBRT_DATA") or ROOT.parent / "shared" / "data") / "STS-B" / "dev.csv"
    if not path.is_file():
        pytest.skip(f"{path} is not there; set MBRT_DATA to the folder that holds STS-B/dev.csv")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    first, second = (embedder([row[i] for row in rows]) for i in (0, 1))
    cosines = np.sum(first.astype(np.float64) * second, axis=1)
    found = 100 * float(stats.spearmanr(cosines, [float(row[2]) for row in rows]).statistic)
    print(f"\nSTS-B dev, Spearman: {found:.2f}")
    card = mbrt.default_model_path().with_name("README.md").read_text(encoding="utf-8")
    stated = re.search(r"^\| STS-B dev, Spearman[^|]*\| ([\d.]+) ", card, re.MULTILINE)
    assert stated, "the model card has no line for STS-B dev"
    assert found == pytest.approx(float(stated[1]), abs=0.006)
