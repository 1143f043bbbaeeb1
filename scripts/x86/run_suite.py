"""Runs the kernel tests of the AVX-512 sets on an emulated processor, for computers that have none.

    python -m scripts.x86.run_suite                  every test of tests/kernels that names an AVX-512 set
    python -m scripts.x86.run_suite --always         also where the processor runs AVX-512
    python -m scripts.x86.run_suite -k "avx512vnni and quantize" tests/kernels/test_row_operations.py

The package installed for this Python is tested. Needs Debian's bochs, isolinux, syslinux-common,
genisoimage, busybox-static, cpio and zstd, and apt for a kernel, which is kept in the cache folder. Exit code 69: a
tool is missing and nothing was tested.
"""

from __future__ import annotations

from mobilebert_rt import _core
from scripts.common import ScriptError, cache_folder, exit_with, make_parser, say
from scripts.x86 import machine

KERNEL_TESTS = tuple(f"tests/kernels/test_{name}.py" for name in ("gemm_s8", "gemm_f32", "row_operations"))


def main() -> int:
    parser = make_parser(__doc__)
    parser.add_argument("tests", nargs="*", default=KERNEL_TESTS, metavar="TEST", help="files of tests/kernels")
    parser.add_argument("-k", default="avx512", dest="expression", help="as pytest's -k (default: avx512)")
    parser.add_argument("--minutes", type=float, default=60, metavar="M", help="time limit (default: 60)")
    parser.add_argument("--always", action="store_true", help="also where this processor runs AVX-512")
    options = parser.parse_args()
    if "avx512vnni" not in _core.compiled_isas():
        say("AVX-512: this package has no kernels for it")
        return 0
    if "avx512vnni" in _core.available_isas() and not options.always:
        say("AVX-512: this processor runs the kernels, tests/kernels covers them")
        return 0
    pytest = ["-m", "pytest", "-v", "-p", "no:cacheprovider", "--durations=10", "-k", options.expression]
    machine.check_tools()
    machine.BUILD.mkdir(parents=True, exist_ok=True)
    vmlinuz = machine.kernel(cache_folder() / "x86")
    machine.lay_out(["tests/kernels", "tests/numerics"])
    code = machine.execute(machine.write_image([*pytest, *options.tests], vmlinuz), 60 * options.minutes)
    if code is None:
        raise ScriptError(
            f"the machine ended early or exceeded its time. See {machine.CONSOLE} and {machine.BUILD}/bochs.log"
        )
    if code == 0:
        say("AVX-512: the kernel tests passed on an emulated processor")
    return code


if __name__ == "__main__":
    exit_with(main)
