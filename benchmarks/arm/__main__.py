"""The command: python -m benchmarks.arm --help."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.arm import build, cycles, guard, kernels, measure, report
from benchmarks.arm.program import Function, disassemble
from scripts.common import exit_with, make_parser

BASELINE = build.HERE / "baseline.json"
GUARDED = 32  # tokens: takes a second under emulation, and covers every part of the model

DESCRIPTION = """\
The cost of an inference on 64-bit ARM, measured on any machine: the engine is cross-compiled, a random MobileBERT runs
one text under qemu-aarch64, instructions are counted exactly and priced by llvm-mca on the pipelines of real cores.
"""

EXAMPLES = """\
examples:
  python -m benchmarks.arm                       S = 128 and 32, all micro-kernels, Neoverse N1 (= Cortex-A76)
  python -m benchmarks.arm --quick               S = 32 only: a first answer after a change
  python -m benchmarks.arm --blocks 20           also the 20 most expensive blocks, with their addresses
  python -m benchmarks.arm --isa i8mm --cores neoverse-v2         the kernels of a core with i8mm
  python -m benchmarks.arm --isa neon --cores cortex-a53          the kernels of a Raspberry Pi 3
  python -m benchmarks.arm --check               in CI: fails if an inference takes more instructions than the baseline
  python -m benchmarks.arm --refresh             writes the baseline of --check

"of peak": the time of the multiplications alone, without stalls, divided by the modelled time.
"pipes only": the time of the busiest pipe if no instruction waits for a result: a lower bound.
Not modelled: caches and memory, branch prediction, overlap between blocks of code. See benchmarks/arm/README.md.
On ARM hardware use `mbrt bench MODEL`, and `perf stat -e instructions,cycles mbrt bench MODEL`.
"""


def parse_arguments() -> argparse.Namespace:
    parser = make_parser(DESCRIPTION, prog="python -m benchmarks.arm", epilog=EXAMPLES)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--quick", action="store_true", help="S = 32 only")
    what.add_argument("--kernels", action="store_true", help="the micro-kernels only; runs nothing")
    what.add_argument("--check", nargs="?", type=Path, const=BASELINE, metavar="FILE", help="compare with a baseline")
    what.add_argument("--refresh", nargs="?", type=Path, const=BASELINE, metavar="FILE", help="write a baseline")
    parser.add_argument(
        "--lengths",
        type=lambda text: [int(word) for word in text.split(",")],
        default=[128, 32],
        metavar="S,S",
        help="lengths in tokens (128,32)",
    )
    parser.add_argument("--isa", choices=[*measure.PROCESSORS], default="dotprod", help="of the kernels (dotprod)")
    parser.add_argument(
        "--cores",
        type=lambda text: text.split(","),
        default=["neoverse-n1"],
        metavar="CORE,CORE",
        help=f"cores on which the model is priced (neoverse-n1): {', '.join(cycles.CORES)}",
    )
    parser.add_argument("--blocks", type=int, default=0, metavar="N", help="also the N most expensive blocks of code")
    parser.add_argument("--every-tile", action="store_true", help="also the smaller tiles of the micro-kernels")
    parser.add_argument("--model", type=Path, metavar="FILE", help="a converted model (a random one)")
    parser.add_argument("--build", type=Path, default=build.FOLDER, metavar="FOLDER", help="(build/arm_cycles)")
    return parser.parse_args()


def say(lines: Any) -> None:
    for line in lines:
        print(line, flush=True)


def report_kernels(functions: Sequence[Function], file: Path, every_tile: bool) -> None:
    loops = kernels.find_loops(functions, file.read_bytes(), every_tile)
    say(report.micro_kernels({core: kernels.shares(core, loops) for core in kernels.CORES}))


def report_model(arguments: argparse.Namespace) -> None:
    """Print the tables of the model, and that of the micro-kernels unless --quick."""
    measured = measure.Measured(arguments.build, arguments.model)
    for tokens in [32] if arguments.quick else arguments.lengths:
        counted = measured.count(arguments.isa, tokens)
        prices = measure.price(counted, arguments.cores)
        say(report.whole_model(counted, prices))
        if arguments.blocks:
            say(report.hottest(counted, prices, arguments.blocks))
    if not arguments.quick:
        report_kernels(measured.functions, measured.file, arguments.every_tile)


def take_baseline(arguments: argparse.Namespace, isa: str) -> guard.Baseline:
    counted = measure.Measured(arguments.build, arguments.model).count(isa, GUARDED)
    return guard.take(build.compiler(), counted)


def check(arguments: argparse.Namespace) -> int:
    baseline = guard.read(arguments.check)
    guard.check_compiler(baseline, build.compiler())
    passes, lines = guard.compare(baseline, take_baseline(arguments, baseline.isa))
    say(lines)
    return 0 if passes else 1


def main() -> int:
    arguments = parse_arguments()
    if arguments.check:
        return check(arguments)
    if arguments.refresh:
        guard.write(arguments.refresh, take_baseline(arguments, arguments.isa))
        print(f"wrote {arguments.refresh}")
    elif arguments.kernels:
        file = build.build_program()
        report_kernels(disassemble(file), file, arguments.every_tile)
    else:
        report_model(arguments)
    return 0


if __name__ == "__main__":
    exit_with(main)
