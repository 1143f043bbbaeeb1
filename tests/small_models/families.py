"""Hugging Face folders of every family and head: config.json, model.safetensors, vocabulary and settings."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tests.small_models.folders import Array, odd, random_tensors, write_folder
from tests.small_models.text import SETTINGS, VOCAB_SIZE, VOCABULARY

BERT: dict[str, Any] = {
    "model_type": "bert",
    "hidden_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "intermediate_size": 40,
    "max_position_embeddings": 40,
    "type_vocab_size": 2,
    "hidden_act": "gelu",
}
DISTILBERT: dict[str, Any] = {
    "model_type": "distilbert",
    "dim": 24,
    "n_layers": 2,
    "n_heads": 3,
    "hidden_dim": 40,
    "max_position_embeddings": 40,
    "activation": "gelu",
}
WIDE_ENOUGH = {"vocab_size": VOCAB_SIZE, "max_position_embeddings": 40}
GPT: dict[str, Any] = {"model_type": "openai-gpt", "n_embd": 24, "n_layer": 2, "n_head": 3, "n_positions": 40}
FAMILIES: dict[str, dict[str, Any]] = {
    "mobilebert": odd(**WIDE_ENOUGH),
    "without_opt": odd(norm="layer_norm", hidden_act="gelu", **WIDE_ENOUGH),
    "tiny": odd("full", num_feedforward_networks=2, **WIDE_ENOUGH),
    "teacher": odd("residual", "layer_norm", hidden_act="gelu", num_feedforward_networks=1, **WIDE_ENOUGH),
    "bert": BERT | {"vocab_size": VOCAB_SIZE},
    "distilbert": DISTILBERT | {"vocab_size": VOCAB_SIZE},
    "gpt": GPT | {"vocab_size": VOCAB_SIZE},
}
CLASSES = {"mobilebert": "MobileBert", "bert": "Bert", "distilbert": "DistilBert", "openai-gpt": "OpenAIGPT"}
HEADS = (
    "Model",
    "ForPreTraining",
    "ForMaskedLM",
    "ForNextSentencePrediction",
    "ForSequenceClassification",
    "ForTokenClassification",
    "ForQuestionAnswering",
    "ForMultipleChoice",
)
POOLED = ("Model", "ForPreTraining", "ForNextSentencePrediction", "ForSequenceClassification", "ForMultipleChoice")
LABELS = ("O", "B-PER", "I-PER")

# Parts of BERT's names, and of DistilBERT's, which has the same layers.
DISTILBERT_NAMES = {
    r"^encoder\.": "transformer.",
    r"attention\.self\.(query|key|value)": lambda found: f"attention.{found[1][0]}_lin",
    r"attention\.output\.dense": "attention.out_lin",
    r"attention\.output\.LayerNorm": "sa_layer_norm",
    r"intermediate\.dense": "ffn.lin1",
    r"output\.dense": "ffn.lin2",
    r"output\.LayerNorm": "output_layer_norm",
    r"^pooler\.dense": "pre_classifier",
    r"^cls\.predictions\.transform\.dense": "vocab_transform",
    r"^cls\.predictions\.transform\.LayerNorm": "vocab_layer_norm",
    r"^cls\.predictions\.bias": "vocab_projector.bias",
}
GPT_NAMES = {
    r"^embeddings\.word_embeddings": "tokens_embed",
    r"^embeddings\.position_embeddings": "positions_embed",
    r"^encoder\.layer": "h",
    r"attention\.output\.dense": "attn.c_proj",
    r"attention\.output\.LayerNorm": "ln_1",
    r"intermediate\.dense": "mlp.c_fc",
    r"output\.dense": "mlp.c_proj",
    r"output\.LayerNorm": "ln_2",
}


def heads_of(family: str) -> list[str]:
    """The heads that transformers has for a family."""
    if family == "gpt":
        return ["Model"]
    absent = ("ForPreTraining", "ForNextSentencePrediction") if family == "distilbert" else ()
    return [head for head in HEADS if head not in absent]


def save_folder(
    folder: Path,
    family: str = "mobilebert",
    head: str = "Model",
    *,
    labels: Sequence[str] = LABELS,
    pooling: str | None = None,
    normalize: bool = True,
    max_tokens: int | None = None,
    tokenizer: dict[str, Any] | None = None,
    vocabulary: str = VOCABULARY,
    seed: int = 0,
    **config: Any,
) -> Path:
    """Writes a folder as transformers saves it, and with `pooling` ("mean" or "cls") as sentence-transformers does.

    labels: of the two classifiers. normalize, max_tokens: of sentence-transformers' settings. tokenizer: changes of
    tokenizer_config.json. config: changes of config.json, named as there.
    """
    settings = FAMILIES[family] | {"vocab_size": vocabulary.count("\n")} | config
    settings["architectures"] = [CLASSES[settings["model_type"]] + head]
    if head in ("ForSequenceClassification", "ForTokenClassification"):
        settings["id2label"] = {str(i): label for i, label in enumerate(labels)}
        settings["label2id"] = {label: i for i, label in enumerate(labels)}
    write_folder(folder, settings, tensors(settings, head, len(labels), seed))
    (folder / "vocab.txt").write_bytes(vocabulary.encode())
    (folder / "tokenizer_config.json").write_text(json.dumps(SETTINGS | (tokenizer or {})))
    if pooling is not None:
        write_pooling(folder, pooling, normalize, max_tokens)
    return folder


def write_pooling(folder: Path, mode: str, normalize: bool, max_tokens: int | None = None) -> None:
    """What sentence-transformers adds to a folder."""
    kinds = ["Transformer", "Pooling", "Normalize"][: 3 if normalize else 2]
    modules = [
        {"idx": i, "name": str(i), "path": f"{i}_{kind}" if i else "", "type": f"sentence_transformers.models.{kind}"}
        for i, kind in enumerate(kinds)
    ]
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "1_Pooling").mkdir(exist_ok=True)
    flags = {"pooling_mode_cls_token": mode == "cls", "pooling_mode_mean_tokens": mode == "mean"}
    (folder / "1_Pooling/config.json").write_text(json.dumps(flags))
    if max_tokens is not None:
        (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": max_tokens}))


def tensors(config: dict[str, Any], head: str, num_labels: int, seed: int = 0) -> dict[str, Array]:
    """The state dict of a class, named as transformers saves it: tied tensors once, the encoder's with its prefix."""
    family = config["model_type"]
    if family == "distilbert":
        config = config | {
            "hidden_size": config["dim"],
            "num_hidden_layers": config["n_layers"],
            "intermediate_size": config["hidden_dim"],
            "type_vocab_size": 0,
        }
    if family == "openai-gpt":
        config = config | {
            "hidden_size": config["n_embd"],
            "num_hidden_layers": config["n_layer"],
            "intermediate_size": 4 * config["n_embd"],
            "max_position_embeddings": config["n_positions"],
            "type_vocab_size": 0,
        }
    if family != "mobilebert":
        config = config | {
            "use_bottleneck": False,
            "trigram_input": False,
            "embedding_size": config["hidden_size"],
            "num_feedforward_networks": 1,
        }
    found = {name: array for name, array in random_tensors(config, seed).items() if array.size > 0}
    if family != "mobilebert":
        found = {name: array for name, array in found.items() if "embedding_transformation" not in name}
    if family == "openai-gpt":
        return gpt_tensors(found, config["num_hidden_layers"])
    rename = (lambda name: renamed(name, DISTILBERT_NAMES)) if family == "distilbert" else str
    prefix = "" if head == "Model" else family + "."
    added = head_tensors(config, head, num_labels, seed + 2)
    if has_pooler(config, head):
        pooler = linear("pooler.dense", config["hidden_size"], config["hidden_size"], seed + 1)
        (added if family == "distilbert" else found).update(pooler)
    encoder = {prefix + rename(name): array for name, array in found.items()}
    return encoder | {rename(name): array for name, array in added.items()}


def gpt_tensors(bert: dict[str, Array], layers: int) -> dict[str, Array]:
    """BERT's tensors as OpenAI GPT has them: no norm behind the embeddings, weights [inputs, outputs], one layer for
    query, key and value."""
    found: dict[str, Array] = {}
    for i in range(layers):
        at = f"encoder.layer.{i}.attention.self."
        for kind in ("weight", "bias"):
            parts = [bert[f"{at}{role}.{kind}"].T for role in ("query", "key", "value")]
            found[f"h.{i}.attn.c_attn.{kind}"] = np.concatenate(parts, axis=-1)
    for name, array in bert.items():
        if "attention.self" not in name and not name.startswith("embeddings.LayerNorm"):
            own = renamed(name, GPT_NAMES)
            found[own] = np.ascontiguousarray(array.T) if ".c_" in own else array
    return found


def has_pooler(config: dict[str, Any], head: str) -> bool:
    """Whether the class has the dense layer behind the first token."""
    if config["model_type"] == "distilbert":
        return head in ("ForSequenceClassification", "ForMultipleChoice")
    return head in POOLED and config.get("classifier_activation", True)


def head_tensors(config: dict[str, Any], head: str, num_labels: int, seed: int) -> dict[str, Array]:
    """What a class adds to the encoder, by BERT's names."""
    hidden, vocab = config["hidden_size"], config["vocab_size"]
    found: dict[str, Array] = {}
    if head in ("ForMaskedLM", "ForPreTraining"):
        found |= linear("cls.predictions.transform.dense", hidden, hidden, seed)
        norm = linear("cls.predictions.transform.LayerNorm", hidden, 1, seed + 1)
        found |= {name: np.float32(name.endswith("weight")) + array.reshape(hidden) / 4 for name, array in norm.items()}
        extra = hidden - config["embedding_size"]
        if config["model_type"] == "mobilebert":
            found["cls.predictions.dense.weight"] = linear("", extra, vocab, seed + 2)[".weight"]
        found["cls.predictions.bias"] = linear("", vocab, 1, seed + 3)[".bias"]
    if head in ("ForNextSentencePrediction", "ForPreTraining"):
        found |= linear("cls.seq_relationship", 2, hidden, seed + 4)
    if head == "ForQuestionAnswering":
        found |= linear("qa_outputs", 2, hidden, seed + 4)
    if head in ("ForSequenceClassification", "ForTokenClassification", "ForMultipleChoice"):
        outputs = 1 if head == "ForMultipleChoice" else num_labels
        found |= linear("classifier", outputs, hidden, seed + 4)
    return found


def linear(name: str, outputs: int, inputs: int, seed: int) -> dict[str, Array]:
    """Weight and bias of a linear layer."""
    random = np.random.default_rng(seed)
    return {
        f"{name}.weight": random.normal(0, inputs**-0.5, (outputs, inputs)).astype(np.float32),
        f"{name}.bias": random.normal(0, 0.3, outputs).astype(np.float32),
    }


def renamed(name: str, names: Mapping[str, str | Callable[[re.Match[str]], str]]) -> str:
    """The name of a tensor in another family, from that in BERT."""
    for pattern, replacement in names.items():
        name = re.sub(pattern, replacement, name)
    return name
