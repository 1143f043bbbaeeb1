"""Random transformers models, in float32 with eager attention: the reference of the parity tests."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from tests.parity.random_weights import randomise  # noqa: E402 - needs torch

torch.set_num_threads(1)
transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()

Array = np.ndarray[Any, Any]
Outputs = dict[str, Array]

VOCABULARY = 1003

# The published sizes of a block; the vocabulary is smaller, which no layer but the last of an MLM head sees.
PUBLISHED: dict[str, Any] = {
    "vocab_size": VOCABULARY,
    "hidden_size": 512,
    "num_hidden_layers": 24,
    "num_attention_heads": 4,
    "intermediate_size": 512,
    "max_position_embeddings": 512,
    "embedding_size": 128,
    "intra_bottleneck_size": 128,
    "classifier_activation": False,
}
TINY: dict[str, Any] = {
    "use_bottleneck_attention": True,
    "key_query_shared_bottleneck": False,
    "num_feedforward_networks": 2,
}
WITHOUT_OPT: dict[str, Any] = {"hidden_act": "gelu", "normalization_type": "layer_norm"}

# No size is a multiple of 16, heads are 8 wide, and the vocabulary is prime to everything.
ODD: dict[str, Any] = {
    "vocab_size": VOCABULARY,
    "hidden_size": 96,
    "num_hidden_layers": 24,
    "num_attention_heads": 5,
    "intermediate_size": 71,
    "max_position_embeddings": 512,
    "embedding_size": 25,
    "intra_bottleneck_size": 40,
}
BERT: dict[str, Any] = {
    "vocab_size": VOCABULARY,
    "hidden_size": 384,
    "num_hidden_layers": 24,
    "num_attention_heads": 12,
    "intermediate_size": 1536,
}
ODD_BERT: dict[str, Any] = {
    "vocab_size": VOCABULARY,
    "hidden_size": 95,
    "num_hidden_layers": 6,
    "num_attention_heads": 5,
    "intermediate_size": 203,
}
ODD_DISTILBERT: dict[str, Any] = {
    "vocab_size": VOCABULARY,
    "dim": 95,
    "n_layers": 6,
    "n_heads": 5,
    "hidden_dim": 203,
}


def texts(*lengths: int, seed: int = 1, vocabulary: int = VOCABULARY) -> list[Array]:
    """Random ids, none of them [PAD]."""
    random = np.random.default_rng(seed)
    return [random.integers(1, vocabulary, n) for n in lengths]


def segments(ids: Array) -> Array:
    """Token types: a first and a second sentence."""
    return (np.arange(ids.size) >= (ids.size + 1) // 2).astype(np.int64)


def make(family: str, head: str, config: dict[str, Any], seed: int = 0) -> Any:
    """A random `family + head`, for example MobileBert + ForMaskedLM, in eval mode."""
    made = getattr(transformers, family + "Config")(**config, attn_implementation="eager")
    model = getattr(transformers, family + head)(made).eval()
    randomise(model, seed)
    return model


def additive(mask: Array, dtype: Any) -> Any:
    """A mask [S, S] or [S] of 0 and 1 as transformers' own [1, 1, S or 1, S]; lists of [S] it widens itself."""
    if mask.ndim == 1:
        return torch.tensor(mask)[None]
    return torch.tensor(1 - mask, dtype=dtype)[None, None] * torch.finfo(dtype).min


def run(model: Any, ids: Array, types: Array | None = None, mask: Array | None = None) -> Outputs:
    """Every output of the model for one text, alone and without padding, with the names of ModelOutput.

    Per token [S, n]; hidden_state.i [S, H], attention.i [A, S, S]; for multiple choice `ids` is one of the choices.
    """
    inputs = {"input_ids": torch.tensor(ids)[None]}
    if types is not None:
        inputs["token_type_ids"] = torch.tensor(types)[None]
    if mask is not None:
        inputs["attention_mask"] = additive(mask, model.dtype)
    if type(model).__name__.endswith("ForMultipleChoice"):
        inputs = {name: value[None] for name, value in inputs.items()}
    with torch.no_grad():
        out = model(**inputs, output_hidden_states=True, output_attentions=True)
    return named(out)


def named(out: Any, text: int = 0) -> Outputs:
    """One text of a batch, as `run` returns it."""
    found = {"last_hidden_state": out.hidden_states[-1]}
    found |= {f"hidden_state.{i}": state for i, state in enumerate(out.hidden_states)}
    found |= {f"attention.{i}": weights for i, weights in enumerate(out.attentions)}
    for ours, theirs in (
        ("pooler_output", "pooler_output"),
        ("logits", "logits"),
        ("logits", "prediction_logits"),
        ("seq_relationship_logits", "seq_relationship_logits"),
        ("start_logits", "start_logits"),
        ("end_logits", "end_logits"),
    ):
        if out.get(theirs) is not None:
            found[ours] = out[theirs]
    return {name: value[text].numpy() for name, value in found.items()}
