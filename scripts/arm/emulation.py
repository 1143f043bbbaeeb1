"""What the ARM scripts share: where things lie, which processors are emulated, how a missing tool is told."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
BUILD = REPOSITORY / "build" / "aarch64"
DIST = REPOSITORY / "dist"

# One processor for each family of kernels, weakest first.
CPUS: Mapping[str, str] = {
    "cortex-a53": "armv8.0: NEON only (Raspberry Pi 3)",
    "neoverse-n1": "armv8.2: dot product, fp16 (also Cortex-A76, Raspberry Pi 5)",
    "max": "everything qemu has: dot product, i8mm, bf16, SVE2",
}

# Processors that choose the same kernels as one above; asked for by name.
OTHER_CPUS: Mapping[str, str] = {"cortex-a72": "armv8.0: NEON only (Raspberry Pi 4)"}

# numpy's OpenBLAS, which tests use as an oracle. Its SVE kernels, chosen on `max`, make numpy warn of
# divisions by zero that nobody asked for; and a process that has no second thread is one that
# qemu forks more safely.
NUMPY: Mapping[str, str] = {"OPENBLAS_CORETYPE": "ARMV8", "OPENBLAS_NUM_THREADS": "1"}

EXIT_UNAVAILABLE = 69  # sysexits.h: this machine lacks a tool; nothing was tested, nothing is wrong with the code


class UnavailableError(Exception):
    """The machine cannot do this: the message says what is missing, what is skipped, and how to mend it."""


def sysroot() -> Path:
    """The emulated system's root: large, the same for every working copy, so it lies in the user's cache."""
    if chosen := os.environ.get("MBRT_CACHE"):
        cache = Path(chosen)
    else:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mobilebert_rt"
    return cache.absolute() / "aarch64-sysroot"


def need(tool: str, package: str, skipped: str) -> str:
    """Path of a program, or UnavailableError naming the Debian package that has it."""
    path = shutil.which(tool)
    if path is None:
        raise UnavailableError(f"{tool} is not installed, so {skipped}. On Debian: apt-get install {package}")
    return path


def emulator() -> str:
    return need("qemu-aarch64", "qemu-user", "nothing can be run as 64-bit ARM")


def emulated_environment(cpu: str) -> dict[str, str]:
    """This process's environment, for a program that runs as the given processor."""
    return {**os.environ, "QEMU_CPU": cpu, **NUMPY}


def say(message: str) -> None:
    print(message, flush=True)


def run(command: Sequence[str | Path], *, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> None:
    """Runs a command quietly; when it fails, shows all that it said and raises CalledProcessError."""
    done = subprocess.run(command, env=env, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode != 0:
        sys.stderr.write(done.stdout.decode(errors="replace"))
        done.check_returncode()


def exit_with(main: Callable[[], int]) -> None:
    """Runs a script's main function and turns its errors into one clear line and an exit code."""
    try:
        sys.exit(main())
    except UnavailableError as lack:
        print(f"skipped: {lack}", file=sys.stderr)
        sys.exit(EXIT_UNAVAILABLE)
    except subprocess.CalledProcessError as failure:
        words = " ".join(str(word) for word in failure.cmd)
        print(f"failed ({failure.returncode}): {words}", file=sys.stderr)
        sys.exit(1)
