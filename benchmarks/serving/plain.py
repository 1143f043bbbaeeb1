"""The server to compare with: FastAPI, tokenizers and ONNX Runtime, as one writes it without a serving framework.

    MODEL=model-int8.onnx TOKENIZER=tokenizer.json python -m uvicorn benchmarks.serving.plain:app

THREADS: of ONNX Runtime within an operation. POOL: threads that answer requests; 0 answers in the event loop.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio.to_thread
import numpy as np
import onnxruntime
import orjson
from fastapi import FastAPI, Response
from numpy.typing import NDArray
from pydantic import BaseModel
from tokenizers import Tokenizer

LONGEST = 256  # tokens, as all-MiniLM-L6-v2's sentence_bert_config.json has it


class Embedder:
    """Texts to unit vectors: mean of the last hidden state over each text's tokens."""

    def __init__(self, model: str, tokenizer: str, threads: int) -> None:
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = threads
        settings.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(model, settings, providers=["CPUExecutionProvider"])
        self._tokenizer = Tokenizer.from_file(tokenizer)
        self._tokenizer.enable_truncation(LONGEST)
        self._tokenizer.enable_padding()  # to the longest text of a request

    def __call__(self, texts: list[str]) -> NDArray[np.float32]:
        encodings = self._tokenizer.encode_batch(texts)
        ids = np.array([encoding.ids for encoding in encodings], np.int64)
        mask = np.array([encoding.attention_mask for encoding in encodings], np.int64)
        states = self._session.run(None, {"input_ids": ids, "attention_mask": mask})[0]
        weights = mask[:, :, None].astype(np.float32)
        means = (states * weights).sum(1) / weights.sum(1)
        return np.asarray(means / np.linalg.norm(means, axis=1, keepdims=True), np.float32)


class Request(BaseModel):
    inputs: str | list[str]


def answer(embedder: Embedder, request: Request) -> Response:
    texts = [request.inputs] if isinstance(request.inputs, str) else request.inputs
    content = orjson.dumps(embedder(texts), option=orjson.OPT_SERIALIZE_NUMPY)
    return Response(content, media_type="application/json")


def make(model: str, tokenizer: str, threads: int, pool: int) -> FastAPI:
    embedder = Embedder(model, tokenizer, threads)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        if pool:
            anyio.to_thread.current_default_thread_limiter().total_tokens = pool
        yield

    app = FastAPI(lifespan=lifespan)

    def in_thread(request: Request) -> Response:
        return answer(embedder, request)

    async def in_loop(request: Request) -> Response:
        return answer(embedder, request)

    app.post("/embed")(in_thread if pool else in_loop)
    return app


def __getattr__(name: str) -> Any:
    """`app`, made when uvicorn asks for it."""
    if name != "app":
        raise AttributeError(name)
    given = os.environ
    return make(given["MODEL"], given["TOKENIZER"], int(given["THREADS"]), int(given["POOL"]))
