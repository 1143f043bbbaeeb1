"""The converter's channel scales of a model in training, as factors of its folded parameters.

The model is folded and equalised by the converter itself; the factor of a parameter, a power of two, is the ratio
of the two results. A parameter that is exactly 0 has no ratio; its factor is 1 until the next refresh.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mbrt_train.heads import AnyModel
from mbrt_train.models import Encoder, PreTraining
from mobilebert_rt.conversion.checkpoint import Entry
from mobilebert_rt.conversion.equalise import Equalised
from mobilebert_rt.conversion.fold import Floats, Folded, Linear
from mobilebert_rt.conversion.hf_config import engine_config, read_source
from mobilebert_rt.conversion.layers import Array, hidden, parts
from mobilebert_rt.conversion.state_dict import StateDict


@dataclass
class Factors:
    """Ratios of a linear layer's parameters, equalised to folded; None for parts that it does not have.

    weight [N, K], bias [N], residual [N], norm_weight [N], norm_bias [N]; activation [N] is the scale itself.
    """

    weight: Tensor
    bias: Tensor
    residual: Tensor | None
    norm_weight: Tensor | None
    norm_bias: Tensor | None
    activation: Tensor | None


@dataclass
class Scales:
    """Factors by name in the model file, and the factor [H] that restores each of the L + 1 hidden states."""

    linears: dict[str, Factors]
    arrays: dict[str, Tensor]  # tables and norm of the embeddings
    hidden: list[Tensor]


def find_scales(model: AnyModel) -> Scales:
    """Fold and equalise the model's current parameters as the converter would."""
    folded = _folded(model)
    equalised, cfg = Equalised(folded), folded.cfg
    linears: dict[str, Factors] = {}
    arrays: dict[str, Tensor] = {}
    for _, group in parts(cfg)[:-1]:  # heads are not scaled
        for part in group:
            if isinstance(part, Array):
                arrays[part.name] = _ratio(equalised.array(part), folded.array(part))
            else:
                linears[part.name] = _factors(equalised.linear(part), folded.linear(part))
    states = [_tensor(np.float32(1) / equalised.scale(hidden(cfg, i))) for i in range(cfg.num_layers + 1)]
    return Scales(linears, arrays, states)


def _folded(model: AnyModel) -> Folded:
    """The model's own tensors, folded; tensors that folding does not change are not copied."""
    family = {"mobilebert": "MobileBert", "bert": "Bert"}[model.config.model_type]
    task = "Model" if isinstance(model, (Encoder, PreTraining)) else model.head
    source = read_source(asdict(model.config) | {"architectures": [family + task]})
    entries = {
        name: Entry(
            "the model", "F32", tuple(value.shape), np.ascontiguousarray(value.numpy()).view(np.uint8).reshape(-1)
        )
        for name, value in model.state_dict().items()
    }
    tensors = StateDict(entries, source.family)
    return Folded(engine_config(source, tensors).with_precision("int8"), tensors)


def _factors(scaled: Linear, plain: Linear) -> Factors:
    norms = None if scaled.norm is None or plain.norm is None else (scaled.norm, plain.norm)
    residuals = scaled.residual_scale, plain.residual_scale
    return Factors(
        _ratio(scaled.weight, plain.weight),
        _ratio(scaled.bias, plain.bias),
        residual=None if residuals[0] is None or residuals[1] is None else _ratio(residuals[0], residuals[1]),
        norm_weight=None if norms is None else _ratio(norms[0].weight, norms[1].weight),
        norm_bias=None if norms is None else _ratio(norms[0].bias, norms[1].bias),
        activation=None if scaled.activation_scale is None else _tensor(scaled.activation_scale),
    )


def _ratio(scaled: Floats, plain: Floats) -> Tensor:
    return _tensor(np.divide(scaled, plain, out=np.ones_like(plain), where=plain != 0))


def _tensor(array: NDArray[Any]) -> Tensor:
    return torch.from_numpy(np.array(array, np.float32))
