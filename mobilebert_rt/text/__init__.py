"""Text tasks: text in, vectors, labels, entities, answers or words out."""

from mobilebert_rt.text.classifier import TextClassifier
from mobilebert_rt.text.embedder import TextEmbedder
from mobilebert_rt.text.fill_mask import FillMask
from mobilebert_rt.text.question_answerer import QuestionAnswerer
from mobilebert_rt.text.reranker import Reranker
from mobilebert_rt.text.results import (
    Answer,
    Classification,
    Entity,
    Fill,
    RankedDocument,
    ZeroShotClassification,
)
from mobilebert_rt.text.token_classifier import TokenClassifier
from mobilebert_rt.text.tokenizer import TextTokenizer
from mobilebert_rt.text.vectors import quantize, search, similarity
from mobilebert_rt.text.zero_shot import ZeroShotClassifier

__all__ = [
    "Answer",
    "Classification",
    "Entity",
    "Fill",
    "FillMask",
    "QuestionAnswerer",
    "RankedDocument",
    "Reranker",
    "TextClassifier",
    "TextEmbedder",
    "TextTokenizer",
    "TokenClassifier",
    "ZeroShotClassification",
    "ZeroShotClassifier",
    "quantize",
    "search",
    "similarity",
]
