"""The converted file, run in float64 as docs/model_format.md specifies, gives what transformers gives."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mobilebert_rt.conversion import build
from tests.conversion.reader import File, Reference
from tests.emulation import import_on_host
from tests.small_models.families import HEADS
from tests.small_models.folders import BOTTLENECKS

torch = import_on_host("torch")
transformers = import_on_host("transformers")

IDS = np.array([3, 36, 5, 5, 0, 17, 1])
TYPES = np.array([0, 0, 0, 1, 1, 1, 1])
MOBILEBERT: dict[str, Any] = {
    "vocab_size": 37,
    "hidden_size": 22,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "intermediate_size": 19,
    "max_position_embeddings": 13,
    "embedding_size": 7,
    "intra_bottleneck_size": 15,
    "num_feedforward_networks": 3,
    "num_labels": 5,
}
BERT: dict[str, Any] = {
    "vocab_size": 37,
    "hidden_size": 21,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "intermediate_size": 19,
    "max_position_embeddings": 13,
    "num_labels": 5,
    "layer_norm_eps": 1e-7,
}
DISTILBERT: dict[str, Any] = {
    "vocab_size": 37,
    "dim": 21,
    "n_layers": 2,
    "n_heads": 3,
    "hidden_dim": 19,
    "max_position_embeddings": 13,
    "num_labels": 5,
}
GPT: dict[str, Any] = {"vocab_size": 37, "n_embd": 21, "n_layer": 2, "n_head": 3, "n_positions": 13}
BASES = {"MobileBert": MOBILEBERT, "Bert": BERT, "DistilBert": DISTILBERT, "OpenAIGPT": GPT}


def cases() -> list[Any]:
    """Every class of every family, then every bottleneck, norm and activation."""
    found = []
    for head in HEADS:
        found.append(("MobileBert", head, {}))
        found.append(("MobileBert", head, {"classifier_activation": False}))
        found.append(("Bert", head, {}))
        if head not in ("ForPreTraining", "ForNextSentencePrediction"):
            found.append(("DistilBert", head, {}))
    for kind in ("none", "shared", "full"):
        for norm in ("no_norm", "layer_norm"):
            changes = BOTTLENECKS[kind] | {"normalization_type": norm, "num_attention_heads": 1}
            found.append(("MobileBert", "Model", changes))
    found += [
        ("MobileBert", "ForMaskedLM", {"hidden_act": name}) for name in ("gelu", "gelu_new", "relu6", "silu", "tanh")
    ]
    found += [
        ("MobileBert", "ForMaskedLM", {"trigram_input": False}),
        ("MobileBert", "ForMaskedLM", {"trigram_input": False, "embedding_size": 22}),
        ("MobileBert", "ForMaskedLM", {"embedding_size": 22}),
        ("MobileBert", "Model", {"num_feedforward_networks": 1}),
        ("MobileBert", "Model", BOTTLENECKS["full"] | {"key_query_shared_bottleneck": True}),
        ("MobileBert", "ForMaskedLM", {"tie_word_embeddings": False}),
        ("Bert", "ForMaskedLM", {"tie_word_embeddings": False}),
        ("Bert", "ForMaskedLM", {"hidden_act": "relu"}),
        ("DistilBert", "ForMaskedLM", {"activation": "relu"}),
        ("DistilBert", "Model", {"sinusoidal_pos_embds": True}),
        ("OpenAIGPT", "Model", {}),
        ("OpenAIGPT", "Model", {"afn": "silu", "layer_norm_epsilon": 1e-3}),
        ("OpenAIGPT", "LMHeadModel", {"afn": "relu"}),
    ]
    return [pytest.param(*case, id="-".join([case[0] + case[1], *map(str, case[2].values())])) for case in found]


def make(family: str, head: str, changes: dict[str, Any]) -> Any:
    """A random model of a class, in eval mode, whose norms and biases matter."""
    base = BASES[family]
    labels = {"num_labels": 2} if head == "ForQuestionAnswering" else {}
    config = getattr(transformers, family + "Config")(**(base | labels | changes))
    torch.manual_seed(7)
    model = getattr(transformers, family + head)(config).eval()
    randomise(model)
    return model


def randomise(model: Any) -> None:
    """Weights of a size that keeps states near 1; gammas away from 1 and biases away from 0."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if re.search(r"(LayerNorm|layer_norm|ln_\d)\.weight", name):
                parameter.uniform_(0.5, 1.5)
            elif parameter.ndim == 1:
                parameter.normal_(0, 0.3)
            elif re.search(r"embed(dings)?$", name.rsplit(".", 2)[-2]):
                parameter.normal_()
            else:
                parameter.normal_(0, 0.5 * parameter.shape[1] ** -0.5)


def expected(model: Any, family: str) -> dict[str, np.ndarray[Any, Any]]:
    """Outputs of transformers for IDS, TYPES; in float64, so that only the converter's rounding is compared."""
    model = model.double()
    inputs = {"input_ids": torch.tensor(IDS)[None], "token_type_ids": torch.tensor(TYPES)[None]}
    if family in ("DistilBert", "OpenAIGPT"):
        del inputs["token_type_ids"]
    if "MultipleChoice" in type(model).__name__:
        inputs = {name: value[None] for name, value in inputs.items()}
    with torch.no_grad():
        out = model(**inputs, output_hidden_states=True)
    named: dict[str, Any] = {f"hidden_{i}": state for i, state in enumerate(out.hidden_states)}
    for ours, theirs in (
        ("pooled", "pooler_output"),
        ("logits", "logits"),
        ("logits", "prediction_logits"),
        ("next_sentence", "seq_relationship_logits"),
    ):
        if out.get(theirs) is not None and "LMHead" not in type(model).__name__:
            named[ours] = out[theirs]
    if "start_logits" in out:
        named["logits"] = torch.stack([out.start_logits, out.end_logits], dim=-1)
    return {name: value[0].numpy() for name, value in named.items()}


def worst_row_error(actual: Any, wanted: Any) -> float:
    """max over rows of max |a - b| / max |b|."""
    error = np.abs(actual - wanted).max(axis=-1) / np.abs(wanted).max(axis=-1)
    return float(error.max())


def compare(image: bytes, wanted: dict[str, np.ndarray[Any, Any]], bound: float) -> None:
    out = Reference(File(image)).run(IDS, TYPES)
    actual = {f"hidden_{i}": state for i, state in enumerate(out.hidden_states)}
    actual |= {"pooled": out.pooled, "logits": out.logits, "next_sentence": out.next_sentence}
    for name, value in wanted.items():
        assert actual[name].shape == value.shape, name
        assert worst_row_error(actual[name], value) <= bound, name


@pytest.mark.parametrize(("family", "head", "changes"), cases())
def test_converted_model_matches_transformers(tmp_path: Path, family: str, head: str, changes: dict[str, Any]) -> None:
    model = make(family, head, changes)
    model.save_pretrained(tmp_path)
    wanted = expected(model, family)
    compare(bytes(build(tmp_path, "fp32")), wanted, 2e-6)
    # Only the weights are rounded here: the rest is as exact as above.
    compare(bytes(build(tmp_path, "int8")), wanted, 0.1)


@pytest.mark.parametrize("norm", ["no_norm", "layer_norm"])
def test_teacher_with_wide_query_and_key_matches_transformers(tmp_path: Path, norm: str) -> None:
    # transformers builds these two layers for the narrow stream; with wide ones its forward is the teacher's.
    changes = BOTTLENECKS["residual"] | {
        "normalization_type": norm,
        "hidden_act": "gelu",
        "num_feedforward_networks": 1,
    }
    config = transformers.MobileBertConfig(**(MOBILEBERT | changes))
    model = transformers.MobileBertModel(config).eval()
    for layer in model.encoder.layer:
        layer.attention.self.query = torch.nn.Linear(config.hidden_size, config.intra_bottleneck_size)
        layer.attention.self.key = torch.nn.Linear(config.hidden_size, config.intra_bottleneck_size)
    torch.manual_seed(7)
    randomise(model)
    model.save_pretrained(tmp_path)
    wanted = expected(model, "MobileBert")
    compare(bytes(build(tmp_path, "fp32")), wanted, 2e-6)
    compare(bytes(build(tmp_path, "int8")), wanted, 0.1)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_sources_are_widened(tmp_path: Path, dtype: str) -> None:
    model = make("MobileBert", "ForMaskedLM", {}).to(getattr(torch, dtype))
    model.save_pretrained(tmp_path)
    compare(bytes(build(tmp_path, "fp32")), expected(model, "MobileBert"), 2e-6)


def test_sharded_source_gives_the_same_bytes(tmp_path: Path) -> None:
    model = make("MobileBert", "ForPreTraining", {})
    model.save_pretrained(tmp_path / "one")
    model.save_pretrained(tmp_path / "many", max_shard_size="5KB")
    assert (tmp_path / "many" / "model.safetensors.index.json").is_file()
    assert bytes(build(tmp_path / "many")) == bytes(build(tmp_path / "one"))
