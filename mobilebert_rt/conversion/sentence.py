"""What sentence-transformers adds to a folder: modules.json, its modules and settings, of versions 2 to 6.

The modules are one Transformer, one Pooling, then any number of Dense, LayerNorm, Normalize and Dropout; or the
Transformer alone in a cross-encoder. Whatever else is found and could change the numbers is an error that names it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mobilebert_rt.conversion.checkpoint import parse_object, read_text
from mobilebert_rt.conversion.sentence_layers import (
    Step,
    activation_name,
    check_names,
    dense,
    layer_norm,
    module_config,
)
from mobilebert_rt.errors import ModelFormatError, UnsupportedModelError

# One flag per mode, in the order in which their vectors are joined (before 5.5), or their names.
POOLING_FLAGS = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}
_POOLING_KEYS = (*POOLING_FLAGS, "pooling_mode", "include_prompt", "word_embedding_dimension", "embedding_dimension")
_SIMILARITIES = ("cosine", "dot", "euclidean", "manhattan")
_SCORES = {"Sigmoid": "sigmoid", "Softmax": "softmax", "Identity": "none"}

# sentence_bert_config.json and its older names.
_TRANSFORMER_FILES = [
    f"sentence_{name}_config.json"
    for name in ("bert", "roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet")
]
# Its settings that the engine does not have, and the values that change nothing.
_NEUTRAL: dict[str, Any] = dict.fromkeys(
    ("processing_kwargs", "query_length", "document_length", "query_expansion", "tokenizer_name_or_path"), (None, {})
)
_ARGUMENTS = ("model_args", "model_kwargs", "tokenizer_args", "processor_kwargs", "config_args", "config_kwargs")
# How the library loads the weights: the result is float32 here, whatever they say.
_NEUTRAL_ARGUMENTS = ("attn_implementation", "torch_dtype", "dtype", "trust_remote_code")


@dataclass(frozen=True)
class Module:
    """One entry of modules.json."""

    kind: str
    folder: Path


class SentenceFolder:
    """The files of sentence-transformers in a folder, read and checked; without modules.json there are none.

    encoder: the folder of config.json and the tokenizer, 0_Transformer in old folders. lower_case: texts are in lower
    case, whatever the tokenizer says.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.modules = _read_modules(folder)
        self.encoder = self.modules[0].folder if self.modules else folder
        self._settings = _settings(folder) if self.modules else {}
        self.is_cross_encoder = [module.kind for module in self.modules] == ["Transformer"]
        if self.is_cross_encoder and self._settings.get("model_type") != "CrossEncoder":
            raise UnsupportedModelError(
                f"{folder / 'modules.json'}: no Pooling module. Delete modules.json to convert only the encoder."
            )
        transformer = _transformer_config(self.encoder, self.is_cross_encoder) if self.modules else {}
        self.lower_case = transformer.get("do_lower_case") is True
        self._max_tokens = transformer.get("max_seq_length")
        self._steps: list[Step] = []

    def steps(self, hidden: int) -> list[Step]:
        """The modules behind the pooling of an encoder of width `hidden`, without Dropout and a last Normalize."""
        if not self._steps and len(self.modules) > 1:
            width = hidden * len(self._modes()[0])
            for module in self._chain()[0]:
                step = _step(module, len(self._steps), width)
                width = step.width
                self._steps.append(step)
        return self._steps

    def metadata(self, raw: dict[str, Any], hidden: int, num_labels: int) -> dict[str, str]:
        """The entries of the model file; raw: config.json."""
        entries: dict[str, str] = {}
        if len(self.modules) > 1:
            entries["pooling"] = json.dumps(self._pooling())
        if steps := self.steps(hidden):
            entries["modules"] = json.dumps([step.entry for step in steps])
        activation = self._activation(raw, num_labels)
        entries |= {} if activation is None else {"activation": activation}
        entries |= self._prompts()
        similarity = self._settings.get("similarity_fn_name")
        if similarity is not None and not self.is_cross_encoder:
            if similarity not in _SIMILARITIES:
                raise self._unsupported("similarity_fn_name", similarity, " or ".join(_SIMILARITIES))
            entries["similarity"] = similarity
        return entries

    def _chain(self) -> tuple[list[Module], bool]:
        """The modules behind the pooling, and whether a last Normalize was left out."""
        chain = [module for module in self.modules[2:] if module.kind != "Dropout"]
        if chain and chain[-1].kind == "Normalize":
            check_names(chain[-1].folder, module_config(chain[-1].folder, ("module_input_name", "module_output_name")))
            return chain[:-1], True
        return chain, False

    def _modes(self) -> tuple[list[str], bool]:
        """The pooling modes in the order in which they are joined, and include_prompt."""
        folder = self.modules[1].folder
        path = folder / "config.json"
        if not path.is_file():
            raise ModelFormatError(f"{path}: the file is missing. Download the whole folder.")
        raw = module_config(folder, _POOLING_KEYS)
        modes = raw.get("pooling_mode")
        if modes is None:
            modes = [mode for key, mode in POOLING_FLAGS.items() if raw.get(key) is True] or ["mean"]
        modes = [modes] if isinstance(modes, str) else modes
        known = set(POOLING_FLAGS.values())
        if not isinstance(modes, list) or not modes or len(set(map(str, modes))) < len(modes) or set(modes) - known:
            raise UnsupportedModelError(
                f"{path}: the pooling is {modes}; the engine supports {', '.join(POOLING_FLAGS.values())}, each once."
            )
        include_prompt = raw.get("include_prompt", True)
        if type(include_prompt) is not bool:
            raise ModelFormatError(f"{path}: include_prompt is {include_prompt!r}; expected true or false.")
        return modes, include_prompt

    def _pooling(self) -> dict[str, Any]:
        modes, include_prompt = self._modes()
        pooling: dict[str, Any] = {"mode": "+".join(modes), "normalize": self._chain()[1]}
        if type(self._max_tokens) is int and self._max_tokens > 0:
            pooling["max_tokens"] = self._max_tokens
        truncate_dim = self._settings.get("truncate_dim")
        if truncate_dim is not None:
            if type(truncate_dim) is not int or truncate_dim < 1:
                raise self._unsupported("truncate_dim", truncate_dim, "an integer of at least 1")
            pooling["truncate_dim"] = truncate_dim
        return pooling if include_prompt else pooling | {"include_prompt": False}

    def _prompts(self) -> dict[str, str]:
        prompts = self._settings.get("prompts") or {}
        if not isinstance(prompts, dict) or not all(isinstance(text, str | None) for text in prompts.values()):
            raise self._unsupported("prompts", prompts, "an object of strings")
        prompts = {name: text or "" for name, text in prompts.items()}
        default = self._settings.get("default_prompt_name")
        if default in ("query", "document"):
            prompts.setdefault(default, "")
        if default is not None and default not in prompts:
            raise self._unsupported("default_prompt_name", default, f"one of the prompts: {', '.join(prompts)}")
        entries = {"prompts": json.dumps(prompts, ensure_ascii=False)} if prompts else {}
        return entries if default is None else entries | {"default_prompt": default}

    def _activation(self, raw: dict[str, Any], num_labels: int) -> str | None:
        """How the logits of a cross-encoder become scores; None for other folders."""
        saved, old = raw.get("sentence_transformers"), raw.get("sbert_ce_default_activation_function")
        saved = saved if isinstance(saved, dict) else {}
        if not self.is_cross_encoder and (self.modules or not (saved or old)):
            return None
        path = self.encoder / "config.json"
        if (name := self._settings.get("activation_fn")) is not None:
            path = self.folder / "config_sentence_transformers.json"
        elif "activation_fn" in saved:
            name = saved["activation_fn"]
        else:
            name = old
        if name is None:
            return "sigmoid" if num_labels == 1 else "none"
        return activation_name(path, name, _SCORES)

    def _unsupported(self, key: str, value: Any, expected: str) -> UnsupportedModelError:
        path = self.folder / "config_sentence_transformers.json"
        return UnsupportedModelError(f"{path}: {key} is {value!r}; expected {expected}.")


def _read_modules(folder: Path) -> list[Module]:
    """The modules, [] without modules.json."""
    path = folder / "modules.json"
    if not path.is_file():
        return []
    try:
        entries = [(str(m["type"]), str(m.get("path", "")), str(m["name"])) for m in json.loads(read_text(path))]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ModelFormatError(f"{path}: not a list of sentence-transformers modules ({error!r}).") from None
    if len({name for _, _, name in entries}) < len(entries):
        raise ModelFormatError(f"{path}: two modules have the same name.")
    modules: list[Module] = []
    for index, (kind, where, _) in enumerate(entries):
        allowed = {0: ("Transformer",), 1: ("Pooling",)}.get(index, ("Dense", "LayerNorm", "Normalize", "Dropout"))
        name = kind.rsplit(".", 1)[-1]
        if not kind.startswith("sentence_transformers.") or name not in allowed:
            raise UnsupportedModelError(
                f"{path}: module {index} is {kind}; the engine supports Transformer, Pooling, then Dense, LayerNorm, "
                "Normalize and Dropout of sentence-transformers. Delete modules.json to convert only the encoder."
            )
        if where in (".", "..") or any(c in where for c in "/\\:\0") or (index > 0 and not where):
            raise ModelFormatError(f"{path}: module {index} has the path {where!r}; expected the name of a folder.")
        modules.append(Module(name, folder / where))
    if not modules:
        raise ModelFormatError(f"{path}: no modules. Download the file again.")
    return modules


def _step(module: Module, index: int, width: int) -> Step:
    if module.kind == "Dense":
        return dense(module.folder, index, width)
    if module.kind == "LayerNorm":
        return layer_norm(module.folder, index, width)
    check_names(module.folder, module_config(module.folder, ("module_input_name", "module_output_name")))
    return Step({"type": "normalize"}, width)


def _settings(folder: Path) -> dict[str, Any]:
    path = folder / "config_sentence_transformers.json"
    return parse_object(read_text(path), str(path)) if path.is_file() else {}


def _transformer_config(folder: Path, is_cross_encoder: bool) -> dict[str, Any]:
    """Settings of the Transformer module. Raises UnsupportedModelError for what could change the numbers."""
    path = next((folder / name for name in _TRANSFORMER_FILES if (folder / name).is_file()), None)
    if path is None:
        return {}
    raw = parse_object(read_text(path), str(path))
    output = "logits" if is_cross_encoder else "last_hidden_state"
    allowed: dict[str, tuple[Any, ...]] = _NEUTRAL | {
        "do_lower_case": (True, False, None),
        "transformer_task": ("sequence-classification" if is_cross_encoder else "feature-extraction",),
        "modality_config": ({"text": {"method": "forward", "method_output_name": output}},),
        "module_output_name": ("scores" if is_cross_encoder else "token_embeddings",),
        "unpad_inputs": (True, False, None),
    }
    for key, value in raw.items():
        if key == "max_seq_length":
            continue
        if key in _ARGUMENTS and isinstance(value, dict) and not value.keys() - set(_NEUTRAL_ARGUMENTS):
            continue
        if key not in allowed or value not in allowed[key]:
            raise UnsupportedModelError(f"{path}: {key} is {value!r}, which the engine does not support.")
    return raw
