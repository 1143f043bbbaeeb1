"""The converter's channel scales of a model in training, as factors of its folded parameters.

The converter decides the scales, so it is asked rather than imitated: it folds the model and equalises it, and what
each parameter was multiplied with, a power of two, is read off the two. A parameter that is exactly 0 has no ratio; it
gets 1 until the next time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mbrt_train.heads import AnyModel, QuestionAnswering, SequenceClassifier
from mobilebert_rt.config import EngineConfig
from mobilebert_rt.conversion import equalise, fold
from mobilebert_rt.conversion.channels import embeddings_magnitude
from mobilebert_rt.conversion.checkpoint import Entry
from mobilebert_rt.conversion.hf_config import engine_config, read_source
from mobilebert_rt.conversion.names import StateDict


@dataclass
class Factors:
    """What an engine's linear layer has over the folded one; None for parts that it does not have."""

    weight: Tensor
    bias: Tensor
    residual: Tensor | None
    norm_weight: Tensor | None
    norm_bias: Tensor | None


@dataclass
class Scales:
    """Factors of every linear layer by the engine's name, of the tables, and the scale of each reported state."""

    linears: dict[str, Factors]
    activation: dict[str, Tensor | None]
    word: Tensor
    position: Tensor
    type: Tensor
    norm_weight: Tensor | None
    norm_bias: Tensor | None
    hidden: list[Tensor]
    config: EngineConfig


def find_scales(model: AnyModel) -> Scales:
    """Fold and equalise the model as the converter would at this moment."""
    tensors, cfg, family = _source(model)
    plain = [fold.load_layer(cfg, tensors, family, i) for i in range(cfg.num_layers)]
    embeddings = fold.load_embeddings(cfg, tensors)
    magnitude = embeddings_magnitude(embeddings, cfg.taps)
    made = list(equalise.equalise_layers(cfg, iter(plain), magnitude))
    scaled = equalise.equalise_embeddings(cfg, embeddings, made[0][1])
    linears: dict[str, Factors] = {}
    activation: dict[str, Tensor | None] = {}
    for i, (before, (after, _)) in enumerate(zip(plain, made, strict=True)):
        theirs = _linears(after)
        linears |= {f"{i}.{name}": _factors(part, theirs[name]) for name, part in _linears(before).items()}
        for j, ffn in enumerate(after.ffns):
            scale = ffn.activation_scale
            activation[f"{i}.ffn.{j}"] = None if scale is None else _tensor(scale)
    if embeddings.projection is not None and scaled.projection is not None:
        linears["projection"] = _factors(embeddings.projection, scaled.projection)
    norm, scaled_norm = embeddings.norm, scaled.norm
    has_norm = norm is not None and scaled_norm is not None
    return Scales(
        linears,
        activation,
        word=_ratio(scaled.word, embeddings.word),
        position=_ratio(scaled.position, embeddings.position),
        type=_ratio(scaled.type, embeddings.type) if embeddings.type is not None else torch.ones(()),
        norm_weight=_ratio(scaled_norm.weight, norm.weight) if has_norm else None,  # type: ignore[union-attr]
        norm_bias=_ratio(scaled_norm.bias, norm.bias) if has_norm else None,  # type: ignore[union-attr]
        hidden=[_tensor(np.float32(1) / scale) for _, scale in made] + [torch.ones(cfg.hidden_size)],
        config=cfg,
    )


def _source(model: AnyModel) -> tuple[StateDict, EngineConfig, str]:
    """The model's own tensors in the form that the converter reads; nothing is copied."""
    family = {"mobilebert": "MobileBert", "bert": "Bert"}[model.config.model_type]
    task = model.head if isinstance(model, (SequenceClassifier, QuestionAnswering)) else "Model"
    raw = asdict(model.config) | {"architectures": [family + task]}
    entries = {
        name: Entry(
            "the model", "F32", tuple(value.shape), np.ascontiguousarray(value.numpy()).view(np.uint8).reshape(-1)
        )
        for name, value in model.state_dict().items()
    }
    source = read_source(raw)
    tensors = StateDict(entries, source.model_type)
    return tensors, engine_config(source, tensors).with_precision("int8"), source.model_type


def _linears(layer: fold.Layer) -> Mapping[str, fold.Linear]:
    found = {
        "bottleneck.input": layer.bottleneck_input,
        "bottleneck.attention": layer.bottleneck_attention,
        "query": layer.query,
        "key": layer.key,
        "value": layer.value,
        "attention.output": layer.attention_output,
        "output_bottleneck": layer.output_bottleneck,
    }
    for j, ffn in enumerate(layer.ffns):
        found |= {f"ffn.{j}.intermediate": ffn.intermediate, f"ffn.{j}.output": ffn.output}
    return {name: linear for name, linear in found.items() if linear is not None}


def _factors(plain: fold.Linear, scaled: fold.Linear) -> Factors:
    residual = plain.residual_scale
    norm, scaled_norm = plain.norm, scaled.norm
    has_norm = norm is not None and scaled_norm is not None
    return Factors(
        _ratio(scaled.weight, plain.weight),
        _ratio(scaled.bias, plain.bias),
        None if residual is None or scaled.residual_scale is None else _ratio(scaled.residual_scale, residual),
        _ratio(scaled_norm.weight, norm.weight) if has_norm else None,  # type: ignore[union-attr]
        _ratio(scaled_norm.bias, norm.bias) if has_norm else None,  # type: ignore[union-attr]
    )


def _ratio(scaled: fold.Floats | None, plain: fold.Floats) -> Tensor:
    assert scaled is not None
    ones = np.ones_like(plain)
    return _tensor(np.divide(scaled, plain, out=ones, where=plain != 0))


def _tensor(array: NDArray[Any]) -> Tensor:
    return torch.from_numpy(np.array(array, np.float32))
