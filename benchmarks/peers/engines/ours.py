"""This engine, through its Python API: texts of one length as an array, others as a list; nothing is padded."""

from __future__ import annotations

from typing import Any

import numpy as np

import mobilebert_rt
from benchmarks.peers.engines.interface import Call, Ids


class Engine:
    def __init__(self, file: str, threads: int, options: dict[str, Any]) -> None:
        self._model = mobilebert_rt.Model.from_pretrained(file, num_threads=threads, **options)

    def bind(self, texts: Ids, length: int | None, masked: bool) -> Call:
        model = self._model
        same = len({len(text) for text in texts}) == 1
        ids: Any = np.array(texts, np.int64) if same else [np.array(text, np.int64) for text in texts]
        return lambda: model(ids).last_hidden_state
