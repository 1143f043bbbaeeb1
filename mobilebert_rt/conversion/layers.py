"""The table of a model's layers and heads, which every step of the conversion reads.

A layer reads a vector and makes another one. Names, shapes, folding, int8 scales and the layout of the file
follow from the entries here, in the order of the file (docs/model_format.md). Checkpoint names are BERT's and
MobileBERT's, without a prefix; state_dict.py translates them for other families.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mobilebert_rt.config import EngineConfig


@dataclass(frozen=True)
class Head:
    """What one transformers class adds to the encoder."""

    suffix: str  # of the class name: MobileBertForMaskedLM and BertForMaskedLM have "ForMaskedLM"
    pooled: bool  # reads the pooled first token
    classifier: str | None = None  # linear layer that gives the labels, in the checkpoint
    num_labels: int | None = 0  # None: as many as the classifier has outputs


# Heads by their name in the file's config. The masked-LM layers are in heads() below.
HEADS = {
    "none": Head("Model", pooled=True),
    "masked_lm": Head("ForMaskedLM", pooled=False),
    "pretraining": Head("ForPreTraining", pooled=True),
    "next_sentence": Head("ForNextSentencePrediction", True, "cls.seq_relationship", 2),
    "sequence_classification": Head("ForSequenceClassification", True, "classifier", None),
    "token_classification": Head("ForTokenClassification", False, "classifier", None),
    "question_answering": Head("ForQuestionAnswering", False, "qa_outputs", 2),
    "multiple_choice": Head("ForMultipleChoice", True, "classifier", 1),
}


@dataclass(frozen=True)
class Vector:
    """A vector of the model: a unique name and its number of channels."""

    name: str
    width: int


@dataclass(frozen=True)
class Array:
    """A table, or a norm's weight or bias, of the embeddings; it contributes to the vector `makes`."""

    name: str  # in the file
    source: str  # in the checkpoint
    rows: int | None  # None: one vector
    makes: Vector
    quantised: bool = False  # in an int8 file; otherwise always float32


@dataclass(frozen=True)
class Layer:
    """A linear layer: makes = norm(weight reads + bias + residual); residual and norm may be absent."""

    name: str  # in the file
    source: str  # in the checkpoint
    reads: Vector
    makes: Vector
    residual: Vector | None = None
    norm: str | None = None  # in the checkpoint
    keeps_norm: bool = False  # LayerNorm; NoNorm is folded into the weights
    quantised: bool = True  # in an int8 file; otherwise always float32
    taps: int = 1  # how many vectors `reads` are concatenated to the input
    activation_scale: str | None = None  # tensor that scales the result of an activation that is not linear
    key: Vector | None = None  # of a query: the vector it is multiplied with
    query: Vector | None = None  # of a key: the vector it is multiplied with


def hidden(cfg: EngineConfig, index: int) -> Vector:
    """The stream before block `index`; with index = num_layers the last hidden state."""
    return Vector(f"hidden.{index}", cfg.hidden_size)


def parts(cfg: EngineConfig) -> list[tuple[str, list[Array | Layer]]]:
    """All arrays and layers in file order, grouped: "embeddings", "layer 0", ..., "heads"."""
    blocks = [(f"layer {i}", list[Array | Layer](block(cfg, i))) for i in range(cfg.num_layers)]
    return [("embeddings", list(embeddings(cfg))), *blocks, ("heads", list(heads(cfg)))]


def embeddings(cfg: EngineConfig) -> Iterator[Array | Layer]:
    """norm(projection(words) + positions + types); NoNorm is folded into its terms."""
    result = hidden(cfg, 0)
    total = Vector("embeddings.sum", cfg.hidden_size) if cfg.normed_embeddings else result
    words = Vector("embeddings.words", cfg.embedding_size) if cfg.has_projection else total
    at = "embeddings."
    yield Array(at + "word.weight", at + "word_embeddings.weight", cfg.vocab_size, words, quantised=True)
    if cfg.has_projection:
        yield Layer(at + "projection", at + "embedding_transformation", words, total, taps=cfg.taps)
    yield Array(at + "position.weight", at + "position_embeddings.weight", cfg.max_positions, total)
    if cfg.type_vocab_size:
        yield Array(at + "type.weight", at + "token_type_embeddings.weight", cfg.type_vocab_size, total)
    if cfg.normed_embeddings:
        yield Array(at + "norm.weight", at + "LayerNorm.weight", None, result)
        yield Array(at + "norm.bias", at + "LayerNorm.bias", None, result)


def block(cfg: EngineConfig, index: int) -> Iterator[Layer]:
    """One transformer block."""
    at = f"encoder.layer.{index}."
    body, last = cfg.body_size, cfg.num_ffn - 1
    has_bottleneck = cfg.bottleneck != "none"

    def normed(name: str, source: str, reads: Vector, makes: Vector, residual: Vector | None = None) -> Layer:
        dense, norm = f"{at}{source}.dense", f"{at}{source}.LayerNorm"
        return Layer(at + name, dense, reads, makes, residual, norm, cfg.layer_norm)

    h = hidden(cfg, index)
    residual = query_input = value_input = h
    if has_bottleneck:
        residual = Vector(at + "input", body)
        yield normed("bottleneck.input", "bottleneck.input", h, residual)
    if cfg.bottleneck == "full":
        query_input = value_input = residual
    if cfg.bottleneck == "shared":
        query_input = Vector(at + "query_input", body)
        yield normed("bottleneck.attention", "bottleneck.attention", h, query_input)

    query, key, context = (Vector(at + name, body) for name in ("query", "key", "context"))
    yield Layer(at + "attention.query", at + "attention.self.query", query_input, query, key=key)
    yield Layer(at + "attention.key", at + "attention.self.key", query_input, key, query=query)
    yield Layer(at + "attention.value", at + "attention.self.value", value_input, context)
    x = Vector(at + "attention", body)
    yield normed("attention.output", "attention.output", context, x, residual)

    for j in range(cfg.num_ffn):
        # The checkpoint's bare `intermediate` and `output` are the last FFN, not the first.
        source, name = f"ffn.{j}." if j < last else "", f"ffn.{j}."
        inner = Vector(at + name + "inner", cfg.intermediate_size)
        makes = Vector(at + name + "output", body) if j < last or has_bottleneck else hidden(cfg, index + 1)
        scale = at + name + "activation_scale" if cfg.activation != "relu" else None
        dense = at + source + "intermediate.dense"
        yield Layer(at + name + "intermediate", dense, x, inner, activation_scale=scale)
        yield normed(name + "output", source + "output", inner, makes, x)
        x = makes
    if has_bottleneck:
        yield normed("output_bottleneck", "output.bottleneck", x, hidden(cfg, index + 1), h)


def heads(cfg: EngineConfig) -> Iterator[Layer]:
    """Pooler, masked-LM head, classifier: what reads the last hidden state."""
    last, width = hidden(cfg, cfg.num_layers), cfg.hidden_size
    pooled = last
    if cfg.pooler in ("tanh", "relu"):
        pooled = Vector("pooled", width)
        yield Layer("pooler", "pooler.dense", last, pooled)
    if cfg.has_mlm:
        transformed, at = Vector("mlm.transformed", width), "cls.predictions."
        dense, norm = at + "transform.dense", at + "transform.LayerNorm"
        yield Layer("mlm.transform", dense, last, transformed, norm=norm, keeps_norm=True)
        yield Layer("mlm.decoder", at + "decoder", transformed, Vector("mlm.logits", cfg.vocab_size))
    head = HEADS[cfg.head]
    if head.classifier is not None:
        labels = Vector("labels", cfg.num_labels)
        yield Layer("classifier", head.classifier, pooled if head.pooled else last, labels, quantised=False)
    if cfg.head == "pretraining":
        next_sentence = Vector("next_sentence", 2)
        yield Layer("next_sentence", "cls.seq_relationship", pooled, next_sentence, quantised=False)
