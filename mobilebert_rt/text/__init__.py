"""Text tasks: text in, vectors, labels, entities, answers or words out.

`CallOptions` and the classes derived from it are for annotations of functions that forward keywords of a call, with
`typing.Unpack`.
"""

from mobilebert_rt.text.classifier import ClassifyOptions, TextClassifier
from mobilebert_rt.text.embedder import TextEmbedder
from mobilebert_rt.text.fill_mask import FillMask, FillOptions
from mobilebert_rt.text.question_answerer import AnswerOptions, QuestionAnswerer
from mobilebert_rt.text.reranker import Reranker, ScoreOptions
from mobilebert_rt.text.results import (
    Answer,
    Classification,
    Entity,
    Fill,
    RankedDocument,
    ZeroShotClassification,
)
from mobilebert_rt.text.task import CallOptions, FunctionToApply, OnOverflow
from mobilebert_rt.text.token_classifier import Aggregation, TagOptions, TokenClassifier
from mobilebert_rt.text.tokenizer import Text, TextInputs, TextTokenizer, TokenizerSource
from mobilebert_rt.text.vectors import Output, quantize, search, similarity
from mobilebert_rt.text.zero_shot import ZeroShotClassifier, ZeroShotOptions

__all__ = [
    "Aggregation",
    "Answer",
    "AnswerOptions",
    "CallOptions",
    "Classification",
    "ClassifyOptions",
    "Entity",
    "Fill",
    "FillMask",
    "FillOptions",
    "FunctionToApply",
    "OnOverflow",
    "Output",
    "QuestionAnswerer",
    "RankedDocument",
    "Reranker",
    "ScoreOptions",
    "TagOptions",
    "Text",
    "TextClassifier",
    "TextEmbedder",
    "TextInputs",
    "TextTokenizer",
    "TokenClassifier",
    "TokenizerSource",
    "ZeroShotClassification",
    "ZeroShotClassifier",
    "ZeroShotOptions",
    "quantize",
    "search",
    "similarity",
]
