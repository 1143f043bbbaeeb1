"""Checkpoints: written atomically, verified by SHA-256 when read, without pickles.

checkpoints/00001000/   config.json, model.safetensors     the student, as transformers and the engine read it
                        optimiser.safetensors              moments by parameter name
                        recipe.json                        the resolved recipe
                        state.json                         position in stages and data; SHA-256 of the other files
                        *.safetensors                      of fine-tuning: the best weights so far
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from mbrt_train import models
from mbrt_train.errors import TrainingError, TrainingWarning
from mbrt_train.heads import AnyModel, save_model
from mbrt_train.models import stored

FOLDER = "checkpoints"


@dataclass(frozen=True)
class Position:
    """Progress of a run: total steps, stage, steps done in it, and the next batch."""

    step: int = 0
    stage: int = 0
    step_in_stage: int = 0
    epoch: int = 0
    batch: int = 0


@dataclass(frozen=True)
class Checkpoint:
    """A verified checkpoint on disk."""

    folder: Path
    position: Position
    numbers: dict[str, Any]
    notes: dict[str, Any]

    def tensors(self, name: str) -> dict[str, Tensor]:
        """Further weights by the name of their file."""
        return load_file(self.folder / f"{name}.safetensors")

    @property
    def recipe(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "recipe.json").read_text())
        return found


def save_checkpoint(
    run: Path,
    position: Position,
    model: AnyModel,
    optimiser: torch.optim.Optimizer,
    *,
    recipe: dict[str, Any],
    keep: int,
    notes: Mapping[str, Any] | None = None,
    weights: Mapping[str, Mapping[str, Tensor]] | None = None,
) -> Path:
    """Write a checkpoint of a run, and remove all but the last `keep`.

    notes: further JSON values; weights: further state dicts by the names of their files.
    """
    target = run / FOLDER / f"{position.step:08d}"
    partial = target.with_name(f".partial-{target.name}")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    save_model(model, partial)
    tensors, numbers = optimiser_state(optimiser)
    save_file(tensors, partial / "optimiser.safetensors")
    for name, state_dict in (weights or {}).items():
        save_file(stored(state_dict), partial / f"{name}.safetensors")
    (partial / "recipe.json").write_text(json.dumps(recipe, indent=2) + "\n")
    digests = {path.name: digest(path) for path in sorted(partial.iterdir())}
    state = {"position": asdict(position), "optimiser": numbers, "notes": dict(notes or {}), "sha256": digests}
    (partial / "state.json").write_text(json.dumps(state, indent=2) + "\n")
    for path in (*partial.iterdir(), partial):
        _sync(path)
    shutil.rmtree(target, ignore_errors=True)  # a damaged one of the same step
    partial.rename(target)
    _sync(target.parent)
    for old in _folders(run)[:-keep]:
        shutil.rmtree(old)
    return target


def latest(run: Path) -> Checkpoint | None:
    """The newest valid checkpoint, or None; damaged ones are skipped with a warning."""
    for folder in reversed(_folders(run)):
        try:
            return read_checkpoint(folder)
        except TrainingError as error:
            warnings.warn(f"{error} Falling back to the previous one.", TrainingWarning, stacklevel=2)
    return None


def read_checkpoint(folder: Path) -> Checkpoint:
    """Read and verify a checkpoint. Raises TrainingError for a missing or changed file."""
    try:
        state = json.loads((folder / "state.json").read_text())
        for name, wanted in state["sha256"].items():
            if digest(folder / name) != wanted:
                raise TrainingError(f"checkpoint {folder}: {name} is damaged.")
        return Checkpoint(folder, Position(**state["position"]), state["optimiser"], state["notes"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        if isinstance(error, TrainingError):
            raise
        raise TrainingError(f"checkpoint {folder}: damaged ({error!r}).") from None


def latest_step(run: Path) -> int | None:
    """The step of the newest checkpoint, which is not verified; None without one."""
    found = _folders(run)
    return int(found[-1].name) if found else None


def restore(checkpoint: Checkpoint, model: AnyModel, optimiser: torch.optim.Optimizer | None) -> None:
    """Load weights, and moments if an optimiser is given. Raises TrainingError if they belong to another model."""
    models.load(model, checkpoint.folder)
    if optimiser is None:
        return
    try:
        tensors = load_file(checkpoint.folder / "optimiser.safetensors")
    except (OSError, SafetensorError) as error:
        raise TrainingError(f"checkpoint {checkpoint.folder}: optimiser.safetensors is damaged ({error}).") from None
    load_optimiser_state(optimiser, tensors, checkpoint.numbers)


def optimiser_state(optimiser: torch.optim.Optimizer) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors by "parameter|key", and the numbers of each parameter and each group's step."""
    tensors: dict[str, Tensor] = {}
    numbers: dict[str, Any] = {"groups": [group.get("step", 0) for group in optimiser.param_groups], "parameters": {}}
    for group in optimiser.param_groups:
        for name, parameter in zip(group["names"], group["params"], strict=True):
            for key, value in optimiser.state.get(parameter, {}).items():
                if isinstance(value, Tensor):
                    tensors[f"{name}|{key}"] = value.detach().clone().contiguous()
                elif isinstance(value, (int, float)):
                    numbers["parameters"].setdefault(name, {})[key] = value
    return tensors, numbers


def load_optimiser_state(optimiser: torch.optim.Optimizer, tensors: dict[str, Tensor], numbers: dict[str, Any]) -> None:
    """The inverse of `optimiser_state`, for an optimiser of the same groups."""
    places = {
        name: parameter
        for group in optimiser.param_groups
        for name, parameter in zip(group["names"], group["params"], strict=True)
    }
    for group, step in zip(optimiser.param_groups, numbers["groups"], strict=True):
        if step:
            group["step"] = step
    for key, value in tensors.items():
        name, _, entry = key.rpartition("|")
        if name not in places:
            raise TrainingError(f"the checkpoint has moments of {name}, which this stage does not train.")
        device = places[name].device if value.ndim else "cpu"  # AdamW keeps its step counts on the CPU
        optimiser.state[places[name]][entry] = value.to(device)
    for name, entries in numbers["parameters"].items():
        optimiser.state[places[name]].update(entries)


def differences(ours: Mapping[str, Any], theirs: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Keys in which two resolved recipes differ, except those that do not change the results."""
    found = []
    for key in sorted(ours.keys() | theirs.keys()):
        a, b, name = ours.get(key), theirs.get(key), prefix + key
        if name in ("keeping", "title", "hardware"):
            continue
        if isinstance(a, Mapping) and isinstance(b, Mapping):
            found += differences(a, b, name + ".")
        elif a != b:
            found.append(f"{name} is {b!r} in the run, {a!r} here")
    return found


def _folders(run: Path) -> list[Path]:
    return sorted(path for path in (run / FOLDER).glob("[0-9]*") if path.is_dir())


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest() if hasattr(hashlib, "file_digest") else _hash(stream)


def _hash(stream: Any) -> str:
    found = hashlib.sha256()
    while block := stream.read(1 << 20):
        found.update(block)
    return found.hexdigest()


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
