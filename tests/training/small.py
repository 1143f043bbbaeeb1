"""Small models for tests."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

torch = pytest.importorskip("torch")
configs = pytest.importorskip("mbrt_train.config")
models = pytest.importorskip("mbrt_train.models")
teachers = pytest.importorskip("mbrt_train.teachers")
tasks = pytest.importorskip("mbrt_train.tasks")

torch.set_num_threads(1)

SIZES: dict[str, Any] = {
    "vocab_size": 120,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 64,
    "embedding_size": 16,
    "attention_probs_dropout_prob": 0.0,
    "hidden_dropout_prob": 0.0,
}
STUDENT = replace(
    configs.MOBILEBERT, **SIZES, intermediate_size=32, intra_bottleneck_size=16, num_feedforward_networks=2
)
IB_BERT = replace(configs.IB_BERT_LARGE, **SIZES, intermediate_size=64, intra_bottleneck_size=48)
BERT = configs.bert(32, 4, 4, vocab_size=120, max_position_embeddings=64)


def spread(model: Any, seed: int = 0) -> Any:
    """The model with weights large enough that every term of a loss matters."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, value in model.named_parameters():
            noise = torch.randn(value.shape, generator=generator)
            value.copy_(1 + 0.1 * noise if name.endswith("LayerNorm.weight") else 0.1 * noise)
    return model


def teacher_of(config: Any, seed: int = 1) -> Any:
    model = spread(models.PreTraining(config), seed)
    return teachers.Teacher("teacher", model.body, model.cls.predictions).to(torch.device("cpu"))


def batch(texts: int = 6, longest: int = 12, seed: int = 0) -> Any:
    """Texts of different lengths with some words to predict and some pairs."""
    g = torch.Generator().manual_seed(seed)
    ids = torch.randint(5, 120, (texts, longest), generator=g)
    lengths = torch.randint(3, longest + 1, (texts,), generator=g)
    mask = (torch.arange(longest) < lengths[:, None]).long()
    chosen = (torch.rand(ids.shape, generator=g) < 0.3) & (mask == 1)
    chosen[:, 1] = True
    labels = torch.where(chosen, ids, tasks.IGNORED)
    relation = torch.arange(texts) % 3
    relation = torch.where(relation == 2, tasks.IGNORED, relation)
    types = (torch.arange(longest) > lengths[:, None] // 2).long() * mask
    return tasks.Batch(torch.where(chosen, 4, ids) * mask, mask, types, labels, relation)
