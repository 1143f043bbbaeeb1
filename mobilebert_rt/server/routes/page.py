"""The page at /, and the times that it shows."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

import mobilebert_rt
from mobilebert_rt.model import CancelToken
from mobilebert_rt.profile import Profile
from mobilebert_rt.server import schemas
from mobilebert_rt.server.batcher import Operation
from mobilebert_rt.server.routes.route import Context, Plain, Route

PAGE = Path(__file__).resolve().parents[1] / "page.html"
REPEATS = 5
# How often a profile runs its text: the repeats with and without profiling, and as many to warm up.
RUNS = 3 * REPEATS


@dataclass(frozen=True)
class Profiles:
    """Profiles of texts, one after another."""

    embedder: mobilebert_rt.TextEmbedder

    def __call__(self, texts: list[str], *, cancel: CancelToken) -> list[Profile]:
        model = self.embedder.model
        has_types = model.config.type_vocab_size > 0
        return [
            model.profile([ids], token_type_ids=[types] if has_types else None, repeats=REPEATS, warmup=2)
            for ids, types in self.embedder.sequences(texts)
            if not cancel.cancelled
        ]


async def profile(context: Context, request: schemas.ProfileRequest) -> schemas.Profile:
    model = context.models.find("embed", request.model)
    counts = await model.count("embed", [request.inputs], truncate=True)
    operation = Operation(Profiles(model.tasks["embed"]))
    [found] = await model.batcher.submit(operation, [request.inputs], [RUNS * tokens for tokens in counts])
    layers = [schemas.LayerTime(line.name, line.milliseconds) for line in found.layers]
    return schemas.Profile(found.tokens, found.total_ms, found.threads, layers)


@functools.lru_cache
def _page() -> bytes:
    return PAGE.read_bytes()


async def page(_context: Context, _name: str | None) -> Plain:
    return Plain(_page(), "text/html; charset=utf-8")


ROUTES = (
    Route(
        "POST",
        "/v1/profile",
        "The time of a text by layer",
        profile,
        schemas.Profile,
        schemas.ProfileRequest,
        {"inputs": "A cat sleeps."},
    ),
    Route("GET", "/", "A page to try the models", page, str, media_type="text/html", is_public=True, has_models=False),
)
