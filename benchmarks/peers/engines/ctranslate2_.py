"""CTranslate2 on the CPU, its Encoder, with the compute type of the file; `threads` within a call."""

from __future__ import annotations

from typing import Any

import ctranslate2
import numpy as np

from benchmarks.peers.engines.interface import Call, Ids, padded


class Engine:
    def __init__(self, file: str, threads: int, options: dict[str, Any]) -> None:
        self._encoder = ctranslate2.Encoder(file, device="cpu", inter_threads=1, intra_threads=threads)

    def bind(self, texts: Ids, length: int | None, masked: bool) -> Call:
        encoder = self._encoder
        ids, mask = padded(texts, length, np.int32)
        inputs = ctranslate2.StorageView.from_array(ids)
        lengths = ctranslate2.StorageView.from_array(mask.sum(axis=1, dtype=np.int32))
        return lambda: np.array(encoder.forward_batch(inputs, lengths).last_hidden_state)
