"""Any processor computes the bits that the writer of the golden files computed, and PyTorch's numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import mobilebert_rt
from tests.emulation import EMULATED
from tests.golden.files import BAR, LARGE, NAMES, Array, Case, folder, joined, read

MISSING = "run tests/parity with MBRT_GOLDEN set to a folder, which it writes, then these with the same"


def golden_folder() -> Path:
    found = folder()
    if found is None:
        pytest.skip(f"MBRT_GOLDEN is not set: {MISSING}", allow_module_level=True)
    if not any(found.glob("*.npz")):
        pytest.skip(f"MBRT_GOLDEN={found} holds no golden files: {MISSING}", allow_module_level=True)
    return found


FOLDER = golden_folder()


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
    case = read(FOLDER, name)
    assert_same_bits(case.run(load(case, isa, threads)), case.engine)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in LARGE])
def test_same_bits_alone_as_in_the_batch(name: str) -> None:
    case = read(FOLDER, name)
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


@pytest.mark.parametrize("name", [name for name in NAMES if "fp32" in name])
def test_fp32_is_what_pytorch_computed(name: str) -> None:
    case = read(FOLDER, name)
    assert case.transformers
    for key, wanted in case.transformers.items():
        distance = np.abs(case.engine[key] - wanted).max(axis=-1) / np.abs(wanted).max(axis=-1)
        assert distance.max() <= BAR, key
