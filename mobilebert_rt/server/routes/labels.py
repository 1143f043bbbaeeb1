"""Labels, scores, answers and words: two routes of text-embeddings-inference, and four below /v1.

The latter have the bodies of Hugging Face's inference API, which huggingface_hub.InferenceClient sends.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mobilebert_rt.server import schemas
from mobilebert_rt.server.errors import ServerError
from mobilebert_rt.server.routes.embeddings import listed
from mobilebert_rt.server.routes.route import Context, Route

# Characters of a response: of texts that proposals for masks repeat.
MOST_CHARACTERS = 16_000_000


async def predict(context: Context, request: schemas.PredictRequest) -> Any:
    model = context.models.find("predict", request.model)
    inputs, single = _sequences(request.inputs)
    found, _ = await model.run(
        "predict", inputs, truncate=request.truncate, function_to_apply="none" if request.raw_scores else None
    )
    shown = [[{"score": one.score, "label": one.label} for one in labels] for labels in found]
    return shown[0] if single else shown


def _sequences(inputs: str | list[str | list[str]]) -> tuple[list[Any], bool]:
    """Texts and pairs, and whether one was given alone: a text, or a list of one or two texts."""
    if isinstance(inputs, str):
        return [inputs], True
    if inputs and all(isinstance(item, str) for item in inputs):
        return [_sequence(inputs)], True
    return [_sequence(item) for item in inputs], False


def _sequence(item: Any) -> str | tuple[str, str]:
    if isinstance(item, str) or len(item) not in (1, 2):
        raise ServerError(
            "validation", "inputs: expected a text, a pair [text, text], or a list of [text] and [text, text]."
        )
    return item[0] if len(item) == 1 else (item[0], item[1])


async def rerank(context: Context, request: schemas.RerankRequest) -> list[dict[str, Any]]:
    model = context.models.find("rerank", request.model)
    scores, _ = await model.run(
        "rerank",
        [(request.query, text) for text in request.texts],
        truncate=request.truncate,
        function_to_apply="none" if request.raw_scores else "sigmoid",
    )
    best = sorted(range(len(scores)), key=lambda index: -scores[index])
    texts = request.texts if request.return_text else None
    return [{"index": i, "score": scores[i]} | ({"text": texts[i]} if texts else {}) for i in best]


async def zero_shot(context: Context, request: schemas.ZeroShotRequest) -> Any:
    model = context.models.find("zero-shot", request.model)
    given, texts = request.parameters, listed(request.inputs)
    labels = given.candidate_labels
    if len(texts) * len(labels) > context.settings.max_texts:
        raise ServerError(
            "too_large",
            f"inputs: found {len(texts)} texts and {len(labels)} labels; expected at most {context.settings.max_texts} "
            "pairs of both.",
        )
    found, _ = await model.run(
        "zero-shot",
        texts,
        truncate=True,
        weight=len(labels),
        candidate_labels=tuple(labels),
        hypothesis_template=given.hypothesis_template,
        multi_label=given.multi_label,
    )
    shown = [_scored(one.labels, one.scores) for one in found]
    return shown[0] if isinstance(request.inputs, str) else shown


def _scored(labels: Sequence[str], scores: Sequence[float]) -> list[dict[str, Any]]:
    return [{"label": label, "score": score} for label, score in zip(labels, scores, strict=True)]


async def answer(context: Context, request: schemas.AnswerRequest) -> Any:
    model = context.models.find("answer", request.model)
    given = request.parameters or schemas.AnswerParameters()
    single = isinstance(request.inputs, schemas.Question)
    questions = [request.inputs] if isinstance(request.inputs, schemas.Question) else request.inputs
    found, _ = await model.run(
        "answer",
        [(one.question, one.context) for one in questions],
        top_k=given.top_k,
        max_answer_length=given.max_answer_len,
        allow_no_answer=given.handle_impossible_answer,
    )
    shown: list[Any] = [
        [{"answer": one.text, "score": one.score, "start": one.start, "end": one.end} for one in answers]
        for answers in found
    ]
    if given.top_k in (None, 1):
        shown = [answers[0] if answers else None for answers in shown]
    return shown[0] if single else shown


async def tag(context: Context, request: schemas.TagRequest) -> Any:
    model = context.models.find("tag", request.model)
    given = request.parameters or schemas.TagParameters()
    found, _ = await model.run(
        "tag",
        listed(request.inputs),
        truncate=request.truncate,
        aggregation=given.aggregation_strategy,
        ignore_labels=None if given.ignore_labels is None else tuple(given.ignore_labels),
    )
    shown = [
        [{"entity_group": e.label, "score": e.score, "word": e.text, "start": e.start, "end": e.end} for e in entities]
        for entities in found
    ]
    return shown[0] if isinstance(request.inputs, str) else shown


async def fill(context: Context, request: schemas.FillRequest) -> Any:
    model = context.models.find("fill", request.model)
    texts = listed(request.inputs)
    top_k = (request.parameters or schemas.FillParameters()).top_k or 5
    mask = model.tasks["fill"].mask_token
    characters = sum(len(text) * text.count(mask) * top_k for text in texts)
    if characters > MOST_CHARACTERS:
        raise ServerError(
            "too_large",
            f"inputs: found proposals of {characters} characters in all; expected at most {MOST_CHARACTERS}. "
            "Send shorter texts, or a smaller top_k.",
        )
    found, _ = await model.run("fill", texts, truncate=request.truncate, top_k=top_k)
    shown = [_proposals(masks) for masks in found]
    return shown[0] if isinstance(request.inputs, str) else shown


def _proposals(masks: list[Any]) -> Any:
    """A list for each mask; for a text with one mask, the list itself."""
    shown = [
        [{"score": f.score, "token": f.token_id, "token_str": f.token, "sequence": f.sequence} for f in proposals]
        for proposals in masks
    ]
    return shown[0] if len(shown) == 1 else shown


ROUTES = (
    Route(
        "POST",
        "/predict",
        "Labels of a text or a pair, best first",
        predict,
        (list[schemas.Prediction], list[list[schemas.Prediction]]),
        schemas.PredictRequest,
        {"inputs": "A warm, funny film."},
    ),
    Route(
        "POST",
        "/rerank",
        "Texts in the order of their relevance to a query",
        rerank,
        list[schemas.Rank],
        schemas.RerankRequest,
        {"query": "How do plants make food?", "texts": ["From light.", "The train is late."], "return_text": True},
    ),
    Route(
        "POST",
        "/v1/zero-shot",
        "Labels of your own, with their scores",
        zero_shot,
        (list[schemas.Prediction], list[list[schemas.Prediction]]),
        schemas.ZeroShotRequest,
        {"inputs": "The match ended two to one.", "parameters": {"candidate_labels": ["sport", "politics"]}},
    ),
    Route(
        "POST",
        "/v1/answer",
        "The answer to a question, as a span of a context",
        answer,
        (schemas.Answer | None, list[schemas.Answer | None], list[list[schemas.Answer]]),
        schemas.AnswerRequest,
        {"inputs": {"question": "Who wrote the notes?", "context": "The notes were written by Ada Lovelace in 1843."}},
    ),
    Route(
        "POST",
        "/v1/tag",
        "The entities of a text",
        tag,
        (list[schemas.TagEntity], list[list[schemas.TagEntity]]),
        schemas.TagRequest,
        {"inputs": "Ada Lovelace lived in London."},
    ),
    Route(
        "POST",
        "/v1/fill",
        "Words for the masks of a text",
        fill,
        (list[schemas.FillProposal], list[list[schemas.FillProposal]], list[list[list[schemas.FillProposal]]]),
        schemas.FillRequest,
        {"inputs": "Paris is the [MASK] of France.", "parameters": {"top_k": 3}},
    ),
)
