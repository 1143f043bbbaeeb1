"""config.json to EngineConfig: transformers' MobileBERT, BERT, DistilBERT and OpenAI GPT, and Google's JSON.

The same key can mean different things. Google's JSON leaves out what equals its own defaults (LayerNorm, one FFN, no
shared bottleneck), transformers' what equals the student's. `gelu` is the tanh form at Google and in OpenAI GPT, and
the erf form elsewhere. transformers' MobileBERT does not pass layer_norm_eps to two norms, which use torch's default,
1e-5.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from mobilebert_rt.config import LIMITS, EngineConfig
from mobilebert_rt.conversion.layers import HEADS
from mobilebert_rt.conversion.state_dict import StateDict
from mobilebert_rt.errors import ModelFormatError, UnsupportedModelError

FAMILIES = {"mobilebert": "MobileBert", "bert": "Bert", "distilbert": "DistilBert", "openai-gpt": "OpenAIGPT"}

# Defaults by the keys of BERT's config.json.
_BERT: dict[str, Any] = {
    "vocab_size": 30522,
    "hidden_size": 768,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
    "hidden_act": "gelu",
    "max_position_embeddings": 512,
    "type_vocab_size": 2,
    "layer_norm_eps": 1e-12,
    "position_embedding_type": "absolute",
}
# Keys that only MobileBERT has, with the values that describe BERT (and are Google's defaults).
_EXTENSIONS: dict[str, Any] = {
    "embedding_size": None,  # hidden_size
    "intra_bottleneck_size": None,  # hidden_size
    "trigram_input": False,
    "use_bottleneck": False,
    "use_bottleneck_attention": False,
    "key_query_shared_bottleneck": False,
    "num_feedforward_networks": 1,
    "normalization_type": "layer_norm",
    "classifier_activation": True,
}
_MOBILEBERT: dict[str, Any] = {
    "hidden_size": 512,
    "num_hidden_layers": 24,
    "num_attention_heads": 4,
    "intermediate_size": 512,
    "hidden_act": "relu",
    "embedding_size": 128,
    "intra_bottleneck_size": 128,
    "trigram_input": True,
    "use_bottleneck": True,
    "key_query_shared_bottleneck": True,
    "num_feedforward_networks": 4,
    "normalization_type": "no_norm",
}
# The other families' own names of BERT's keys.
_OWN_KEYS = {
    "distilbert": {
        "hidden_size": "dim",
        "num_hidden_layers": "n_layers",
        "num_attention_heads": "n_heads",
        "intermediate_size": "hidden_dim",
        "hidden_act": "activation",
    },
    "openai-gpt": {
        "hidden_size": "n_embd",
        "num_hidden_layers": "n_layer",
        "num_attention_heads": "n_head",
        "max_position_embeddings": "n_positions",
        "hidden_act": "afn",
        "layer_norm_eps": "layer_norm_epsilon",
    },
}
# What their code has in place of BERT's defaults, and what it fixes.
_OWN_DEFAULTS: dict[str, dict[str, Any]] = {
    "distilbert": {"num_hidden_layers": 6},
    "openai-gpt": {"vocab_size": 40478, "layer_norm_eps": 1e-5},
}
_FIXED: dict[str, dict[str, Any]] = {
    "distilbert": {"type_vocab_size": 0, "layer_norm_eps": 1e-12},
    "openai-gpt": {"type_vocab_size": 0},
}

_ACTIVATIONS = {name: name for name in ("relu", "relu6", "silu", "tanh", "gelu")}
_ACTIVATIONS |= {"swish": "silu", "gelu_python": "gelu"}
_ACTIVATIONS |= dict.fromkeys(
    ("gelu_new", "gelu_fast", "gelu_accurate", "gelu_pytorch_tanh", "gelu_python_tanh"), "gelu_tanh"
)
_GPT_ACTIVATIONS = ("gelu", "relu", "silu", "swish")

# Keys that, if set, change the model in a way that the engine does not support: reason and fix.
_UNSUPPORTED = {
    "is_decoder": "decoders are not supported. Set it to false if the model is an encoder",
    "add_cross_attention": "cross attention is not supported. Use an encoder-only model",
    "pruned_heads": "pruned attention heads are not supported. Use the model before pruning",
    "quantization_config": "quantised checkpoints are not read. Dequantise the model and save it as float32",
    "auto_map": "the model brings its own code. Delete the key if the weights are those of the standard class",
}


@dataclass(frozen=True)
class Source:
    """A config.json as it is, and every value by BERT's and MobileBERT's keys, with the defaults of its kind."""

    raw: dict[str, Any]
    values: dict[str, Any]
    family: str
    google: bool

    def integer(self, key: str, field: str) -> int:
        """An integer within the format's limits of `field`, if it has any."""
        value = self.values[key]
        if type(value) is not int:
            raise ModelFormatError(f"config.json: {self.name(key)} is {value!r}; expected an integer.")
        low, high = LIMITS.get(field, (value, value))
        if not low <= value <= high:
            raise UnsupportedModelError(
                f"config.json: {self.name(key)} is {value}; the engine supports {low} to {high}."
            )
        return value

    def flag(self, key: str) -> bool:
        """A boolean."""
        value = self.values[key]
        if type(value) is not bool:
            raise ModelFormatError(f"config.json: {key} is {value!r}; expected true or false.")
        return value

    def choice(self, key: str, supported: Iterable[str]) -> str:
        """One of the supported strings."""
        value = self.values[key]
        if value not in list(supported):
            raise UnsupportedModelError(
                f"config.json: {self.name(key)} is {value!r}; the engine supports {', '.join(sorted(supported))}."
            )
        return str(value)

    def name(self, key: str) -> str:
        """The key as the family's own config.json has it."""
        return _OWN_KEYS.get(self.family, {}).get(key, key)


def read_source(raw: dict[str, Any]) -> Source:
    """Determine the kind of config.json. Raises UnsupportedModelError for a model that the engine does not run."""
    family, google = raw.get("model_type"), False
    if not family:  # MobileBertForMaskedLM and the like name their family
        listed = raw.get("architectures")
        name = str(listed[0]) if isinstance(listed, list) and listed else ""
        family = next((key for key, stem in FAMILIES.items() if name.startswith(stem)), None)
    if family is None:
        google = any(key in raw for key in _EXTENSIONS if key != "embedding_size")
        family = "mobilebert" if google else "distilbert" if "dim" in raw and "n_layers" in raw else "bert"
        if not google and "hidden_size" not in raw and "dim" not in raw:
            raise ModelFormatError(
                "config.json: neither model_type nor hidden_size found; it does not describe an encoder. "
                "Give the folder of a saved MobileBERT, BERT, DistilBERT or OpenAI GPT model."
            )
    if not isinstance(family, str) or family not in FAMILIES:
        raise UnsupportedModelError(
            f"config.json: model_type is {family!r}; the engine supports {', '.join(FAMILIES)}."
        )
    for key, reason in _UNSUPPORTED.items():
        if raw.get(key):
            raise UnsupportedModelError(f"config.json: {key} is {raw[key]!r}; {reason}.")
    source = Source(raw, _values(raw, family, google), family, google)
    source.choice("position_embedding_type", ["absolute"])
    return source


def _values(raw: dict[str, Any], family: str, google: bool) -> dict[str, Any]:
    """Every value by BERT's and MobileBERT's keys."""
    given = {key: value for key, value in raw.items() if value is not None}
    if google:
        values = _BERT | {"type_vocab_size": 16} | _EXTENSIONS | given
    elif family == "mobilebert":
        values = _BERT | _EXTENSIONS | _MOBILEBERT | given
    else:
        values = _BERT | _OWN_DEFAULTS.get(family, {}) | given | _EXTENSIONS  # they ignore MobileBERT's keys
    values |= {key: given[own] for key, own in _OWN_KEYS.get(family, {}).items() if own in given}
    values |= _FIXED.get(family, {})
    if family == "openai-gpt" and type(values["hidden_size"]) is int:
        values["intermediate_size"] = 4 * values["hidden_size"]
    widths = [key for key in ("embedding_size", "intra_bottleneck_size") if values[key] is None]
    return values | dict.fromkeys(widths, values["hidden_size"])


def engine_config(source: Source, tensors: StateDict) -> EngineConfig:
    """The engine's configuration at fp32. Pooler and labels are determined by `tensors`.

    Raises ModelFormatError for wrong types, UnsupportedModelError for a model that the engine does not run.
    """
    hidden = source.integer("hidden_size", "hidden_size")
    bottleneck = _bottleneck(source)
    head = _head(source, tensors)
    pooler = _pooler(source, tensors, head) if HEADS[head].pooled else "none"
    gpt = source.family == "openai-gpt"
    activation = _ACTIVATIONS[source.choice("hidden_act", _GPT_ACTIVATIONS if gpt else _ACTIVATIONS)]
    if (source.google or gpt) and source.values["hidden_act"] == "gelu":
        activation = "gelu_tanh"
    eps = _eps(source)
    # transformers' MobileBERT builds these two norms without an eps: torch's default applies.
    default_eps = 1e-5 if source.family == "mobilebert" and not source.google else eps
    return EngineConfig(
        precision="fp32",
        vocab_size=source.integer("vocab_size", "vocab_size"),
        hidden_size=hidden,
        body_size=hidden if bottleneck == "none" else source.integer("intra_bottleneck_size", "body_size"),
        embedding_size=source.integer("embedding_size", "embedding_size"),
        num_layers=source.integer("num_hidden_layers", "num_layers"),
        num_heads=source.integer("num_attention_heads", "num_heads"),
        intermediate_size=source.integer("intermediate_size", "intermediate_size"),
        num_ffn=source.integer("num_feedforward_networks", "num_ffn"),
        max_positions=source.integer("max_position_embeddings", "max_positions"),
        type_vocab_size=source.integer("type_vocab_size", "type_vocab_size"),
        trigram=source.flag("trigram_input"),
        bottleneck=bottleneck,
        norm=source.choice("normalization_type", ["layer_norm", "no_norm"]),
        activation=activation,
        eps_embeddings=default_eps,
        eps=eps,
        eps_output=default_eps,
        eps_mlm=eps,
        mlm_activation=activation,
        pooler=pooler,
        head=head,
        num_labels=_num_labels(head, tensors),
        causal=gpt,
        embedding_norm=not gpt,
    )


def _bottleneck(source: Source) -> str:
    if not source.flag("use_bottleneck"):
        return "none"
    if source.flag("use_bottleneck_attention"):
        return "full"
    return "shared" if source.flag("key_query_shared_bottleneck") else "residual"


def _eps(source: Source) -> float:
    value = source.values["layer_norm_eps"]
    if type(value) not in (int, float) or not (math.isfinite(value) and value > 0):
        name = source.name("layer_norm_eps")
        raise ModelFormatError(f"config.json: {name} is {value!r}; expected a number above 0.")
    return float(value)


def _head(source: Source, tensors: StateDict) -> str:
    """The head's name in the file, from the class name or, without one, from the tensors."""
    stem = FAMILIES[source.family]
    architectures = source.raw.get("architectures")
    if architectures in (None, []):
        return _inferred_head(tensors)
    absent = ("pretraining", "next_sentence") if source.family == "distilbert" else ()
    known = {stem + head.suffix: name for name, head in HEADS.items() if name not in absent}
    if source.family == "openai-gpt":  # its base model alone, with or without a language-model head beside it
        known = dict.fromkeys(("OpenAIGPTModel", "OpenAIGPTLMHeadModel"), "none")
    for name, head in known.items():
        if architectures == [name]:
            return head
    raise UnsupportedModelError(
        f"config.json: architectures is {architectures!r}; for {source.family} the engine supports one of "
        f"{', '.join(known)}."
    )


def _inferred_head(tensors: StateDict) -> str:
    """Raises UnsupportedModelError when a classifier could belong to more than one class."""
    if "classifier.weight" in tensors:
        raise UnsupportedModelError(
            'config.json: no "architectures"; several classes have a classifier. '
            'Add for example "architectures": ["MobileBertForSequenceClassification"].'
        )
    if "qa_outputs.weight" in tensors:
        return "question_answering"
    has_mlm = "cls.predictions.transform.dense.weight" in tensors
    if "cls.seq_relationship.weight" in tensors:
        return "pretraining" if has_mlm else "next_sentence"
    return "masked_lm" if has_mlm else "none"


def _pooler(source: Source, tensors: StateDict, head: str) -> str:
    """How the first token is pooled for the heads that read it."""
    if source.family == "openai-gpt":
        return "none"
    if source.family == "distilbert":
        return "none" if head == "none" else "relu"
    if not source.flag("classifier_activation"):
        return "first_token"
    if head == "none" and "pooler.dense.weight" not in tensors:
        return "none"  # a base model saved without its pooler
    return "tanh"


def _num_labels(head: str, tensors: StateDict) -> int:
    count = HEADS[head].num_labels
    if count is not None:
        return count
    shape = tensors.shape("classifier.weight")
    limit = LIMITS["num_labels"][1]
    if len(shape) != 2 or not 1 <= shape[0] <= limit:
        raise UnsupportedModelError(
            f'tensor "classifier.weight" has shape {list(shape)}; the engine supports 1 to {limit} labels.'
        )
    return shape[0]
