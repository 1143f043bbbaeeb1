"""A prepared corpus on disk: Arrow shards of segments, memory-mapped, and a manifest.

    corpus.json                  sizes, options, the first document of each source, the fingerprint of the tokenizer
    tokenizer/                   the tokenizer's files
    train-00000.arrow ...        one row per segment
    heldout-00000.arrow ...      the same for documents that are not used for training

A segment is a sequence of whole sentences of one document, up to max_tokens - 3 tokens; or, with `whole`, the start of
one document, up to max_tokens - 2. It has `ids` without special tokens, `cuts`, the ends of its sentences, and
`document`, a number in the order of the sources.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from tokenizers import Tokenizer

from mbrt_train.data.tokenizer import fingerprint, load_tokenizer
from mbrt_train.errors import TrainingError

FORMAT, VERSION = "mbrt_corpus", 2
MANIFEST = "corpus.json"
SCHEMA = pa.schema([("ids", pa.list_(pa.int32())), ("cuts", pa.list_(pa.int32())), ("document", pa.int64())])


class Segment(NamedTuple):
    """ids [n] and cuts, the ends of its sentences (the last is n); views of the map."""

    ids: NDArray[np.int32]
    cuts: NDArray[np.int32]
    document: int


class Corpus:
    """One split, "train" or "heldout", of a prepared folder. Raises TrainingError for a damaged or empty one."""

    def __init__(self, folder: str | Path, split: str = "train") -> None:
        self.folder = Path(folder)
        self.manifest = read_manifest(self.folder)
        files = self.manifest["shards"][split]
        self._shards: list[pa.RecordBatch] = []
        for name in files:
            self._shards += _batches(self.folder / name)
        sizes = [batch.num_rows for batch in self._shards]
        self._ends = np.cumsum(sizes, dtype=np.int64).tolist()
        if not self._ends or self._ends[-1] == 0:
            raise TrainingError(
                f"{self.folder}: the {split} split is empty. Prepare more text or hold out a larger share."
            )
        lengths = [np.diff(batch.column(0).offsets.to_numpy()) for batch in self._shards]
        self.lengths: NDArray[np.int32] = np.concatenate(lengths).astype(np.int32)
        self.documents: NDArray[np.int64] = np.concatenate([batch.column(2).to_numpy() for batch in self._shards])
        if int(self.lengths.sum()) != self.manifest["tokens"][split]:
            raise TrainingError(
                f"{self.folder}: the shards and {MANIFEST} have different numbers of tokens. Prepare it again."
            )

    def __len__(self) -> int:
        return int(self._ends[-1])

    def __getitem__(self, row: int) -> Segment:
        shard = bisect_right(self._ends, row)
        batch = self._shards[shard]
        i = row - (self._ends[shard - 1] if shard else 0)
        ids, cuts = (batch.column(c)[i].values.to_numpy() for c in (0, 1))
        return Segment(ids, cuts, batch.column(2)[i].as_py())

    def sources(self) -> NDArray[np.int64]:
        """For each row the number of its source."""
        firsts = [source["first"] for source in self.manifest["sources"]]
        return np.searchsorted(firsts, self.documents, side="right") - 1

    def tokenizer(self) -> Tokenizer:
        """The tokenizer of the corpus. Raises TrainingError if it was replaced."""
        tokenizer = load_tokenizer(self.folder / "tokenizer")
        if fingerprint(tokenizer) != self.manifest["tokenizer"]:
            raise TrainingError(f"{self.folder}/tokenizer: not the tokenizer that the text was prepared with.")
        return tokenizer


def read_manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    if not path.is_file():
        raise TrainingError(f"{folder}: no {MANIFEST}. Create the corpus with `mbrt-train prepare`.")
    try:
        manifest: dict[str, Any] = json.loads(path.read_text())
    except ValueError as error:
        raise TrainingError(f"{path}: not valid JSON ({error}). Prepare it again.") from None
    if manifest.get("format") != FORMAT or manifest.get("version") != VERSION:
        raise TrainingError(f"{path}: not a corpus of version {VERSION}. Prepare it again.")
    return manifest


def _batches(file: Path) -> list[pa.RecordBatch]:
    try:
        reader = pa.ipc.open_file(pa.memory_map(str(file)))
        return [reader.get_batch(i) for i in range(reader.num_record_batches)]
    except (OSError, pa.ArrowInvalid) as error:
        raise TrainingError(f"{file}: cannot be read ({error}). Prepare the corpus again.") from None
