"""config.json to EngineConfig: transformers' MobileBERT, BERT and DistilBERT configs, and Google's JSON.

The same key can mean different things: Google's JSON leaves out what equals *its* defaults (LayerNorm, one
FFN, no shared bottleneck), transformers' what equals the student's; `gelu` is the tanh form at Google and the
erf form in transformers; transformers' MobileBERT forgets layer_norm_eps in two norms, where torch's default
1e-5 applies.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from mobilebert_rt.config import LIMITS, EngineConfig
from mobilebert_rt.conversion.names import StateDict, head_names, infer_head_class
from mobilebert_rt.errors import ModelFormatError, UnsupportedModelError

FAMILIES = {"mobilebert": "MobileBert", "bert": "Bert", "distilbert": "DistilBert"}

_GOOGLE_KEYS = (
    "trigram_input",
    "use_bottleneck",
    "intra_bottleneck_size",
    "use_bottleneck_attention",
    "key_query_shared_bottleneck",
    "num_feedforward_networks",
    "normalization_type",
    "classifier_activation",
)

_MOBILEBERT_DEFAULTS: dict[str, Any] = {
    "vocab_size": 30522,
    "hidden_size": 512,
    "num_hidden_layers": 24,
    "num_attention_heads": 4,
    "intermediate_size": 512,
    "hidden_act": "relu",
    "max_position_embeddings": 512,
    "type_vocab_size": 2,
    "layer_norm_eps": 1e-12,
    "embedding_size": 128,
    "trigram_input": True,
    "use_bottleneck": True,
    "intra_bottleneck_size": 128,
    "use_bottleneck_attention": False,
    "key_query_shared_bottleneck": True,
    "num_feedforward_networks": 4,
    "normalization_type": "no_norm",
    "classifier_activation": True,
}

_BERT_DEFAULTS: dict[str, Any] = {
    "vocab_size": 30522,
    "hidden_size": 768,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
    "hidden_act": "gelu",
    "max_position_embeddings": 512,
    "type_vocab_size": 2,
    "layer_norm_eps": 1e-12,
    "trigram_input": False,
    "use_bottleneck": False,
    "use_bottleneck_attention": False,
    "key_query_shared_bottleneck": False,
    "num_feedforward_networks": 1,
    "normalization_type": "layer_norm",
    "classifier_activation": True,
}

_GOOGLE_DEFAULTS = _BERT_DEFAULTS | {"type_vocab_size": 16}

_DISTILBERT_NAMES = {
    "hidden_size": "dim",
    "num_hidden_layers": "n_layers",
    "num_attention_heads": "n_heads",
    "intermediate_size": "hidden_dim",
    "hidden_act": "activation",
}

_ACTIVATIONS = {
    "relu": "relu",
    "relu6": "relu6",
    "silu": "silu",
    "swish": "silu",
    "tanh": "tanh",
    "gelu": "gelu",
    "gelu_python": "gelu",
    "gelu_new": "gelu_tanh",
    "gelu_fast": "gelu_tanh",
    "gelu_accurate": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "gelu_python_tanh": "gelu_tanh",
}

# class suffix: (head, whether it reads the pooled first token)
_HEADS = {
    "Model": ("none", True),
    "ForMaskedLM": ("masked_lm", False),
    "ForPreTraining": ("pretraining", True),
    "ForNextSentencePrediction": ("next_sentence", True),
    "ForSequenceClassification": ("sequence_classification", True),
    "ForTokenClassification": ("token_classification", False),
    "ForQuestionAnswering": ("question_answering", False),
    "ForMultipleChoice": ("multiple_choice", True),
}

# What changes the function and is not done here: key, a test of its value, why, how to mend it.
_REFUSED = (
    ("is_decoder", bool, "decoders are not run", "Set it to false if the model is an encoder"),
    ("add_cross_attention", bool, "cross attention is not run", "Use an encoder-only model"),
    (
        "pruned_heads",
        bool,
        "layers with different head counts are not run",
        "Use the model before head pruning",
    ),
    (
        "quantization_config",
        bool,
        "quantised checkpoints are not read",
        "Dequantise the model and save it as float32",
    ),
    (
        "auto_map",
        bool,
        "it brings its own code",
        "Delete the key if the weights are those of the stock class",
    ),
)


@dataclass(frozen=True)
class Source:
    """A config.json whose kind is known: raw values, defaults of its kind, and the family's prefix."""

    raw: dict[str, Any]
    model_type: str
    google: bool

    def get(self, key: str) -> Any:
        """Value of a key by its BERT name, or the default that this kind of file implies."""
        own = _DISTILBERT_NAMES.get(key, key) if self.model_type == "distilbert" else key
        # BERT's and DistilBERT's classes ignore MobileBERT's keys, so a stray one must not change the model.
        foreign = self.model_type != "mobilebert" and (key in _GOOGLE_KEYS or key == "embedding_size")
        for name in () if foreign else (own, key):
            if self.raw.get(name) is not None:
                return self.raw[name]
        if self.google:
            return _GOOGLE_DEFAULTS.get(key)
        if self.model_type == "distilbert":
            return (_BERT_DEFAULTS | {"num_hidden_layers": 6, "type_vocab_size": 0}).get(key)
        return (_MOBILEBERT_DEFAULTS if self.model_type == "mobilebert" else _BERT_DEFAULTS).get(key)

    def integer(self, key: str, field: str) -> int:
        """An integer within the format's limits of `field`."""
        value = self.get(key)
        if type(value) is not int:
            raise ModelFormatError(f"config.json: {key} is {value!r}, an integer was expected. Correct it.")
        low, high = LIMITS[field]
        if not low <= value <= high:
            raise UnsupportedModelError(f"config.json: {key} is {value}; the engine runs {low} to {high}.")
        return value

    def flag(self, key: str) -> bool:
        """A boolean."""
        value = self.get(key)
        if type(value) is not bool:
            raise ModelFormatError(f"config.json: {key} is {value!r}, true or false was expected. Correct it.")
        return value


def read_source(raw: dict[str, Any]) -> Source:
    """Tell what kind of config.json this is. Raises UnsupportedModelError for what is not run here."""
    model_type = raw.get("model_type") or _family_of_class(raw.get("architectures"))
    google = False
    if model_type is None:
        google = any(key in raw for key in _GOOGLE_KEYS)
        model_type = "mobilebert" if google else "distilbert" if "dim" in raw and "n_layers" in raw else "bert"
        if not google and "hidden_size" not in raw and "dim" not in raw:
            raise ModelFormatError(
                "config.json: neither model_type nor hidden_size is there; it does not describe an encoder. "
                "Give the folder of a saved MobileBERT, BERT or DistilBERT model."
            )
    if not isinstance(model_type, str) or model_type not in FAMILIES:
        raise UnsupportedModelError(
            f"config.json: model_type is {model_type!r}; the engine runs {', '.join(FAMILIES)}. Convert one of these."
        )
    for key, refused, why, mend in _REFUSED:
        if refused(raw.get(key)):
            raise UnsupportedModelError(f"config.json: {key} is {raw[key]!r}: {why}. {mend}.")
    positions = raw.get("position_embedding_type", "absolute")
    if positions not in (None, "absolute"):
        raise UnsupportedModelError(
            f"config.json: position_embedding_type is {positions!r}; only absolute positions are run. "
            "Use a model trained with absolute positions."
        )
    return Source(raw, model_type, google)


def _family_of_class(architectures: Any) -> str | None:
    """Family of a class name such as MobileBertForMaskedLM; None when there is none or it is not ours."""
    if isinstance(architectures, list) and architectures and isinstance(architectures[0], str):
        for family, stem in FAMILIES.items():
            if architectures[0].startswith(stem):
                return family
    return None


def engine_config(source: Source, tensors: StateDict) -> EngineConfig:
    """The engine's configuration at fp32. What tensors decide (pooler, labels) is read from `tensors`.

    Raises ModelFormatError for wrong types, UnsupportedModelError for what the engine does not run.
    """
    hidden = source.integer("hidden_size", "hidden_size")
    bottleneck = _bottleneck(source)
    head, pooled = _HEADS[_head_class(source, tensors)]
    activation = _activation(source)
    norm = source.get("normalization_type")
    if norm not in ("layer_norm", "no_norm"):
        raise UnsupportedModelError(
            f"config.json: normalization_type is {norm!r}; the engine has layer_norm and no_norm."
        )
    eps = _eps(source)
    # transformers' MobileBERT builds these two norms without an eps: torch's default applies there.
    eps_forgotten = 1e-5 if source.model_type == "mobilebert" and not source.google else eps
    has_embedding_size = source.get("embedding_size") is not None
    return EngineConfig(
        precision="fp32",
        vocab_size=source.integer("vocab_size", "vocab_size"),
        hidden_size=hidden,
        body_size=_body_size(source, bottleneck, hidden),
        embedding_size=source.integer("embedding_size", "embedding_size") if has_embedding_size else hidden,
        num_layers=source.integer("num_hidden_layers", "num_layers"),
        num_heads=source.integer("num_attention_heads", "num_heads"),
        intermediate_size=source.integer("intermediate_size", "intermediate_size"),
        num_ffn=source.integer("num_feedforward_networks", "num_ffn"),
        max_positions=source.integer("max_position_embeddings", "max_positions"),
        type_vocab_size=0
        if source.model_type == "distilbert"
        else source.integer("type_vocab_size", "type_vocab_size"),
        pad_token_id=_pad_token_id(source),
        trigram=source.flag("trigram_input"),
        bottleneck=bottleneck,
        norm=norm,
        activation=activation,
        eps_embeddings=eps_forgotten,
        eps=eps,
        eps_output=eps_forgotten,
        eps_mlm=eps,
        mlm_activation=activation,
        pooler=_pooler(source, tensors, head) if pooled else "none",
        head=head,
        num_labels=_num_labels(head, tensors),
    )


def _body_size(source: Source, bottleneck: str, hidden: int) -> int:
    if bottleneck == "none" or source.get("intra_bottleneck_size") is None:
        return hidden
    return source.integer("intra_bottleneck_size", "body_size")


def _bottleneck(source: Source) -> str:
    if source.model_type != "mobilebert" or not source.flag("use_bottleneck"):
        return "none"
    if source.flag("use_bottleneck_attention"):
        return "full"
    return "shared" if source.flag("key_query_shared_bottleneck") else "residual"


def _activation(source: Source) -> str:
    name = source.get("hidden_act")
    if not isinstance(name, str) or name not in _ACTIVATIONS:
        raise UnsupportedModelError(
            f"config.json: the activation is {name!r}; the engine has {', '.join(sorted(set(_ACTIVATIONS)))}."
        )
    return "gelu_tanh" if source.google and name == "gelu" else _ACTIVATIONS[name]


def _eps(source: Source) -> float:
    if source.model_type == "distilbert":
        return 1e-12  # DistilBERT's norms have it written into their code
    value = source.get("layer_norm_eps")
    if type(value) not in (int, float) or not (math.isfinite(value) and value > 0):
        raise ModelFormatError(f"config.json: layer_norm_eps is {value!r}, a number above 0 was expected. Correct it.")
    return float(value)


def _pad_token_id(source: Source) -> int:
    value = source.raw.get("pad_token_id")
    if value is None:
        return 0
    if type(value) is not int:
        raise ModelFormatError(f"config.json: pad_token_id is {value!r}, an integer was expected. Correct it.")
    return value


def _head_class(source: Source, tensors: StateDict) -> str:
    """The class name without its family: "Model", "ForMaskedLM", ..."""
    stem = FAMILIES[source.model_type]
    architectures = source.raw.get("architectures")
    if architectures in (None, []):
        return infer_head_class(tensors, source.model_type)
    absent = ("ForPreTraining", "ForNextSentencePrediction") if source.model_type == "distilbert" else ()
    known = [suffix for suffix in _HEADS if suffix not in absent]
    if isinstance(architectures, list) and len(architectures) == 1 and isinstance(architectures[0], str):
        suffix = architectures[0].removeprefix(stem)
        if architectures[0].startswith(stem) and suffix in known:
            return suffix
    raise UnsupportedModelError(
        f"config.json: architectures is {architectures!r}; for {source.model_type} the engine runs one of "
        f"{', '.join(stem + suffix for suffix in known)}."
    )


def _pooler(source: Source, tensors: StateDict, head: str) -> str:
    """How the first token is pooled for the heads that read it."""
    if source.model_type == "distilbert":
        return "none" if head == "none" else "relu"
    if source.model_type == "mobilebert" and not source.flag("classifier_activation"):
        return "first_token"
    if head == "none" and head_names(source.model_type).pooler + ".weight" not in tensors:
        return "none"  # a bare encoder saved without its pooler
    return "tanh"


def _num_labels(head: str, tensors: StateDict) -> int:
    if head in ("question_answering", "next_sentence"):
        return 2
    if head == "multiple_choice":
        return 1
    if head in ("sequence_classification", "token_classification"):
        shape = tensors.shape("classifier.weight")
        if len(shape) != 2 or not 1 <= shape[0] <= LIMITS["num_labels"][1]:
            raise UnsupportedModelError(
                f'tensor "classifier.weight" has shape {list(shape)}; the engine runs 1 to 65536 labels.'
            )
        return shape[0]
    return 0
