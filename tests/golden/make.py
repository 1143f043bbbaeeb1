"""Makes the golden files with PyTorch: `python -m tests.golden.make` makes those that are missing or out of date."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest

import mobilebert_rt
from tests.golden.files import NAMES, Case, case_of, write
from tests.parity.random_weights import randomise
from tests.parity.transformers_models import (
    BERT,
    ODD,
    ODD_BERT,
    ODD_DISTILBERT,
    PUBLISHED,
    TINY,
    WITHOUT_OPT,
    Array,
    Outputs,
    run,
    segments,
    texts,
    torch,
)
from tests.parity.transformers_models import (
    make as make_model,
)

configs = pytest.importorskip("mbrt_train.config")
models = pytest.importorskip("mbrt_train.models")

SHORT: dict[str, Any] = {"vocab_size": 307, "max_position_embeddings": 40, "num_hidden_layers": 3}
LENGTHS = (1, 33, 7)
NARROW = SHORT | {
    "hidden_size": 128,
    "num_hidden_layers": 24,
    "intermediate_size": 128,
    "embedding_size": 32,
    "intra_bottleneck_size": 32,
}


@dataclass(frozen=True)
class Recipe:
    """How a case is made; `family` "Teacher" is the training package's IB-BERT."""

    family: str
    head: str
    config: dict[str, Any]
    lengths: tuple[int, ...] = LENGTHS
    holes: bool = False


def odd(head: str, *changes: dict[str, Any], **more: Any) -> Recipe:
    config = ODD | SHORT
    for change in changes:
        config = config | change
    return Recipe("MobileBert", head, config, **more)


TEACHER = {
    "hidden_size": 96,
    "embedding_size": 25,
    "intra_bottleneck_size": 185,
    "intermediate_size": 211,
    "num_attention_heads": 5,
}

RECIPES: dict[str, Recipe] = {
    "mobilebert_24_layers_int8": Recipe("MobileBert", "Model", PUBLISHED | {"max_position_embeddings": 128}, (128,)),
    "mobilebert_24_layers_fp32": Recipe("MobileBert", "Model", PUBLISHED | NARROW, (17,)),
    "shared_fp32_pretraining": odd("ForPreTraining", {"hidden_act": "silu"}),
    "shared_int8_pretraining": odd("ForPreTraining"),
    "shared_int8_holes": odd("ForMaskedLM", {"hidden_act": "relu6"}, holes=True),
    "without_opt_fp32_masked_lm": odd("ForMaskedLM", WITHOUT_OPT),
    "without_opt_int8_masked_lm": odd("ForMaskedLM", WITHOUT_OPT),
    "tiny_fp32_token_classification": odd("ForTokenClassification", TINY, {"num_labels": 5, "hidden_act": "tanh"}),
    "tiny_int8_question_answering": odd("ForQuestionAnswering", TINY, {"hidden_act": "tanh"}),
    "teacher_fp32_pretraining": Recipe("Teacher", "ForPreTraining", SHORT | TEACHER),
    "teacher_int8_pretraining": Recipe("Teacher", "ForPreTraining", SHORT | TEACHER | {"hidden_act": "gelu_new"}),
    "bert_fp32_sequence_classification": Recipe(
        "Bert", "ForSequenceClassification", ODD_BERT | SHORT | {"num_labels": 35, "hidden_act": "gelu_new"}
    ),
    "bert_int8_sequence_classification": Recipe("Bert", "ForSequenceClassification", BERT | SHORT | {"num_labels": 3}),
    "no_bottleneck_int8_next_sentence": odd(
        "ForNextSentencePrediction", {"use_bottleneck": False, "num_attention_heads": 6, "hidden_act": "silu"}
    ),
    "distilbert_fp32_sequence_classification": Recipe(
        "DistilBert",
        "ForSequenceClassification",
        ODD_DISTILBERT | {"vocab_size": 307, "max_position_embeddings": 40, "n_layers": 3, "num_labels": 1},
    ),
}


def teacher(config: dict[str, Any]) -> tuple[Any, Callable[..., Outputs]]:
    """The training package's model, and `run` for it."""
    model = models.PreTraining(replace(configs.IB_BERT_LARGE, **config)).eval()
    randomise(model)

    def outputs(model: Any, ids: Array, types: Array | None, mask: Array | None) -> Outputs:
        assert types is not None
        assert mask is None
        with torch.no_grad():
            words, relation, out = model(torch.tensor(ids)[None], types=torch.tensor(types)[None])
        found = {"logits": words, "seq_relationship_logits": relation, "last_hidden_state": out.last_hidden_state}
        found |= {f"hidden_state.{i}": state for i, state in enumerate(out.hidden_states)}
        return {name: value[0].numpy() for name, value in found.items()}

    return model, outputs


def reference(recipe: Recipe, folder: Path) -> tuple[Any, Callable[..., Outputs]]:
    """A PyTorch model, saved into `folder`, and the function that runs it on one text."""
    if recipe.family == "Teacher":
        model, outputs = teacher(recipe.config)
        models.save(model, folder)
        return model, outputs
    model = make_model(recipe.family, recipe.head, recipe.config)
    model.save_pretrained(folder)
    return model, run


def join(outputs: list[Outputs], lengths: tuple[int, ...]) -> Outputs:
    """The reference's outputs of each text, in the layout of golden files."""
    per_token = ("logits", "start_logits", "end_logits")

    def one(name: str) -> Array:
        values = [out[name] for out in outputs]
        whole = all(value.shape[:1] == (n,) for value, n in zip(values, lengths, strict=True))
        is_per_token = name.startswith(("hidden_state", "last_")) or (name in per_token and whole)
        return np.concatenate(values) if is_per_token else np.stack(values)

    return {name: one(name) for name in outputs[0] if not name.startswith("attention.")}


def make_case(name: str, folder: Path) -> None:
    """Writes NAME.safetensors and NAME.npz into the folder."""
    recipe = RECIPES[name]
    target = folder / f"{name}.safetensors"
    with TemporaryDirectory() as source:
        model, outputs = reference(recipe, Path(source))
        mobilebert_rt.convert(source, target, precision="int8" if "int8" in name else "fp32", force=True)
    ids = texts(*recipe.lengths, vocabulary=model.config.vocab_size)
    types = None if recipe.family == "DistilBert" else [segments(row) for row in ids]
    mask = None
    if recipe.holes:
        mask = [(np.arange(row.size) % 3 != 1).astype(np.int64) for row in ids]
    alone = [
        outputs(model, row, None if types is None else types[b], None if mask is None else mask[b])
        for b, row in enumerate(ids)
    ]
    case = Case(target, ids, types, mask, {}, join(alone, recipe.lengths))
    engine = case.run(mobilebert_rt.Model.from_pretrained(target, num_threads=1))
    theirs = {key: value for key, value in case.transformers.items() if key in engine}
    write(folder / f"{name}.npz", replace(case, engine=engine, transformers=theirs))


if __name__ == "__main__":
    for name in NAMES:
        case_of(name)
