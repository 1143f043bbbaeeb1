"""What the engine does on a given 64-bit ARM processor; run by scripts/arm/run_suite.py, once for each."""

from __future__ import annotations

import os
import platform
import subprocess

import pytest

import mobilebert_rt as mbrt
from tests import interpreter

PROCESSORS = {
    "cortex-a53": ["scalar", "neon"],
    "neoverse-n1": ["scalar", "neon", "dotprod"],
    "max": ["scalar", "neon", "dotprod", "i8mm"],
}
PROCESSOR = os.environ.get("QEMU_CPU", "")

pytestmark = pytest.mark.skipif(
    platform.machine() != "aarch64" or PROCESSOR not in PROCESSORS,
    reason="needs an emulated ARM processor: scripts/arm/run_suite.py",
)


def active_isa_with(asked: str | None) -> subprocess.CompletedProcess[str]:
    """A fresh process that prints the instruction set it chose."""
    return interpreter.run("import mobilebert_rt; print(mobilebert_rt.active_isa())", MBRT_ISA=asked)


def test_available_isas_are_those_of_the_processor() -> None:
    assert mbrt.available_isas() == PROCESSORS[PROCESSOR]


def test_the_best_isa_is_chosen_unasked() -> None:
    assert active_isa_with(None).stdout.strip() == PROCESSORS[PROCESSOR][-1]


def test_an_isa_that_the_processor_lacks_is_refused_not_executed() -> None:
    for isa in set(PROCESSORS["max"]) - set(PROCESSORS[PROCESSOR]):
        done = active_isa_with(isa)
        assert done.returncode == 1, (isa, done)
        assert "InputError" in done.stderr, (isa, done)
