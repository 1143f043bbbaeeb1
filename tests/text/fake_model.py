"""A stand-in for the engine: deterministic numpy, `mobilebert_rt.Model`'s interface, a record of calls."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mobilebert_rt.config import EngineConfig
from mobilebert_rt.errors import InputError
from mobilebert_rt.model import ModelOutput, TensorInfo

PER_TOKEN = ("token_classification", "question_answering", "masked_lm", "pretraining")
HIDDEN = 8

# A head's logits for one sequence: ids -> [n], or [S, n] for heads that answer for each token.
Respond = Callable[[list[int]], npt.ArrayLike]

WORDS = """
the a of in is was who where when what wrote notes by ada love ##lace lived london paris france capital city
cat dog ##s ##ing film good bad warm funny not very and to 1843 . , ? ! ' -
b c d e f g h i j k l m n o p q r s t u
"""
VOCABULARY = "\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS.split()]) + "\n"


def config(**changes: Any) -> EngineConfig:
    """A small configuration for VOCABULARY."""
    base: dict[str, Any] = {
        "precision": "int8",
        "vocab_size": VOCABULARY.count("\n"),
        "hidden_size": HIDDEN,
        "body_size": HIDDEN,
        "embedding_size": HIDDEN,
        "num_layers": 2,
        "num_heads": 2,
        "intermediate_size": 16,
        "num_ffn": 1,
        "max_positions": 32,
        "type_vocab_size": 2,
        "pad_token_id": 0,
        "trigram": False,
        "bottleneck": "none",
        "norm": "layer_norm",
        "activation": "gelu",
        "eps_embeddings": 1e-12,
        "eps": 1e-12,
        "eps_output": 1e-12,
        "eps_mlm": 1e-12,
        "mlm_activation": "gelu",
        "pooler": "tanh",
        "head": "none",
        "num_labels": 0,
    }
    return EngineConfig(**{**base, **changes})


class FakeModel:
    """`respond` gives the head's logits; a token's state is fixed by its id, type and position."""

    path = Path("fake.safetensors")
    isa = "scalar"
    num_threads = 1

    def __init__(
        self,
        respond: Respond | None = None,
        metadata: Mapping[str, str] | None = None,
        labels: list[str] | None = None,
        **changes: Any,
    ) -> None:
        self.config = config(**({"num_labels": len(labels)} if labels else {}), **changes)
        self.metadata = {"vocab.txt": VOCABULARY, **(metadata or {})}
        if labels:
            self.metadata["labels"] = json.dumps(labels)
        self.labels = labels
        self.respond = respond
        self.calls: list[dict[str, Any]] = []
        self.kernels = {"gemm_s8": "4x16_scalar"}
        self.memory = {"weights": 1000, "workspace": 10}
        self.trimmed = 0

    def trim(self) -> int:
        self.trimmed += 1
        return 0

    def tensors(self) -> list[TensorInfo]:
        return [TensorInfo("embeddings.word.weight", "I8", (72, 16), 1152)]

    def states(self, ids: list[int], types: list[int] | None) -> npt.NDArray[np.float32]:
        """[S, H] float32"""
        table = np.random.default_rng(1).standard_normal((self.config.vocab_size, HIDDEN))
        rows = table[ids] + np.arange(len(ids))[:, np.newaxis] / 64
        return np.asarray(rows + (0 if types is None else 0.5 * np.array(types)[:, np.newaxis]), dtype=np.float32)

    def __call__(
        self,
        input_ids: list[list[int]],
        attention_mask: None = None,
        token_type_ids: list[list[int]] | None = None,
        *,
        output_hidden_states: bool = False,
        timeout: float | None = None,
        cancel: object | None = None,
        logit_positions: list[list[int]] | None = None,
    ) -> ModelOutput:
        if any(not 0 < len(ids) <= self.config.max_positions for ids in input_ids):
            raise InputError(f"lengths {[len(ids) for ids in input_ids]}")
        self.calls.append({"ids": input_ids, "types": token_type_ids, "timeout": timeout, "cancel": cancel})
        types = token_type_ids or [None] * len(input_ids)
        states = [self.states(ids, kind) for ids, kind in zip(input_ids, types, strict=True)]
        hidden = (states,) * (self.config.num_layers + 1) if output_hidden_states else None
        if self.respond is None or self.config.head == "none":
            return ModelOutput(states, hidden_states=hidden)
        logits = [np.asarray(self.respond(ids), dtype=np.float32) for ids in input_ids]
        if self.config.head == "question_answering":
            return ModelOutput(states, start_logits=[x[:, 0] for x in logits], end_logits=[x[:, 1] for x in logits])
        if logit_positions is not None:
            return ModelOutput(states, logits=[x[p] for x, p in zip(logits, logit_positions, strict=True)])
        return ModelOutput(states, logits=logits if self.config.head in PER_TOKEN else np.stack(logits))


def word_id(word: str) -> int:
    """The id of a piece of VOCABULARY."""
    return VOCABULARY.split("\n").index(word)
