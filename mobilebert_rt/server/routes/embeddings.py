"""Texts to vectors: the routes of text-embeddings-inference, and OpenAI's."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mobilebert_rt import TextEmbedder
from mobilebert_rt.model import CancelToken
from mobilebert_rt.server import schemas
from mobilebert_rt.server.batcher import Operation
from mobilebert_rt.server.errors import ServerError
from mobilebert_rt.server.models import ServedModel
from mobilebert_rt.server.routes.route import Context, Route
from mobilebert_rt.text import vectors as arithmetic

Floats = npt.NDArray[np.float32]


def listed(inputs: str | list[str]) -> list[str]:
    return [inputs] if isinstance(inputs, str) else inputs


def dimension(model: ServedModel, asked: int | None) -> int | None:
    """The value of truncate_dim. Raises ServerError for more dimensions than the model has."""
    most = model.tasks["embed"].dimension
    if asked is not None and asked > most:
        raise ServerError("validation", f"dimensions: found {asked}; expected at most {most}.")
    return asked


def prompt(model: ServedModel, asked: str | None) -> str | None:
    names = list(model.tasks["embed"].prompts)
    if asked is not None and asked not in names:
        known = ", ".join(names) or "none, which the model has"
        raise ServerError("validation", f"prompt_name: found {asked[:80]!r}; expected one of: {known}.")
    return asked


async def embed(context: Context, request: schemas.EmbedRequest) -> list[Floats]:
    model = context.models.find("embed", request.model)
    vectors, _ = await model.run(
        "embed",
        listed(request.inputs),
        truncate=request.truncate,
        normalize=request.normalize,
        prompt_name=prompt(model, request.prompt_name),
        truncate_dim=dimension(model, request.dimensions),
    )
    return vectors


async def embed_all(context: Context, request: schemas.EmbedAllRequest) -> list[Floats]:
    model = context.models.find("embed", request.model)
    inputs = listed(request.inputs)
    model.check_count(inputs)
    counts = await model.count("embed", inputs, request.truncate)
    limit = context.settings.max_batch_tokens
    if sum(counts) > limit:
        raise ServerError(
            "too_large", f"inputs: found {sum(counts)} tokens; expected at most {limit}, since each gets a vector."
        )
    operation = Operation(TokenVectors(model.tasks["embed"]), (("prompt_name", prompt(model, request.prompt_name)),))
    return await model.batcher.submit(operation, inputs, counts)


@dataclass(frozen=True)
class TokenVectors:
    """The last hidden state [S, H] of each text, special tokens included."""

    embedder: TextEmbedder

    def __call__(self, texts: list[str], *, prompt_name: str | None, cancel: CancelToken) -> list[Floats]:
        if cancel.cancelled:
            return []
        found: list[Floats] = self.embedder.token_vectors(texts, prompt_name=prompt_name)
        return found


async def similarity(context: Context, request: schemas.SimilarityRequest) -> Floats:
    model = context.models.find("embed", request.model)
    parameters = request.parameters or schemas.SimilarityParameters()
    texts = [request.inputs.source_sentence, *request.inputs.sentences]
    model.check_count(texts[1:])
    vectors, _ = await model.run(
        "embed",
        texts,
        truncate=parameters.truncate,
        normalize=True,
        prompt_name=prompt(model, parameters.prompt_name),
    )
    found = np.stack(vectors)
    cosines: Floats = arithmetic.similarity(found[:1], found[1:], "cosine")[0]
    return cosines


async def openai(context: Context, request: schemas.OpenAIRequest) -> dict[str, Any]:
    model = context.models.find("embed", request.model)
    vectors, tokens = await model.run(
        "embed", listed(request.input), normalize=True, truncate_dim=dimension(model, request.dimensions)
    )
    shown = [_base64(v) for v in vectors] if request.encoding_format == "base64" else vectors
    return {
        "object": "list",
        "data": [{"object": "embedding", "index": i, "embedding": v} for i, v in enumerate(shown)],
        "model": model.name,
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


def _base64(vector: Floats) -> str:
    return base64.b64encode(vector.astype("<f4").tobytes()).decode("ascii")


ROUTES = (
    Route(
        "POST",
        "/v1/embeddings",
        "Vectors of texts, as OpenAI's API",
        openai,
        schemas.OpenAIResponse,
        schemas.OpenAIRequest,
        {"model": "default", "input": ["A cat sleeps."]},
    ),
    Route(
        "POST",
        "/embed",
        "Vectors of texts",
        embed,
        list[schemas.Vector],
        schemas.EmbedRequest,
        {"inputs": ["A cat sleeps.", "A kitten naps."]},
    ),
    Route(
        "POST",
        "/embed_all",
        "A vector for each token of each text",
        embed_all,
        list[list[schemas.Vector]],
        schemas.EmbedAllRequest,
        {"inputs": "A cat sleeps."},
    ),
    Route(
        "POST",
        "/similarity",
        "Cosine of a sentence with each of others",
        similarity,
        list[float],
        schemas.SimilarityRequest,
        {"inputs": {"source_sentence": "A cat sleeps.", "sentences": ["A kitten naps.", "The train is late."]}},
    ),
)
