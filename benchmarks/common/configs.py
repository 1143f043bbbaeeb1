"""config.json of the encoders that are measured, and the shapes of their tensors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.common.baselines import ELMO, GPT, elmo_shapes, gpt_shapes

Config = Mapping[str, Any]
Shape = tuple[int, ...]

WITHOUT_OPT = {"hidden_act": "gelu", "normalization_type": "layer_norm"}
TINY = {"use_bottleneck_attention": True, "key_query_shared_bottleneck": False, "num_feedforward_networks": 2}
TEACHER = {
    **WITHOUT_OPT,
    "intra_bottleneck_size": 1024,
    "intermediate_size": 4096,
    "key_query_shared_bottleneck": False,
    "num_feedforward_networks": 1,
    "classifier_activation": True,
}


def mobilebert(**changes: Any) -> dict[str, Any]:
    """config.json of google/mobilebert-uncased, with changes."""
    return {
        "model_type": "mobilebert",
        "architectures": ["MobileBertModel"],
        "vocab_size": 30522,
        "hidden_size": 512,
        "num_hidden_layers": 24,
        "num_attention_heads": 4,
        "intermediate_size": 512,
        "hidden_act": "relu",
        "max_position_embeddings": 512,
        "type_vocab_size": 2,
        "embedding_size": 128,
        "intra_bottleneck_size": 128,
        "num_feedforward_networks": 4,
        "use_bottleneck": True,
        "use_bottleneck_attention": False,
        "key_query_shared_bottleneck": True,
        "trigram_input": True,
        "normalization_type": "no_norm",
        "classifier_activation": False,
        **changes,
    }


def bert(hidden: int, layers: int, heads: int, inner: int | None = None) -> dict[str, Any]:
    """config.json of a plain BERT."""
    return {
        "model_type": "bert",
        "architectures": ["BertModel"],
        "vocab_size": 30522,
        "hidden_size": hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "intermediate_size": 4 * hidden if inner is None else inner,
        "hidden_act": "gelu",
        "max_position_embeddings": 512,
        "type_vocab_size": 2,
        "layer_norm_eps": 1e-12,
    }


def body_size(config: Config) -> int:
    """Width of attention and FFNs."""
    if config["model_type"] == GPT:
        return int(config["n_embd"])
    return int(config["hidden_size"] if _is_bert(config) else config["intra_bottleneck_size"])


def shapes(config: Config) -> dict[str, Shape]:
    """Name and shape of every tensor of the encoder, as transformers names them; [out, in] for matrices of BERTs."""
    if config["model_type"] == GPT:
        return gpt_shapes(config)
    if config["model_type"] == ELMO:
        return elmo_shapes(config)
    found = _embeddings(config)
    for i in range(config["num_hidden_layers"]):
        found |= {f"encoder.layer.{i}.{name}": shape for name, shape in _block(config).items()}
    if _is_bert(config) or config["classifier_activation"]:
        found |= _dense("pooler.dense", config["hidden_size"], config["hidden_size"])
    return found


def _is_bert(config: Config) -> bool:
    return bool(config["model_type"] == "bert")


def _dense(name: str, outputs: int, inputs: int) -> dict[str, Shape]:
    return {name + ".weight": (outputs, inputs), name + ".bias": (outputs,)}


def _normed(name: str, outputs: int, inputs: int) -> dict[str, Shape]:
    return _dense(name + ".dense", outputs, inputs) | _norm(name + ".LayerNorm", outputs)


def _norm(name: str, size: int) -> dict[str, Shape]:
    return {name + ".weight": (size,), name + ".bias": (size,)}


def _embeddings(config: Config) -> dict[str, Shape]:
    hidden = config["hidden_size"]
    width = hidden if _is_bert(config) else config["embedding_size"]
    found: dict[str, Shape] = {
        "embeddings.word_embeddings.weight": (config["vocab_size"], width),
        "embeddings.position_embeddings.weight": (config["max_position_embeddings"], hidden),
        "embeddings.token_type_embeddings.weight": (config["type_vocab_size"], hidden),
    }
    if not _is_bert(config):
        inputs = 3 * width if config["trigram_input"] else width
        found |= _dense("embeddings.embedding_transformation", hidden, inputs)
    return found | _norm("embeddings.LayerNorm", hidden)


def _block(config: Config) -> dict[str, Shape]:
    hidden, inner, body = config["hidden_size"], config["intermediate_size"], body_size(config)
    is_bert = _is_bert(config)
    full = not is_bert and config["use_bottleneck_attention"]
    shared = not is_bert and not full and config["key_query_shared_bottleneck"]
    found: dict[str, Shape] = {}
    if not is_bert:
        found |= _normed("bottleneck.input", body, hidden)
        found |= _normed("bottleneck.attention", body, hidden) if shared else {}
    query_inputs = body if full or shared else hidden
    found |= _dense("attention.self.query", body, query_inputs)
    found |= _dense("attention.self.key", body, query_inputs)
    found |= _dense("attention.self.value", body, body if full else hidden)
    found |= _normed("attention.output", body, body)
    stacked = 0 if is_bert else config["num_feedforward_networks"] - 1
    for ffn in [f"ffn.{j}." for j in range(stacked)] + [""]:
        found |= _dense(ffn + "intermediate.dense", inner, body)
        found |= _normed(ffn + "output", body, inner)
    return found if is_bert else found | _normed("output.bottleneck", hidden, body)
