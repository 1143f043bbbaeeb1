"""Model files written without the package; `python -m tests.small_models.files FOLDER` writes the native tests' ones.

The bytes come from tests/model/make_model_file.py, the writer that shares no code with the package; only numpy is
needed. write_lookup_model makes a model whose results can be worked out by hand.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tests.model.make_model_file import ODD, PLAIN, SMALL, Config, make_file, make_tensors, pack, pad, write_file
from tests.small_models.text import SETTINGS, VOCAB_SIZE, VOCABULARY

READS_TEXT = {"vocab.txt": VOCABULARY, "tokenizer_config": json.dumps(SETTINGS)}
TEXT: Config = ODD | {"vocab_size": VOCAB_SIZE, "max_positions": 40}
LABELS = ["O", "B-PER", "I-PER"]

# name: (configuration, metadata)
MODELS: dict[str, tuple[Config, dict[str, str]]] = {
    "ids": (PLAIN | {"head": "pretraining", "max_positions": 90}, {}),
    "embed": (TEXT, READS_TEXT | {"pooling": json.dumps({"mode": "mean", "normalize": True, "max_tokens": 30})}),
    "sentence": (
        TEXT,
        READS_TEXT
        | {
            "pooling": json.dumps({"mode": "mean+max", "normalize": True, "include_prompt": False, "truncate_dim": 11}),
            "modules": json.dumps(
                [
                    {"type": "dense", "outputs": 20, "activation": "gelu", "residual": True},
                    {"type": "layer_norm"},
                    {"type": "normalize"},
                    {"type": "dense", "outputs": 20, "activation": "tanh", "residual": True},
                ]
            ),
            "prompts": json.dumps({"query": "who ", "passage": "notes: "}),
            "default_prompt": "passage",
        },
    ),
    "classify": (
        TEXT | {"head": "sequence_classification", "num_labels": 3},
        READS_TEXT | {"labels": json.dumps(["bad", "neither", "good \u2713"])},
    ),
    "zero-shot": (
        TEXT | {"head": "sequence_classification", "num_labels": 3},
        READS_TEXT | {"labels": json.dumps(["contradiction", "neutral", "ENTAILMENT"])},
    ),
    "rank": (TEXT | {"head": "sequence_classification", "num_labels": 1}, READS_TEXT),
    "tag": (
        TEXT | {"pooler": "none", "head": "token_classification", "num_labels": 3},
        READS_TEXT | {"labels": json.dumps(LABELS)},
    ),
    "answer": (TEXT | {"pooler": "none", "head": "question_answering", "num_labels": 2}, READS_TEXT),
    # Without token types, as DistilBERT.
    "plain": (TEXT | {"type_vocab_size": 0, "bottleneck": "full"}, READS_TEXT),
    "fill": (TEXT | {"head": "masked_lm"}, READS_TEXT),
    "gpt": (SMALL["gpt"] | {"max_positions": 90}, {}),
    # For calls that take a while.
    "deep": (PLAIN | {"num_layers": 100, "max_positions": 512}, {}),
}
PRECISIONS = ("fp32", "int8")

# Of the native engine test: long texts, and short ones wide enough for threads to share columns.
LONG = {"max_positions": 90}
WIDE = {"max_positions": 12, "num_heads": 4, "body_size": 72, "hidden_size": 72}
ENGINE: dict[str, Config] = {name: SMALL[name] | LONG for name in ("bert", "mobilebert_int8", "teacher_int8")}
ENGINE |= {f"{name}_wide": SMALL[name] | WIDE for name in ("mobilebert", "mobilebert_int8", "without_opt_int8")}


def write_model(folder: Path, name: str, precision: str = "fp32") -> Path:
    """The file of one of MODELS; written once."""
    path = folder / f"{name}-{precision}.safetensors"
    if not path.exists():
        config, metadata = MODELS[name]
        path.write_bytes(make_file(config | {"precision": precision}, 23, metadata))
    return path


def write_lookup_model(
    path: Path,
    table: npt.ArrayLike,
    head: str = "token_classification",
    metadata: Mapping[str, str] = READS_TEXT,
    **changes: Any,
) -> Path:
    """A real fp32 model that answers with the rows of `table` [vocabulary, n], whatever the context.

    A token's state is its row, exactly, and so are its logits: n labels for token_classification, n = 2 (start, end)
    for question_answering. A sequence_classification model gives the sum of [CLS]'s row and the mean of all rows.
    One layer whose attention averages all tokens (for sequence_classification; adds 0 otherwise); everything else is 0.
    """
    rows = np.asarray(table, np.float32)
    words, width = rows.shape
    config = PLAIN | {
        "vocab_size": words,
        "hidden_size": width,
        "body_size": width,
        "embedding_size": width,
        "num_layers": 1,
        "num_heads": 1,
        "intermediate_size": 1,
        "max_positions": 40,
        "norm": "no_norm",
        "activation": "relu",
        "pooler": "first_token" if head in ("none", "sequence_classification") else "none",
        "head": head,
        "num_labels": 0 if head == "none" else width,
    }
    config |= changes
    tensors = {name: np.zeros_like(array) for name, array in make_tensors(config, 0).items()}
    for name in tensors:
        if name.endswith("residual_scale"):
            tensors[name] = pad(np.ones(width, np.float32), 16)
    tensors["embeddings.word.weight"] = pad(rows, 1, 16)
    identities = ["classifier"] if head != "none" else []
    if head == "sequence_classification":
        identities += ["encoder.layer.0.attention.value", "encoder.layer.0.attention.output"]
    for name in identities:
        tensors[name + ".weight"] = pack(pad(np.eye(width, dtype=np.float32), 16, 16), 1)[..., 0]
    path.write_bytes(write_file(config, tensors, metadata))
    return path


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    for model in MODELS:
        for kind in PRECISIONS:
            write_model(target, model, kind)
    for model, configuration in ENGINE.items():
        (target / f"{model}.safetensors").write_bytes(make_file(configuration, seed=5))
