"""The models of the training package are equal to transformers'."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.parity.comparison import BAR, worst
from tests.parity.transformers_models import make, segments, texts, torch, transformers

configs = pytest.importorskip("mbrt_train.config")
models = pytest.importorskip("mbrt_train.models")

SMALL: dict[str, Any] = {
    "vocab_size": 1003,
    "hidden_size": 96,
    "num_hidden_layers": 4,
    "num_attention_heads": 5,
    "intermediate_size": 71,
    "embedding_size": 25,
    "intra_bottleneck_size": 40,
}
NO_BOTTLENECK: dict[str, Any] = {
    "use_bottleneck": False,
    "key_query_shared_bottleneck": False,
    "num_attention_heads": 6,
}
CONFIGS = {
    "mobilebert": replace(configs.MOBILEBERT, **SMALL),
    "pooler": replace(configs.MOBILEBERT, **SMALL, classifier_activation=True),
    "without_opt": replace(configs.MOBILEBERT_WITHOUT_OPT, **SMALL),
    "tiny": replace(configs.MOBILEBERT_TINY, **SMALL),
    "no_bottleneck": replace(configs.MOBILEBERT, **SMALL | NO_BOTTLENECK),
    "no_projection": replace(
        configs.MOBILEBERT, **SMALL | NO_BOTTLENECK | {"trigram_input": False, "embedding_size": 96}
    ),
    "bert": configs.bert(95, 4, 5, vocab_size=1003),
}
FAMILIES = {"mobilebert": "MobileBert", "bert": "Bert"}


def theirs(config: Any, head: str) -> Any:
    return make(FAMILIES[config.model_type], head, asdict(config))


@pytest.mark.parametrize("name", CONFIGS)
def test_state_dicts_have_the_same_names_and_shapes(name: str) -> None:
    config = CONFIGS[name]
    for ours, head in ((models.Encoder(config), "Model"), (models.PreTraining(config), "ForPreTraining")):
        wanted = {key: value.shape for key, value in theirs(config, head).state_dict().items()}
        assert {key: value.shape for key, value in ours.state_dict().items()} == wanted


@pytest.mark.parametrize("name", CONFIGS)
def test_pretraining_outputs_match_transformers(name: str) -> None:
    config = CONFIGS[name]
    reference = theirs(config, "ForPreTraining")
    model = models.PreTraining(config).eval()
    model.load_state_dict(reference.state_dict())
    ids = torch.tensor(np.stack(texts(19, 19)))
    types = torch.tensor(np.stack([segments(row) for row in ids.numpy()]))
    mask = torch.ones_like(ids)
    mask[0, 12:] = 0
    with torch.no_grad():
        words, relation, out = model(ids, mask, types)
        wanted = reference(ids, mask, types, output_hidden_states=True, output_attentions=True)
    assert worst(words.numpy(), wanted.prediction_logits.numpy()) <= BAR
    assert worst(relation.numpy(), wanted.seq_relationship_logits.numpy()) <= BAR
    for ours, state in zip(out.hidden_states, wanted.hidden_states, strict=True):
        assert worst(ours.numpy(), state.numpy()) <= BAR
    for scores, weights in zip(out.attention_scores, wanted.attentions, strict=True):
        assert worst(scores.softmax(-1).numpy(), weights.numpy()) <= BAR


def test_square_mask_with_equal_rows_equals_row_mask() -> None:
    model = models.Encoder(CONFIGS["mobilebert"]).eval()
    ids = torch.tensor(np.stack(texts(9, 9)))
    mask = torch.ones_like(ids)
    mask[1, 4:] = 0
    with torch.no_grad():
        plain = model(ids, mask).last_hidden_state
        pairs = model(ids, mask[:, None].expand(2, 9, 9)).last_hidden_state
    assert torch.equal(plain, pairs)


@pytest.mark.parametrize("name", ["mobilebert", "bert"])
@pytest.mark.parametrize("head", ["Model", "ForPreTraining"])
def test_folders_are_interchangeable_with_transformers(tmp_path: Path, name: str, head: str) -> None:
    config = CONFIGS[name]
    build = models.PreTraining if head == "ForPreTraining" else models.Encoder
    reference = theirs(config, head)
    reference.save_pretrained(tmp_path / "theirs")
    model = build(config)
    models.load(model, tmp_path / "theirs")
    models.save(model, tmp_path / "ours")
    back = getattr(transformers, FAMILIES[config.model_type] + head).from_pretrained(tmp_path / "ours")
    wanted = reference.state_dict()
    assert back.state_dict().keys() == wanted.keys()
    for key, value in back.state_dict().items():
        assert torch.equal(value, wanted[key]), key


def test_folder_of_another_model_is_refused(tmp_path: Path) -> None:
    models.save(models.Encoder(CONFIGS["tiny"]), tmp_path)
    with pytest.raises(ValueError, match="another model"):
        models.load(models.Encoder(CONFIGS["mobilebert"]), tmp_path)


PARAMETERS = {
    # Counted from the published configurations; the paper rounds the teacher to 293M.
    "MOBILEBERT": 24_581_888,
    "MOBILEBERT_WITHOUT_OPT": 24_581_888,
    "MOBILEBERT_TINY": 15_485_696,
    "IB_BERT_LARGE": 294_467_840,
    "BERT_BASE": 109_482_240,
}


@pytest.mark.parametrize("name", PARAMETERS)
def test_published_sizes(name: str) -> None:
    config = configs.bert(768, 12, 12) if name == "BERT_BASE" else getattr(configs, name)
    with torch.device("meta"):
        model = models.Encoder(config)
    assert sum(parameter.numel() for parameter in model.parameters()) == PARAMETERS[name]


def test_dropout_is_where_transformers_has_it() -> None:
    sizes = SMALL | {"num_hidden_layers": 1, "hidden_dropout_prob": 0.25, "attention_probs_dropout_prob": 0.5}
    model = models.Encoder(replace(configs.MOBILEBERT_WITHOUT_OPT, **sizes))
    rates = {name: part.p for name, part in model.named_modules() if isinstance(part, torch.nn.Dropout) and part.p > 0}
    assert rates == {
        "embeddings.dropout": 0.25,
        "encoder.layer.0.attention.self.dropout": 0.5,
        "encoder.layer.0.output.bottleneck.dropout": 0.25,
    }


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_attention_heads": 7}, "must divide the body width"),
        ({"use_bottleneck_attention": True}, "at most one can be"),
        ({"hidden_act": "swish"}, "hidden_act"),
    ],
)
def test_invalid_configurations_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(configs.MOBILEBERT, **changes)


def test_gradients_reach_every_parameter() -> None:
    config = CONFIGS["mobilebert"]
    model = models.PreTraining(config)
    words, relation, _ = model(torch.tensor(np.stack(texts(8, 8))))
    (words.square().mean() + relation.square().mean()).backward()
    unused = [name for name, parameter in model.named_parameters() if parameter.grad is None]
    assert unused == []
