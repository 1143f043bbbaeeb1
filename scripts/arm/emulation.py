"""The emulated processors, and where the emulated system is."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from scripts.common import BUILD, DIST, ScriptError, cache_folder

FOLDER = BUILD / "aarch64"
WHEEL = "*-cp311-cp311-manylinux_*aarch64.whl"

# One processor for each set of kernels, weakest first.
CPUS: Mapping[str, str] = {
    "cortex-a53": "armv8.0: NEON only (Raspberry Pi 3)",
    "neoverse-n1": "armv8.2: dot product, fp16 (also Cortex-A76, Raspberry Pi 5)",
    "max": "everything QEMU has: dot product, i8mm, bf16, SVE2",
}

# Processors with the kernels of one above; used when named.
OTHER_CPUS: Mapping[str, str] = {"cortex-a72": "armv8.0: NEON only (Raspberry Pi 4)"}

# Settings of numpy's OpenBLAS: its SVE kernels, chosen on `max`, make numpy report divisions by zero; and QEMU forks a
# process with one thread more safely.
NUMPY: Mapping[str, str] = {"OPENBLAS_CORETYPE": "ARMV8", "OPENBLAS_NUM_THREADS": "1"}


def sysroot() -> Path:
    """The root of the emulated system."""
    return cache_folder() / "aarch64-sysroot"


def newest_wheel() -> Path:
    """The aarch64 wheel in dist that was built last."""
    wheels = list(DIST.glob(WHEEL))
    if not wheels:
        raise ScriptError(f"{DIST}: no aarch64 wheel. Run `python -m scripts.packages.release --working-tree`.")
    return max(wheels, key=lambda wheel: wheel.stat().st_mtime)


def emulated_environment(cpu: str) -> dict[str, str]:
    """This process's environment, for a program on the given processor."""
    return {**os.environ, "QEMU_CPU": cpu, **NUMPY}
