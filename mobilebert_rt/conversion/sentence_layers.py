"""Dense and LayerNorm of a sentence-transformers folder: from their folders to layers of the model file."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mobilebert_rt.conversion.checkpoint import Entry, parse_object, read_safetensors, read_text
from mobilebert_rt.conversion.fold import Floats, Linear
from mobilebert_rt.conversion.layers import Array, Layer, Vector
from mobilebert_rt.conversion.layout import Spec, Tensor, array_specs, array_tensors, layer_specs, layer_tensors
from mobilebert_rt.errors import ModelFormatError, UnsupportedModelError

MAX_WIDTH = 16384  # of the format
ACTIVATIONS = {"Tanh": "tanh", "ReLU": "relu", "GELU": "gelu", "SiLU": "silu", "ReLU6": "relu6", "Identity": "none"}
_NAMES = ("module_input_name", "module_output_name")
_DENSE_KEYS = ("in_features", "out_features", "bias", "activation_function", "use_residual", *_NAMES)

Part = tuple[Layer, Linear] | tuple[Array, Floats]


@dataclass(frozen=True)
class Step:
    """One module behind the pooling: its entry in the file's `modules`, its output width, and its weights."""

    entry: dict[str, Any]
    width: int
    parts: list[Part] = field(default_factory=list)

    def specs(self, int8: bool) -> Iterator[Spec]:
        """Its tensors in the file, in order."""
        for part, _ in self.parts:
            yield from layer_specs(part, int8) if isinstance(part, Layer) else array_specs(part, int8)

    def tensors(self, int8: bool) -> Iterator[Tensor]:
        """The values of the same tensors, not packed yet."""
        for part, values in self.parts:
            if isinstance(part, Layer):
                assert isinstance(values, Linear)
                yield from layer_tensors(part, values, int8)
            else:
                assert not isinstance(values, Linear)
                yield from array_tensors(part, values, int8)


def module_config(folder: Path, known: tuple[str, ...]) -> dict[str, Any]:
    """config.json of a module, {} without one. Raises UnsupportedModelError for a key that is not known."""
    path = folder / "config.json"
    raw = parse_object(read_text(path), str(path)) if path.is_file() else {}
    for key in raw:
        if key not in known:
            raise UnsupportedModelError(
                f"{path}: setting {key!r} is unknown; expected {', '.join(known)}. It may change the vectors."
            )
    return raw


def check_names(folder: Path, raw: dict[str, Any]) -> None:
    """A module reads and writes the sentence embedding. Raises UnsupportedModelError for anything else."""
    for key in _NAMES:
        if raw.get(key) not in (None, "sentence_embedding"):
            raise UnsupportedModelError(
                f"{folder / 'config.json'}: {key} is {raw[key]!r}; the engine supports 'sentence_embedding'."
            )


def dense(folder: Path, index: int, width: int) -> Step:
    """A Dense module that reads `width` values; `index` is its number in the file."""
    path = folder / "config.json"
    raw = module_config(folder, _DENSE_KEYS)
    check_names(folder, raw)
    inputs, outputs = _size(path, raw, "in_features"), _size(path, raw, "out_features")
    if inputs != width:
        raise ModelFormatError(f"{path}: in_features is {inputs}; the module before gives {width} values.")
    bias, residual = (_flag(path, raw, key, value) for key, value in (("bias", True), ("use_residual", False)))
    activation = activation_name(path, raw.get("activation_function", "torch.nn.modules.activation.Tanh"), ACTIVATIONS)
    weights = _Weights(folder)
    name, zeros = f"modules.{index}", np.zeros(outputs, np.float32)
    reads, makes = Vector(name + ".input", inputs), Vector(name + ".output", outputs)
    weight = weights.take("linear.weight", (outputs, inputs))
    linear = Linear(weight, weights.take("linear.bias", (outputs,)) if bias else zeros)
    parts: list[Part] = [(Layer(name, "", reads, makes), linear)]
    if residual and inputs != outputs:
        second = Linear(weights.take("residual.weight", (outputs, inputs)), zeros)
        parts.append((Layer(name + ".residual", "", reads, makes), second))
    weights.check_all_used()
    entry: dict[str, Any] = {"type": "dense", "outputs": outputs, "activation": activation}
    return Step(entry | ({"residual": True} if residual else {}), outputs, parts)


def layer_norm(folder: Path, index: int, width: int) -> Step:
    """A LayerNorm module over `width` values."""
    path = folder / "config.json"
    dimension = _size(path, module_config(folder, ("dimension",)), "dimension")
    if dimension != width:
        raise ModelFormatError(f"{path}: dimension is {dimension}; the module before gives {width} values.")
    weights = _Weights(folder)
    makes = Vector(f"modules.{index}.output", width)
    parts: list[Part] = [
        (Array(f"modules.{index}.norm.{name}", "", None, makes), weights.take(f"norm.{name}", (width,)))
        for name in ("weight", "bias")
    ]
    weights.check_all_used()
    return Step({"type": "layer_norm"}, width, parts)


def activation_name(path: Path, name: Any, supported: dict[str, str]) -> str:
    """The engine's name of a torch activation. Raises UnsupportedModelError for one that is not supported."""
    kind = name.rsplit(".", 1)[-1] if isinstance(name, str) and name.startswith("torch.nn.") else None
    if kind not in supported:
        raise UnsupportedModelError(
            f"{path}: the activation is {name!r}; the engine supports {', '.join(sorted(supported))} of torch.nn."
        )
    return supported[kind]


class _Weights:
    """The tensors of a module's model.safetensors; remembers which were taken."""

    def __init__(self, folder: Path) -> None:
        self._file, pickled = folder / "model.safetensors", folder / "pytorch_model.bin"
        if not self._file.is_file() and pickled.is_file():
            program = (
                "import torch, safetensors.torch as s; "
                f"s.save_file(torch.load({str(pickled)!r}, weights_only=True), {str(self._file)!r})"
            )
            raise UnsupportedModelError(
                f"{folder}: the weights are in pytorch_model.bin, which can run code when opened and is never read. "
                f"Write model.safetensors with: python -c {shlex.quote(program)}"
            )
        if not self._file.is_file():
            raise ModelFormatError(f"{folder}: no model.safetensors. Download the whole folder.")
        self._left: dict[str, Entry] = read_safetensors(self._file)

    def take(self, name: str, shape: tuple[int, ...]) -> Floats:
        entry = self._left.pop(name, None)
        if entry is None:
            raise ModelFormatError(f'{self._file}: tensor "{name}" is missing. Download the whole folder.')
        if entry.shape != shape:
            raise ModelFormatError(
                f'{self._file}: tensor "{name}" has shape {list(entry.shape)}; its config.json requires {list(shape)}.'
            )
        return entry.float32(name)

    def check_all_used(self) -> None:
        for name in self._left:
            raise UnsupportedModelError(
                f'{self._file}: tensor "{name}" is not part of the module that its config.json describes.'
            )


def _size(path: Path, raw: dict[str, Any], key: str) -> int:
    value = raw.get(key)
    if type(value) is not int or not 1 <= value <= MAX_WIDTH:
        raise UnsupportedModelError(f"{path}: {key} is {value!r}; expected an integer from 1 to {MAX_WIDTH}.")
    return value


def _flag(path: Path, raw: dict[str, Any], key: str, default: bool) -> bool:
    value = raw.get(key, default)
    if type(value) is not bool:
        raise ModelFormatError(f"{path}: {key} is {value!r}; expected true or false.")
    return value
