"""What a server is and does."""

from __future__ import annotations

from typing import Any

from prometheus_client.exposition import CONTENT_TYPE_LATEST

import mobilebert_rt
from mobilebert_rt.server import schemas
from mobilebert_rt.server.errors import ServerError
from mobilebert_rt.server.models import ServedModel
from mobilebert_rt.server.routes.route import Context, Plain, Route


async def info(context: Context, name: str | None) -> schemas.Info:
    model = context.models.named(name)
    settings = context.settings
    task = next(iter(model.tasks.values()))
    return schemas.Info(
        model_id=model.name,
        model_sha=None,
        model_dtype=model.model.config.precision,
        model_type=_type(model),
        max_concurrent_requests=settings.max_concurrent_requests,
        max_input_length=task.limits.max_length,
        max_batch_tokens=settings.max_batch_tokens,
        max_batch_requests=None,
        max_client_batch_size=settings.max_texts,
        auto_truncate=settings.auto_truncate,
        tokenization_workers=1,
        version=mobilebert_rt.__version__,
        sha=None,
        docker_label=None,
        models=context.models.names,
    )


def _type(model: ServedModel) -> dict[str, Any]:
    kind = model.main_kind
    if kind == "embed":
        return {"embedding": {"pooling": model.tasks["embed"].pooling}}
    if kind in ("answer", "fill"):
        return {kind: {}}
    labels = model.tasks["tag" if kind == "tag" else "predict"].labels
    names = {
        "id2label": {str(i): label for i, label in enumerate(labels)},
        "label2id": {n: i for i, n in enumerate(labels)},
    }
    return {{"rerank": "reranker", "tag": "tag"}.get(kind, "classifier"): names}


async def models(context: Context, _name: str | None) -> schemas.ModelList:
    cards = [schemas.ModelCard(name, "model", 0, "mobilebert_rt") for name in context.models.names]
    return schemas.ModelList("list", cards)


async def health(context: Context, _name: str | None) -> Plain:
    stopped = [model.name for model in context.models if not model.batcher.is_alive]
    if stopped:
        raise ServerError("unhealthy", f"model {stopped[0]}: its worker has ended; restart the server.")
    return Plain(b"", "text/plain")


async def metrics(context: Context, _name: str | None) -> Plain:
    for model in context.models:
        context.metrics.waiting.labels(model.name).set(model.batcher.waiting)
    return Plain(context.metrics.text(), CONTENT_TYPE_LATEST)


ROUTES = (
    Route("GET", "/v1/models", "The models by name", models, schemas.ModelList, has_models=False),
    Route("GET", "/info", "A model and the limits of the server", info, schemas.Info),
    Route("GET", "/health", "200 when every model answers", health, None, is_public=True, has_models=False),
    Route("GET", "/metrics", "Metrics for Prometheus", metrics, str, media_type="text/plain", has_models=False),
)
