"""The checkpoint's tensors under BERT's names, and which of them were used."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from mobilebert_rt.config import EngineConfig
from mobilebert_rt.conversion.checkpoint import Entry
from mobilebert_rt.conversion.layers import HEADS
from mobilebert_rt.errors import ModelFormatError, UnsupportedModelError

# BERT's name and that of the family, replaced in this order.
_DISTILBERT = (
    ("encoder.layer.", "transformer.layer."),
    ("attention.self.query", "attention.q_lin"),
    ("attention.self.key", "attention.k_lin"),
    ("attention.self.value", "attention.v_lin"),
    ("attention.output.dense", "attention.out_lin"),
    ("attention.output.LayerNorm", "sa_layer_norm"),
    ("intermediate.dense", "ffn.lin1"),
    ("output.dense", "ffn.lin2"),
    ("output.LayerNorm", "output_layer_norm"),
    ("pooler.dense", "pre_classifier"),
    ("cls.predictions.transform.dense", "vocab_transform"),
    ("cls.predictions.transform.LayerNorm", "vocab_layer_norm"),
    ("cls.predictions.decoder", "vocab_projector"),
    ("cls.predictions.bias", "vocab_projector.bias"),
)
_OPENAI_GPT = (
    ("embeddings.word_embeddings", "tokens_embed"),
    ("embeddings.position_embeddings", "positions_embed"),
    ("encoder.layer.", "h."),
    *((f"attention.self.{role}", "attn.c_attn") for role in ("query", "key", "value")),
    ("attention.output.dense", "attn.c_proj"),
    ("attention.output.LayerNorm", "ln_1"),
    ("intermediate.dense", "mlp.c_fc"),
    ("output.dense", "mlp.c_proj"),
    ("output.LayerNorm", "ln_2"),
)
_NAMES = {"distilbert": _DISTILBERT, "openai-gpt": _OPENAI_GPT}
# What a class with a head puts before the encoder's names, where it is not the family.
_PREFIXES = {"openai-gpt": "transformer"}
# OpenAI GPT's linear layers: weights [inputs, outputs], and the outputs of query, key and value side by side.
_CONV1D = re.compile(r"\.c_(attn|proj|fc)\.(weight|bias)$")
_PARTS = ("query", "key", "value")

# Buffers of old checkpoints, and heads that the chosen class does not have: transformers ignores them too.
_IGNORED = (
    *("cls.", "pooler.", "pre_classifier.", "vocab_transform.", "vocab_layer_norm.", "vocab_projector."),
    *("lm_head.", "multiple_choice_head."),
    *(f"{head.classifier}." for head in HEADS.values() if head.classifier),
)
# What wrappers put before names: DataParallel, torch.compile, training loops, sentence-transformers.
_WRAPPERS = re.compile(r"^(?:(?:module|_orig_mod|model|0\.auto_model)\.)+|(?<=\.)(?:module|_orig_mod)\.")
_IGNORED_BUFFERS = re.compile(r"embeddings\.(position|token_type)_ids|position_ids|h\.\d+\.attn\.bias")


class StateDict:
    """Tensors by BERT's names, whatever the prefix and the family; remembers which were taken."""

    def __init__(self, entries: dict[str, Entry], family: str) -> None:
        """Normalise names. Raises ModelFormatError when two stored names mean the same tensor."""
        self._family = family
        self._entries: dict[str, tuple[str, Entry]] = {}
        self._taken: set[str] = set()
        for stored, entry in entries.items():
            name = _WRAPPERS.sub("", stored).removeprefix(_PREFIXES.get(family, family) + ".")
            for old, new in (("LayerNorm.gamma", "LayerNorm.weight"), ("LayerNorm.beta", "LayerNorm.bias")):
                name = name.removesuffix(old) + new if name.endswith(old) else name
            if name in self._entries:
                raise ModelFormatError(
                    f'{entry.file}: "{self._entries[name][0]}" and "{stored}" are two names of the tensor "{name}". '
                    "Delete one of them."
                )
            self._entries[name] = (stored, entry)

    def __contains__(self, name: str) -> bool:
        return self._local(name) in self._entries

    def shape(self, name: str) -> tuple[int, ...]:
        """Shape of a tensor. Raises ModelFormatError when it is missing."""
        return self._find(name)[1].shape

    def take(self, name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
        """The tensor as float32, read-only. Raises ModelFormatError when missing or not of `shape`."""
        stored, entry = self._find(name)
        local = self._local(name)
        conv1d = _CONV1D.search(local)
        fused = conv1d and conv1d[1] == "attn"
        wanted = (*shape[:0:-1], shape[0] * (len(_PARTS) if fused else 1)) if conv1d else shape
        if entry.shape != wanted:
            raise ModelFormatError(
                f'{entry.file}: tensor "{stored}" has shape {list(entry.shape)}; config.json requires {list(wanted)}. '
                "Use the config.json that was saved with these weights."
            )
        self._taken.add(local)
        values = entry.float32(stored)
        if not conv1d:
            return values
        part = next(i for i, role in enumerate(_PARTS) if f".{role}." in name) if fused else 0
        return np.ascontiguousarray(values.T[part * shape[0] : (part + 1) * shape[0]])

    def take_tied(
        self, name: str, alias: str | None, shape: tuple[int, ...], must_agree: bool = True
    ) -> NDArray[np.float32]:
        """A tensor that may be stored under its own name, an alias, or both, which then must agree."""
        if name not in self:
            return self.take(alias if alias is not None and alias in self else name, shape)
        values = self.take(name, shape)
        if must_agree and alias is not None and alias in self and not np.array_equal(values, self.take(alias, shape)):
            (stored, entry), (other, _) = self._find(name), self._find(alias)
            raise ModelFormatError(
                f'{entry.file}: tensors "{stored}" and "{other}" differ; in this model they are tied. Set '
                '"tie_word_embeddings": false in config.json if the decoder has its own weights; else delete it.'
            )
        return values

    def check_all_used(self, cfg: EngineConfig) -> None:
        """Raises UnsupportedModelError for a tensor that changes the result and was not used."""
        for name in self._entries.keys() - self._taken:
            ignored = _IGNORED_BUFFERS.fullmatch(name) or name.startswith(_IGNORED)
            if not ignored and not _is_never_read(name, cfg):
                stored, entry = self._entries[name]
                raise UnsupportedModelError(
                    f'{entry.file}: tensor "{stored}" is not part of the model that config.json describes. '
                    "Correct config.json (number of layers, FFNs, bottlenecks), or merge adapters into the weights."
                )

    def _local(self, name: str) -> str:
        """The family's own name."""
        for bert, own in _NAMES.get(self._family, ()):
            name = name.replace(bert, own)
        return name

    def _find(self, name: str) -> tuple[str, Entry]:
        """Stored name and entry."""
        local = self._local(name)
        if local not in self._entries:
            file = next(iter(self._entries.values()))[1].file if self._entries else "the checkpoint"
            raise ModelFormatError(
                f'{file}: tensor "{local}" is missing. Download the checkpoint again; to convert the model without '
                'this head, set "architectures" in config.json to the base class, such as "MobileBertModel".'
            )
        return self._entries[local]


def _is_never_read(name: str, cfg: EngineConfig) -> bool:
    """Tensors that transformers' MobileBERT creates and never reads."""
    if name.startswith("embeddings.embedding_transformation."):
        return not cfg.has_projection
    return cfg.bottleneck == "full" and ".bottleneck.attention." in name
