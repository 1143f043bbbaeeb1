"""The choice of kernels on a 64-bit ARM processor; scripts/arm/run_suite.py runs it once per emulated processor."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
import sysconfig
from importlib.metadata import distribution
from pathlib import Path

import pytest

import mobilebert_rt as mbrt
from tests import interpreter

PROCESSORS = {
    "cortex-a53": ["scalar", "neon"],
    "cortex-a72": ["scalar", "neon"],
    "neoverse-n1": ["scalar", "neon", "dotprod"],
    "max": ["scalar", "neon", "dotprod", "i8mm"],
}
PROCESSOR = os.environ.get("QEMU_CPU", "")

pytestmark = pytest.mark.skipif(
    platform.machine() != "aarch64" or PROCESSOR not in PROCESSORS,
    reason="[cpu] runs on the ARM processors that scripts/arm/run_suite.py emulates",
)


def active_isa_with(asked: str | None) -> subprocess.CompletedProcess[str]:
    """A new process that prints its active instruction set."""
    return interpreter.run("import mobilebert_rt; print(mobilebert_rt.active_isa())", MBRT_ISA=asked)


def test_installed_wheel_is_imported() -> None:
    installed = Path(sysconfig.get_path("platlib"))
    assert installed.is_relative_to(sys.prefix)
    for module in (mbrt, mbrt._core):
        assert Path(str(module.__file__)).is_relative_to(installed), module.__file__
    tags = distribution("mobilebert-rt").read_text("WHEEL") or ""
    assert re.search(r"^Tag: cp311-cp311-manylinux_2_\d+_aarch64$", tags, re.M), tags


def test_available_isas_are_those_of_the_processor() -> None:
    assert mbrt.available_isas() == PROCESSORS[PROCESSOR]


def test_best_isa_is_the_default() -> None:
    assert active_isa_with(None).stdout.strip() == PROCESSORS[PROCESSOR][-1]


def test_isa_that_the_processor_lacks_is_an_error() -> None:
    for isa in set(PROCESSORS["max"]) - set(PROCESSORS[PROCESSOR]):
        done = active_isa_with(isa)
        assert done.returncode == 1, (isa, done)
        assert "InputError" in done.stderr, (isa, done)
