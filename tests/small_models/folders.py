"""Parts of a Hugging Face folder: MobileBERT configurations, random weights, safetensors files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

DTYPES = {
    "float32": "F32",
    "float16": "F16",
    "int64": "I64",
    "float64": "F64",
    "int8": "I8",
    "uint16": "BF16",
}

# All sizes differ, and none is a multiple of 16.
ODD: dict[str, Any] = {
    "model_type": "mobilebert",
    "architectures": ["MobileBertModel"],
    "vocab_size": 37,
    "hidden_size": 22,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "intermediate_size": 19,
    "max_position_embeddings": 13,
    "type_vocab_size": 2,
    "embedding_size": 7,
    "intra_bottleneck_size": 15,
    "num_feedforward_networks": 3,
    "classifier_activation": False,
}

BOTTLENECKS: dict[str, dict[str, bool]] = {
    "none": {"use_bottleneck": False},
    "shared": {
        "use_bottleneck": True,
        "use_bottleneck_attention": False,
        "key_query_shared_bottleneck": True,
    },
    "full": {"use_bottleneck": True, "use_bottleneck_attention": True, "key_query_shared_bottleneck": False},
    "residual": {
        "use_bottleneck": True,
        "use_bottleneck_attention": False,
        "key_query_shared_bottleneck": False,
    },
}


def odd(bottleneck: str = "shared", norm: str = "no_norm", **changes: Any) -> dict[str, Any]:
    """config.json of a small MobileBERT."""
    config = ODD | BOTTLENECKS[bottleneck] | {"normalization_type": norm} | changes
    return config | {"num_attention_heads": 2} if bottleneck == "none" else config


def random_tensors(config: dict[str, Any], seed: int = 0) -> dict[str, Array]:
    """A MobileBERT state dict with Hugging Face's names; norm weights of either sign around 1, biases not 0."""
    random = np.random.default_rng(seed)
    tensors: dict[str, Array] = {}
    hidden, inner, width = config["hidden_size"], config["intermediate_size"], config["embedding_size"]
    has_bottleneck = config["use_bottleneck"]
    body = config["intra_bottleneck_size"] if has_bottleneck else hidden
    full = has_bottleneck and config["use_bottleneck_attention"]
    shared = has_bottleneck and not full and config["key_query_shared_bottleneck"]

    def normal(*shape: int, spread: float = 1.0) -> Array:
        return random.normal(0, spread, shape).astype(np.float32)

    def dense(name: str, outputs: int, inputs: int) -> None:
        tensors[name + ".weight"] = normal(outputs, inputs, spread=inputs**-0.5)
        tensors[name + ".bias"] = normal(outputs, spread=0.3)

    def norm(name: str, size: int) -> None:
        sign = random.choice([-1.0, 1.0], size)
        tensors[name + ".weight"] = (sign * random.uniform(0.5, 1.5, size)).astype(np.float32)
        tensors[name + ".bias"] = normal(size, spread=0.3)

    def normed(name: str, outputs: int, inputs: int) -> None:
        dense(name + ".dense", outputs, inputs)
        norm(name + ".LayerNorm", outputs)

    tensors["embeddings.word_embeddings.weight"] = normal(config["vocab_size"], width)
    tensors["embeddings.position_embeddings.weight"] = normal(config["max_position_embeddings"], hidden)
    tensors["embeddings.token_type_embeddings.weight"] = normal(config["type_vocab_size"], hidden)
    dense("embeddings.embedding_transformation", hidden, width * (3 if config.get("trigram_input", True) else 1))
    norm("embeddings.LayerNorm", hidden)
    for i in range(config["num_hidden_layers"]):
        at = f"encoder.layer.{i}."
        dense(at + "attention.self.query", body, body if full or shared else hidden)
        dense(at + "attention.self.key", body, body if full or shared else hidden)
        dense(at + "attention.self.value", body, body if full else hidden)
        normed(at + "attention.output", body, body)
        dense(at + "intermediate.dense", inner, body)
        normed(at + "output", body, inner)
        for j in range(config["num_feedforward_networks"] - 1):
            dense(f"{at}ffn.{j}.intermediate.dense", inner, body)
            normed(f"{at}ffn.{j}.output", body, inner)
        if has_bottleneck:
            normed(at + "bottleneck.input", body, hidden)
            normed(at + "output.bottleneck", hidden, body)
        if shared:
            normed(at + "bottleneck.attention", body, hidden)
    return tensors


def safetensors_bytes(tensors: dict[str, Array], metadata: dict[str, str] | None = None) -> bytes:
    """A safetensors file; uint16 arrays are written as BF16."""
    header: dict[str, Any] = {} if metadata is None else {"__metadata__": metadata}
    data: list[bytes] = []
    end = 0
    for name, array in tensors.items():
        begin, end = end, end + array.nbytes
        header[name] = {
            "dtype": DTYPES[str(array.dtype)],
            "shape": list(array.shape),
            "data_offsets": [begin, end],
        }
        data.append(array.tobytes())
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + b"".join(data)


def write_folder(folder: Path, config: dict[str, Any], tensors: dict[str, Array] | None = None) -> Path:
    """A folder with config.json and model.safetensors (random MobileBERT weights by default)."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    tensors = random_tensors(config) if tensors is None else tensors
    (folder / "model.safetensors").write_bytes(safetensors_bytes(tensors))
    return folder
