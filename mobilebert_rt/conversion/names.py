"""From the engine's layer names to those of a Hugging Face state dict, and the bookkeeping of what was used.

A name here is `(dense, norm)`: the source's linear layer and the norm that follows it (None where there is
none), both without `.weight` / `.bias` and without the model's prefix (`mobilebert.`, `bert.`,
`distilbert.`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mobilebert_rt.config import EngineConfig
from mobilebert_rt.conversion.checkpoint import Entry
from mobilebert_rt.errors import ModelFormatError, UnsupportedModelError

Name = tuple[str, str | None]

WORD = "embeddings.word_embeddings.weight"
POSITION = "embeddings.position_embeddings.weight"
TYPE = "embeddings.token_type_embeddings.weight"
EMBEDDINGS_NORM = "embeddings.LayerNorm"
PROJECTION = "embeddings.embedding_transformation"

# Buffers of old checkpoints, and heads that the chosen class does not have: Hugging Face skips them as well.
_HARMLESS = re.compile(
    r"embeddings\.(position_ids|token_type_ids)$"
    r"|(cls|classifier|qa_outputs|pooler|pre_classifier|vocab_transform|vocab_layer_norm|vocab_projector)\."
)


@dataclass(frozen=True)
class HeadNames:
    """Where a family keeps its heads."""

    pooler: str
    mlm_transform: Name
    mlm_decoder: str  # has .weight and .bias
    mlm_bias: str | None  # an alias of the decoder's bias


_BERT_HEADS = HeadNames(
    "pooler.dense",
    ("cls.predictions.transform.dense", "cls.predictions.transform.LayerNorm"),
    "cls.predictions.decoder",
    "cls.predictions.bias",
)
_DISTILBERT_HEADS = HeadNames("pre_classifier", ("vocab_transform", "vocab_layer_norm"), "vocab_projector", None)


def head_names(model_type: str) -> HeadNames:
    """The heads' names in the family `model_type`."""
    return _DISTILBERT_HEADS if model_type == "distilbert" else _BERT_HEADS


def layer_names(model_type: str, layer: int, num_ffn: int) -> dict[str, Name]:
    """The linear layers of one block: the engine's name below `encoder.layer.{i}.`, and the source's."""
    if model_type == "distilbert":
        at = f"transformer.layer.{layer}."
        return {
            "attention.query": (at + "attention.q_lin", None),
            "attention.key": (at + "attention.k_lin", None),
            "attention.value": (at + "attention.v_lin", None),
            "attention.output": (at + "attention.out_lin", at + "sa_layer_norm"),
            "ffn.0.intermediate": (at + "ffn.lin1", None),
            "ffn.0.output": (at + "ffn.lin2", at + "output_layer_norm"),
        }
    at = f"encoder.layer.{layer}."

    def normed(stem: str) -> Name:
        return f"{at}{stem}.dense", f"{at}{stem}.LayerNorm"

    names: dict[str, Name] = {
        "bottleneck.input": normed("bottleneck.input"),
        "bottleneck.attention": normed("bottleneck.attention"),
        "attention.query": (at + "attention.self.query", None),
        "attention.key": (at + "attention.self.key", None),
        "attention.value": (at + "attention.self.value", None),
        "attention.output": normed("attention.output"),
        "output_bottleneck": normed("output.bottleneck"),
    }
    for j in range(num_ffn):
        # The state dict's bare `intermediate` and `output` are the last FFN of the stack, not the first.
        stem = f"ffn.{j}." if j < num_ffn - 1 else ""
        names[f"ffn.{j}.intermediate"] = (f"{at}{stem}intermediate.dense", None)
        names[f"ffn.{j}.output"] = normed(stem + "output")
    return names


class StateDict:
    """The source's tensors under unprefixed, current names; remembers which were taken."""

    def __init__(self, entries: dict[str, Entry], model_type: str) -> None:
        """Normalise names. Raises ModelFormatError when two stored names mean the same tensor."""
        self._entries: dict[str, tuple[str, Entry]] = {}
        self._taken: set[str] = set()
        for stored, entry in entries.items():
            name = _canonical(stored, model_type)
            if name in self._entries:
                raise ModelFormatError(
                    f'{entry.file}: tensors "{self._entries[name][0]}" and "{stored}" are '
                    f'both the model\'s "{name}". '
                    "Delete one of them."
                )
            self._entries[name] = (stored, entry)

    def __contains__(self, name: str) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def shape(self, name: str) -> tuple[int, ...]:
        """Shape of a tensor that is there. Raises ModelFormatError when it is not."""
        return self._find(name)[1].shape

    def take(self, name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
        """The tensor as float32, read-only. Raises ModelFormatError when missing or not of `shape`."""
        stored, entry = self._find(name)
        if entry.shape != shape:
            raise ModelFormatError(
                f'{entry.file}: tensor "{stored}" has shape {list(entry.shape)}, '
                f"config.json asks for {list(shape)}. "
                "The config and the weights belong to different models, or the config is wrong."
            )
        self._taken.add(name)
        return entry.float32(stored)

    def linear(self, name: str, outputs: int, inputs: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Weight [outputs, inputs] and bias [outputs] of a linear layer."""
        return self.take(name + ".weight", (outputs, inputs)), self.take(name + ".bias", (outputs,))

    def one_of(self, own: str, alias: str | None, shape: tuple[int, ...], tied: bool = True) -> NDArray[np.float32]:
        """A tensor that may be stored under its own name, under the one it is tied to, or under both.

        Raises ModelFormatError when both are there, tied, and differ: which one was meant cannot be known.
        """
        if own not in self:
            return self.take(own if alias is None or alias not in self else alias, shape)
        values = self.take(own, shape)
        if tied and alias is not None and alias in self and not np.array_equal(values, self.take(alias, shape)):
            stored, entry = self._find(own)
            raise ModelFormatError(
                f'{entry.file}: tensors "{stored}" and "{self._find(alias)[0]}" are '
                "tied in this model but differ. "
                'If the decoder is its own, set "tie_word_embeddings": false in '
                "config.json; else delete it from the file."
            )
        return values

    def check_all_used(self, cfg: EngineConfig) -> None:
        """Raises UnsupportedModelError for a tensor that changes the result and was not used."""
        for name in self._entries.keys() - self._taken:
            if not _HARMLESS.match(name) and not _is_unused_by_design(name, cfg):
                stored, entry = self._entries[name]
                raise UnsupportedModelError(
                    f'{entry.file}: tensor "{stored}" has no place in the model that config.json describes. '
                    "Correct config.json (number of layers, FFNs, bottlenecks), or merge "
                    "adapters into the weights first."
                )

    def _find(self, name: str) -> tuple[str, Entry]:
        if name not in self._entries:
            file = next(iter(self._entries.values()))[1].file if self._entries else "the checkpoint"
            raise ModelFormatError(
                f'{file}: tensor "{name}" is missing. If it belongs to a head that you '
                "do not need, name the bare class "
                '(such as "MobileBertModel") under "architectures" in config.json; '
                "else fetch the checkpoint again."
            )
        return self._entries[name]


def _canonical(stored: str, model_type: str) -> str:
    name = stored.removeprefix(model_type + ".")
    if name.endswith("LayerNorm.gamma"):
        return name.removesuffix("gamma") + "weight"
    if name.endswith("LayerNorm.beta"):
        return name.removesuffix("beta") + "bias"
    return name


def _is_unused_by_design(name: str, cfg: EngineConfig) -> bool:
    """Tensors that Hugging Face's MobileBERT creates and then never reads."""
    if name.startswith(PROJECTION + "."):
        return not cfg.has_projection
    return cfg.bottleneck == "full" and ".bottleneck.attention." in name


def infer_head_class(names: Iterable[str], model_type: str) -> str:
    """The class suffix ("Model", "ForMaskedLM", ...) of a config without `architectures`, from the tensors.

    Raises UnsupportedModelError when a classifier could belong to more than one class.
    """
    present = set(names)
    heads = head_names(model_type)
    if "classifier.weight" in present:
        raise UnsupportedModelError(
            'config.json: no "architectures", and a classifier may be of several kinds. '
            'Add for example "architectures": ["MobileBertForSequenceClassification"].'
        )
    if "qa_outputs.weight" in present:
        return "ForQuestionAnswering"
    has_mlm = heads.mlm_transform[0] + ".weight" in present
    if "cls.seq_relationship.weight" in present:
        return "ForPreTraining" if has_mlm else "ForNextSentencePrediction"
    return "ForMaskedLM" if has_mlm else "Model"
