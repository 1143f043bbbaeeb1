"""llama.cpp through llama-cpp-python's C functions, since its classes take text only; one text at a time."""

from __future__ import annotations

import platform
from typing import Any

import llama_cpp
import numpy as np
from numpy.typing import NDArray

from benchmarks.peers.engines.interface import Call, Ids

LONGEST = 512


@llama_cpp.llama_log_callback
def _silent(level: int, text: bytes, user_data: Any) -> None:
    pass


class Engine:
    def __init__(self, file: str, threads: int, options: dict[str, Any]) -> None:
        llama_cpp.llama_log_set(_silent, None)
        llama_cpp.llama_backend_init()
        model = llama_cpp.llama_model_default_params()
        # Other layouts of weights: for Q8_0 only ARM's and AMX's. AMX's kernels in 0.3.36 end in an illegal
        # instruction in a virtual machine on a Sapphire Rapids.
        model.use_extra_bufts = platform.machine() != "x86_64"
        self._model = llama_cpp.llama_model_load_from_file(file.encode(), model)
        settings = llama_cpp.llama_context_default_params()
        settings.n_ctx = settings.n_batch = settings.n_ubatch = LONGEST
        settings.n_threads = settings.n_threads_batch = threads
        settings.embeddings, settings.pooling_type = True, llama_cpp.LLAMA_POOLING_TYPE_NONE
        self._context = llama_cpp.llama_init_from_model(self._model, settings) if self._model else None
        if not self._context:
            raise ValueError(f"llama.cpp cannot load {file}")
        self._width = llama_cpp.llama_model_n_embd(self._model)

    def bind(self, texts: Ids, length: int | None, masked: bool) -> Call:
        batches = [_batch(text) for text in texts]
        return lambda: [self._encode(batch) for batch in batches]

    def _encode(self, batch: Any) -> NDArray[np.float32]:
        if llama_cpp.llama_encode(self._context, batch) != 0:
            raise ValueError("llama_encode failed")
        states = llama_cpp.llama_get_embeddings(self._context)
        return np.ctypeslib.as_array(states, (batch.n_tokens, self._width)).copy()


def _batch(text: Any) -> Any:
    """One sequence, of which every token is an output."""
    batch = llama_cpp.llama_batch_init(len(text), 0, 1)
    batch.n_tokens = len(text)
    for i, token in enumerate(text):
        batch.token[i], batch.pos[i] = token, i
        batch.n_seq_id[i], batch.seq_id[i][0], batch.logits[i] = 1, 0, 1
    return batch
