"""Every processor computes the bits of the golden files; fp32 follows PyTorch, int8 stays close to it."""

from __future__ import annotations

import numpy as np
import pytest

import mobilebert_rt
from tests.emulation import EMULATED
from tests.golden.files import BAR, LARGE, NAMES, Array, Case, case_of, folder, joined


def runs() -> list[tuple[str, str, int]]:
    """(case, isa, threads): every kernel set with 1, 2 and 3 threads; an emulator runs large cases with 3 only."""
    return [
        (name, isa, threads)
        for name in NAMES
        for isa in mobilebert_rt.available_isas()
        for threads in ((3,) if name in LARGE and EMULATED else (1, 2, 3))
        if not (name in LARGE and isa == "scalar")
    ]


def load(case: Case, isa: str, threads: int) -> mobilebert_rt.Model:
    return mobilebert_rt.Model.from_pretrained(case.model, isa=isa, num_threads=threads)


def assert_same_bits(actual: dict[str, Array], wanted: dict[str, Array]) -> None:
    assert actual.keys() == wanted.keys()
    for name, value in wanted.items():
        assert actual[name].dtype == value.dtype == np.float32
        assert actual[name].shape == value.shape, name
        differ = np.flatnonzero(actual[name].view(np.uint32) != value.view(np.uint32))
        assert differ.size == 0, f"{name}: {differ.size} of {value.size} differ, first number {differ[0]}"


@pytest.mark.parametrize(("name", "isa", "threads"), runs())
def test_same_bits_on_every_isa_with_any_number_of_threads(name: str, isa: str, threads: int) -> None:
    case = case_of(name)
    assert_same_bits(case.run(load(case, isa, threads)), case.engine)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in LARGE])
def test_same_bits_alone_as_in_the_batch(name: str) -> None:
    case = case_of(name)
    rt = load(case, mobilebert_rt.active_isa(), 1)
    alone = [
        joined(
            rt(
                [ids],
                None if case.mask is None else [case.mask[b]],
                None if case.types is None else [case.types[b]],
                output_hidden_states=True,
            )
        )
        for b, ids in enumerate(case.ids)
    ]
    assert_same_bits({key: np.concatenate([one[key] for one in alone]) for key in alone[0]}, case.engine)


def row_errors(actual: Array, wanted: Array) -> Array:
    """max |a - b| / max |b| of each row."""
    errors: Array = np.abs(actual - wanted).max(axis=-1) / np.abs(wanted).max(axis=-1)
    return errors


@pytest.mark.parametrize("name", [name for name in NAMES if "fp32" in name])
def test_fp32_follows_pytorch(name: str) -> None:
    case = case_of(name)
    assert case.transformers
    for key, wanted in case.transformers.items():
        assert row_errors(case.engine[key], wanted).max() <= BAR, key


@pytest.mark.parametrize("name", [name for name in NAMES if "int8" in name])
def test_int8_states_stay_close_to_pytorch(name: str) -> None:
    case = case_of(name)
    actual, wanted = (part["last_hidden_state"].astype(np.float64) for part in (case.engine, case.transformers))
    norms = np.linalg.norm(actual, axis=-1) * np.linalg.norm(wanted, axis=-1)
    assert ((actual * wanted).sum(axis=-1) / norms).min() > 0.998


def test_golden_files_stay_small() -> None:
    for name in NAMES:
        case_of(name)
    sizes = [(folder() / f"{name}{suffix}").stat().st_size for name in NAMES for suffix in (".safetensors", ".npz")]
    assert sum(sizes) < 60e6
