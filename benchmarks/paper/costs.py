"""What a configuration costs: every tensor's shape, hence the parameters, hence the floating-point operations."""

from __future__ import annotations

from math import prod

from benchmarks.paper.systems import Config

Shape = tuple[int, ...]


def shapes(config: Config) -> dict[str, Shape]:
    """Name and shape of every tensor of the encoder, as transformers names them; [out, in] for matrices."""
    return (
        _embeddings(config)
        | {
            f"encoder.layer.{i}.{name}": shape
            for i in range(config["num_hidden_layers"])
            for name, shape in _block(config).items()
        }
        | _pooler(config)
    )


def parameters(config: Config) -> int:
    """All of the encoder's, the pooler's included where it has one."""
    return sum(prod(shape) for shape in shapes(config).values())


def flops(config: Config, length: int) -> int:
    """Of one text: twice the multiply-accumulates of all products, attention's included.

    Table look-ups, biases, norms, activations and softmax are left out, and so is the pooler, which sees one token.
    """
    dense: int = sum(
        2 * length * prod(shape)
        for name, shape in shapes(config).items()
        if len(shape) == 2 and "_embeddings." not in name and not name.startswith("pooler.")
    )
    attention = 2 * 2 * length * length * _body(config)  # scores, and what they weigh
    return dense + int(config["num_hidden_layers"]) * attention


def _is_bert(config: Config) -> bool:
    return bool(config["model_type"] == "bert")


def _body(config: Config) -> int:
    """Width of attention and FFNs."""
    return int(config["hidden_size"] if _is_bert(config) else config["intra_bottleneck_size"])


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
    hidden, inner, body = config["hidden_size"], config["intermediate_size"], _body(config)
    narrow = not _is_bert(config) and config["use_bottleneck_attention"]
    shared = not _is_bert(config) and not narrow and config["key_query_shared_bottleneck"]
    found: dict[str, Shape] = {}
    if not _is_bert(config):
        found |= _normed("bottleneck.input", body, hidden)
        found |= _normed("bottleneck.attention", body, hidden) if shared else {}
    query_inputs = body if narrow or shared else hidden
    found |= _dense("attention.self.query", body, query_inputs)
    found |= _dense("attention.self.key", body, query_inputs)
    found |= _dense("attention.self.value", body, body if narrow else hidden)
    found |= _normed("attention.output", body, body)
    stacked = 0 if _is_bert(config) else config["num_feedforward_networks"] - 1
    for ffn in [f"ffn.{j}." for j in range(stacked)] + [""]:
        found |= _dense(ffn + "intermediate.dense", inner, body)
        found |= _normed(ffn + "output", body, inner)
    if not _is_bert(config):
        found |= _normed("output.bottleneck", hidden, body)
    return found


def _pooler(config: Config) -> dict[str, Shape]:
    pooled = _is_bert(config) or config["classifier_activation"]
    return _dense("pooler.dense", config["hidden_size"], config["hidden_size"]) if pooled else {}
