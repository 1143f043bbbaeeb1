"""all-MiniLM-L6-v2 on the development set of STS-B, compared with transformers.

The data is $MBRT_DATA/STS-B/dev.csv, by default in a folder shared/data beside the repository: 1,500 lines of sentence,
sentence, score, without header. The tests are skipped without it, the published weights or transformers. Nothing is
trained on the data.
"""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mobilebert_rt import TextEmbedder
from scripts import published
from scripts.common import UnavailableError

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
stats = pytest.importorskip("scipy.stats")

ROOT = Path(__file__).resolve().parents[2]
LINES = 1500
BATCH_SIZE = 64

Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class Pairs:
    """STS-B dev: distinct sentences, the pairs as indices [N, 2], human scores [N]."""

    sentences: list[str]
    lines: NDArray[np.int64]
    scores: Doubles

    def spearman(self, vectors: Doubles) -> float:
        """Correlation of cosines and human scores, times 100."""
        first, second = (vectors[self.lines[:, i]] for i in (0, 1))
        return 100 * float(stats.spearmanr(np.sum(first * second, axis=1), self.scores).statistic)

    def per_occurrence(self, values: Doubles) -> Doubles:
        """Values of distinct sentences, repeated for every occurrence."""
        return values[self.lines.ravel()]


@pytest.fixture(scope="module")
def pairs() -> Pairs:
    folder = Path(os.environ.get("MBRT_DATA") or ROOT.parent / "shared" / "data")
    path = folder / "STS-B" / "dev.csv"
    if not path.is_file():
        pytest.skip(f"{path} not found; set MBRT_DATA to the folder with STS-B/dev.csv")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert len(rows) == LINES, f"{path} has {len(rows)} lines; expected {LINES}"
    index = {text: i for i, text in enumerate(dict.fromkeys(text for row in rows for text in row[:2]))}
    lines = np.array([[index[row[0]], index[row[1]]] for row in rows])
    return Pairs(list(index), lines, np.array([float(row[2]) for row in rows]))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        return published.minilm_folder(tmp_path_factory.mktemp("minilm"))
    except UnavailableError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def reference(folder: Path, pairs: Pairs) -> Doubles:
    """Unit vectors of transformers in fp32: masked mean over tokens, in batches sorted by length."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model = transformers.BertModel.from_pretrained(folder, local_files_only=True, attn_implementation="eager").eval()
    order = sorted(range(len(pairs.sentences)), key=lambda i: len(pairs.sentences[i]))
    vectors = np.zeros((len(order), model.config.hidden_size))
    for start in range(0, len(order), BATCH_SIZE):
        members = order[start : start + BATCH_SIZE]
        batch = tokenizer(
            [pairs.sentences[i] for i in members],
            padding=True,
            truncation=True,
            max_length=256,
            return_tensors="pt",
        )
        with torch.no_grad():
            states = model(**batch).last_hidden_state.double().numpy()
        kept = batch["attention_mask"].numpy()[:, :, None]
        vectors[members] = (states * kept).sum(axis=1) / kept.sum(axis=1)
    return unit(vectors)


def unit(vectors: NDArray[np.floating]) -> Doubles:
    rows = vectors.astype(np.float64)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def embedded(folder: Path, precision: str, pairs: Pairs) -> Doubles:
    embedder = TextEmbedder.from_pretrained(folder, precision=precision)
    return unit(embedder(pairs.sentences, progress=False))


def test_fp32_vectors_equal_those_of_transformers(folder: Path, pairs: Pairs, reference: Doubles) -> None:
    cosines = np.sum(embedded(folder, "fp32", pairs) * reference, axis=1)
    print(f"\nfp32 to transformers: min cosine 1 - {1 - cosines.min():.1e}")
    assert cosines.min() >= 0.999999


def test_int8_vectors_are_close_and_rank_sentences_equally_well(folder: Path, pairs: Pairs, reference: Doubles) -> None:
    vectors = embedded(folder, "int8", pairs)
    cosines = pairs.per_occurrence(np.sum(vectors * reference, axis=1))
    fp32, int8 = pairs.spearman(reference), pairs.spearman(vectors)
    print(
        f"\nint8 to transformers' fp32: mean cosine {cosines.mean():.5f}, min {cosines.min():.5f}; "
        f"Spearman {int8:.2f}, fp32 {fp32:.2f}"
    )
    assert cosines.mean() >= 0.997
    assert cosines.min() >= 0.985
    assert int8 >= fp32 - 0.3
