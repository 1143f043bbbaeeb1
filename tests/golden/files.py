"""Golden files: a model, texts, and the outputs of the engine and of PyTorch on the machine that made them.

NAME.safetensors is the engine's model file; NAME.npz has `ids` and `types` of all texts one after another, their
`lengths`, optionally `mask`, and `engine/OUTPUT` and `transformers/OUTPUT`: per token [T, n], per text [B, n].
The host makes them with PyTorch (make.py) when a test first needs them; emulated processors read them.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import mobilebert_rt
from mobilebert_rt import _core
from tests.emulation import EMULATED

Array = np.ndarray[Any, Any]
REPOSITORY = Path(__file__).resolve().parents[2]

NAMES = (
    "mobilebert_24_layers_int8",
    "mobilebert_24_layers_fp32",
    "shared_fp32_pretraining",
    "shared_int8_pretraining",
    "shared_int8_holes",
    "without_opt_fp32_masked_lm",
    "without_opt_int8_masked_lm",
    "tiny_fp32_token_classification",
    "tiny_int8_question_answering",
    "teacher_fp32_pretraining",
    "teacher_int8_pretraining",
    "bert_fp32_sequence_classification",
    "bert_int8_sequence_classification",
    "no_bottleneck_int8_next_sentence",
    "distilbert_fp32_sequence_classification",
)

# 2.7e9 multiplications a pass: too much for the scalar kernels, above all under emulation. Hidden states are left out.
LARGE = ("mobilebert_24_layers_int8",)

# max |a - b| / max |b| of a row, where both are float32.
BAR = 1e-5

OUTPUTS = (
    "last_hidden_state",
    "pooler_output",
    "logits",
    "seq_relationship_logits",
    "start_logits",
    "end_logits",
)


def folder() -> Path:
    """$MBRT_GOLDEN, else build/golden."""
    return Path(os.environ.get("MBRT_GOLDEN") or REPOSITORY / "build/golden")


def sources() -> list[Path]:
    """The files that decide what golden files hold."""
    package, tests = Path(mobilebert_rt.__file__).parent, REPOSITORY / "tests"
    scripts = [tests / "parity/transformers_models.py", tests / "parity/random_weights.py", *tests.glob("golden/*.py")]
    return [Path(_core.__file__), *package.glob("conversion/*.py"), *scripts]


def case_of(name: str) -> Case:
    """One case, made first when it is missing or older than its sources."""
    where = folder()
    file = where / f"{name}.npz"
    if EMULATED:
        assert file.is_file(), f"{file} is missing: run `python -m tests.golden.make` on the host"
        return read(where, name)
    where.mkdir(parents=True, exist_ok=True)
    with (where / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not file.is_file() or file.stat().st_mtime < max(path.stat().st_mtime for path in sources()):
            from tests.golden.make import make_case  # noqa: PLC0415 - skips where there is no PyTorch

            make_case(name, where)
        return read(where, name)


@dataclass(frozen=True)
class Case:
    """Texts as `Model` takes them, and the expected outputs."""

    model: Path
    ids: list[Array]
    types: list[Array] | None
    mask: list[Array] | None
    engine: dict[str, Array]
    transformers: dict[str, Array]

    def run(self, rt: mobilebert_rt.Model) -> dict[str, Array]:
        """The engine's outputs for all texts in one batch, as in `engine`."""
        return joined(rt(self.ids, self.mask, self.types, output_hidden_states=self.model.stem not in LARGE))


def joined(out: mobilebert_rt.ModelOutput) -> dict[str, Array]:
    """Each output of a list batch as one array."""
    found = {name: getattr(out, name) for name in OUTPUTS if getattr(out, name) is not None}
    found |= {f"hidden_state.{i}": state for i, state in enumerate(out.hidden_states or ())}
    return {name: np.concatenate(value) if isinstance(value, list) else value for name, value in found.items()}


def write(target: Path, case: Case) -> None:
    """Write the .npz beside `case.model`."""
    arrays: dict[str, Array] = {
        "ids": np.concatenate(case.ids).astype(np.int32),
        "lengths": np.array([row.size for row in case.ids]),
    }
    for name, rows in (("types", case.types), ("mask", case.mask)):
        if rows is not None:
            arrays[name] = np.concatenate(rows).astype(np.int32)
    arrays |= {f"engine/{name}": value for name, value in case.engine.items()}
    arrays |= {f"transformers/{name}": value for name, value in case.transformers.items()}
    np.savez(target, **arrays)  # type: ignore[arg-type]


def read(where: Path, name: str) -> Case:
    """One case. No pickle is opened."""
    with np.load(where / f"{name}.npz", allow_pickle=False) as file:
        arrays = dict(file)
    ends = np.cumsum(arrays["lengths"])[:-1]

    def texts(of: str) -> list[Array] | None:
        return np.split(arrays[of], ends) if of in arrays else None

    return Case(
        where / f"{name}.safetensors",
        texts("ids") or [],
        texts("types"),
        texts("mask"),
        _below(arrays, "engine/"),
        _below(arrays, "transformers/"),
    )


def _below(arrays: Mapping[str, Array], prefix: str) -> dict[str, Array]:
    return {name.removeprefix(prefix): value for name, value in arrays.items() if name.startswith(prefix)}
