"""Runs the kernel tests of the AVX-512 sets on an emulated processor (machine.py), for computers that have none.

    python scripts/x86/run_suite.py                  every test of tests/kernels that names an AVX-512 set
    python scripts/x86/run_suite.py --always         where the processor can run them itself, too
    python scripts/x86/run_suite.py -k "avx512vnni and quantize" tests/kernels/test_row_operations.py

The package is the one installed for this Python. Needs Debian's bochs, bochs-term, isolinux, syslinux-common,
genisoimage, busybox-static, cpio and zstd, and apt for a kernel, which is kept in the cache folder. Exit code 69: a
tool is missing and nothing was tested.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import machine

from mobilebert_rt import _core

EXIT_UNAVAILABLE = 69  # sysexits.h, as scripts/arm
KERNEL_TESTS = tuple(f"tests/kernels/test_{name}.py" for name in ("gemm_s8", "gemm_f32", "row_operations"))


def cache_folder() -> Path:
    if chosen := os.environ.get("MBRT_CACHE"):
        return Path(chosen).absolute() / "x86"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mobilebert_rt" / "x86"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tests", nargs="*", default=KERNEL_TESTS, metavar="TEST", help="files of tests/kernels")
    parser.add_argument("-k", default="avx512", dest="which", metavar="WORDS", help="as pytest's -k (avx512)")
    parser.add_argument("--minutes", type=float, default=60, metavar="M", help="at most (60)")
    parser.add_argument("--always", action="store_true", help="where this processor can run them itself, too")
    options = parser.parse_args(arguments)
    if "avx512vnni" not in _core.compiled_isas():
        print("AVX-512: this package has no kernels for it")
        return 0
    if "avx512vnni" in _core.available_isas() and not options.always:
        print("AVX-512: this processor runs its kernels itself, so tests/kernels has tested them")
        return 0
    pytest = ["-m", "pytest", "-v", "-p", "no:cacheprovider", "--durations=10", "-k", options.which, *options.tests]
    try:
        machine.check_tools()
        machine.BUILD.mkdir(parents=True, exist_ok=True)
        vmlinuz = machine.kernel(cache_folder())
        machine.lay_out(["tests/kernels", "tests/numerics"])
        image = machine.write_image(pytest, vmlinuz)
    except machine.UnavailableError as lack:
        print(f"skipped: the AVX-512 kernels are not tested: {lack}", file=sys.stderr)
        return EXIT_UNAVAILABLE
    ended = machine.execute(image, 60 * options.minutes)
    if ended == 0:
        print("AVX-512: the kernel tests passed on an emulated processor")
    if ended is None:
        print(f"the emulated machine did not end: see {machine.CONSOLE} and {machine.BUILD}/bochs.log", file=sys.stderr)
        return 1
    return ended


if __name__ == "__main__":
    sys.exit(main())
