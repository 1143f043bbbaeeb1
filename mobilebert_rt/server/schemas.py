"""Bodies of requests and responses: checked by msgspec, and the schemas of the OpenAPI document.

Unknown fields are ignored, as text-embeddings-inference and OpenAI's API do.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

Count = Annotated[int, Meta(ge=1, le=1_000_000)]
Few = Annotated[int, Meta(ge=1, le=100)]
Length = Annotated[int, Meta(ge=1, le=1000)]
TokenId = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Label = Annotated[str, Meta(min_length=1, max_length=1000)]
Labels = Annotated[list[Label], Meta(min_length=1, max_length=1000)]
Right = Literal["Right", "right"]

Vector = list[float]


class Request(Struct, kw_only=True):
    """model: a name of /v1/models; by default the first model that can do it."""

    model: str | None = None


class EmbedRequest(Request, kw_only=True):
    inputs: str | list[str]
    truncate: bool | None = None
    truncation_direction: Right = "Right"
    prompt_name: str | None = None
    normalize: bool = True
    dimensions: Count | None = None


class EmbedAllRequest(Request, kw_only=True):
    inputs: str | list[str]
    truncate: bool | None = None
    truncation_direction: Right = "Right"
    prompt_name: str | None = None


class PredictRequest(Request, kw_only=True):
    """inputs: a text, a pair [text, text], or a list of [text] and [text, text]."""

    inputs: str | list[str | list[str]]
    truncate: bool | None = None
    truncation_direction: Right = "Right"
    raw_scores: bool = False


class Prediction(Struct):
    score: float
    label: str


class RerankRequest(Request, kw_only=True):
    query: str
    texts: list[str]
    truncate: bool | None = None
    truncation_direction: Right = "Right"
    raw_scores: bool = False
    return_text: bool = False


class Rank(Struct, omit_defaults=True):
    index: int
    score: float
    text: str | None = None


class SimilarityInput(Struct):
    source_sentence: str
    sentences: list[str]


class SimilarityParameters(Struct, kw_only=True):
    truncate: bool | None = None
    truncation_direction: Right = "Right"
    prompt_name: str | None = None


class SimilarityRequest(Request, kw_only=True):
    inputs: SimilarityInput
    parameters: SimilarityParameters | None = None


class TokenizeRequest(Request, kw_only=True):
    inputs: str | list[str]
    add_special_tokens: bool = True


class Token(Struct):
    """start, stop: characters of the text; null for a special token."""

    id: int
    text: str
    special: bool
    start: int | None
    stop: int | None


class DecodeRequest(Request, kw_only=True):
    ids: list[TokenId | list[TokenId]]
    skip_special_tokens: bool = True


class OpenAIRequest(Struct, kw_only=True):
    input: str | list[str]
    model: str
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: Count | None = None
    user: str | None = None


class OpenAIEmbedding(Struct):
    object: str
    index: int
    embedding: Vector | str


class Usage(Struct):
    prompt_tokens: int
    total_tokens: int


class OpenAIResponse(Struct):
    object: str
    data: list[OpenAIEmbedding]
    model: str
    usage: Usage


class ModelCard(Struct):
    id: str
    object: str
    created: int
    owned_by: str


class ModelList(Struct):
    object: str
    data: list[ModelCard]


class ZeroShotParameters(Struct, kw_only=True):
    candidate_labels: Labels
    hypothesis_template: Annotated[str, Meta(max_length=1000)] | None = None
    multi_label: bool | None = None


class ZeroShotRequest(Request, kw_only=True):
    inputs: str | list[str]
    parameters: ZeroShotParameters


class Question(Struct):
    question: str
    context: str


class AnswerParameters(Struct, kw_only=True):
    top_k: Few | None = None
    max_answer_len: Length | None = None
    handle_impossible_answer: bool | None = None


class AnswerRequest(Request, kw_only=True):
    inputs: Question | list[Question]
    parameters: AnswerParameters | None = None


class Answer(Struct):
    answer: str
    score: float
    start: int
    end: int


class TagParameters(Struct, kw_only=True):
    aggregation_strategy: Literal["none", "simple", "first", "average", "max"] | None = None
    ignore_labels: Annotated[list[Label], Meta(max_length=1000)] | None = None


class TagRequest(Request, kw_only=True):
    inputs: str | list[str]
    truncate: bool | None = None
    parameters: TagParameters | None = None


class TagEntity(Struct):
    entity_group: str
    score: float
    word: str
    start: int
    end: int


class FillParameters(Struct, kw_only=True):
    top_k: Few | None = None


class FillRequest(Request, kw_only=True):
    inputs: str | list[str]
    truncate: bool | None = None
    parameters: FillParameters | None = None


class FillProposal(Struct):
    score: float
    token: int
    token_str: str
    sequence: str


class ProfileRequest(Request, kw_only=True):
    inputs: str


class LayerTime(Struct):
    name: str
    milliseconds: float


class Profile(Struct):
    """milliseconds: of a call, and of each of its layers."""

    tokens: int
    milliseconds: float
    threads: int
    layers: list[LayerTime]


class ErrorBody(Struct):
    error: str
    error_type: str


class OpenAIErrorDetail(Struct):
    message: str
    type: str
    param: str | None
    code: int


class OpenAIErrorBody(Struct):
    error: OpenAIErrorDetail


class Info(Struct):
    """As text-embeddings-inference's /info, and the names of all models."""

    model_id: str
    model_sha: str | None
    model_dtype: str
    model_type: dict[str, Any]
    max_concurrent_requests: int
    max_input_length: int
    max_batch_tokens: int
    max_batch_requests: int | None
    max_client_batch_size: int
    auto_truncate: bool
    tokenization_workers: int
    version: str
    sha: str | None
    docker_label: str | None
    models: list[str]
