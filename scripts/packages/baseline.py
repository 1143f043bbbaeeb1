"""Checks by disassembly that compiled code runs on every processor of its machine.

    scripts/packages/baseline.py MACHINE FOLDER...        FOLDER: of objects, as CMake leaves them

Only the kernels that dispatch guards (GUARDED) may hold instructions that the oldest processor lacks. Every other
object is disassembled by a program that knows all instructions, and each distinct one is assembled again for the
baseline alone: the assembler names what it does not have, and what it cannot read fails too. And no guarded object
may define a weak symbol (an inline function, a template): of two definitions the linker keeps one, and might keep for
everyone the one that was compiled for AVX-512. Indirect functions (ifunc), which are resolved before any guard, are
refused everywhere.
"""

from __future__ import annotations

import argparse
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from common import MACHINES, Machine, PackageError, exit_with, run, say

# The rows of csrc/kernels/CMakeLists.txt that need more than the baseline. A row that is added there and not here is
# held to the baseline.
GUARDED: Mapping[str, frozenset[str]] = {
    "x86_64": frozenset({"avx2", "avxvnni", "avx512", "avx512vnni"}),
    "aarch64": frozenset({"dotprod", "i8mm"}),
    "armhf": frozenset(),
}
# What is executed only behind a test of its own: reading which registers the system saves, once CPUID says that the
# question can be asked.
ASKED_FIRST = {("cpu_features.cc.o", "xgetbv")}

TARGET = re.compile(r"mbrt_kernels_(\w+)\.dir")


@dataclass(frozen=True)
class Syntax:
    """How one machine's disassembly is made fit to be assembled again."""

    assembler: tuple[str, ...]  # options: the baseline and nothing more
    comment: str
    header: str = ""
    dropped: str = r"$^"  # instructions that say nothing of the processor
    rewritten: tuple[tuple[str, str], ...] = ()


SYNTAX: Mapping[str, Syntax] = {
    # Prefixes that only fill space, as the thread-local storage model asks for, cannot be written twice.
    "x86_64": Syntax(("--64", "-march=generic64"), "#", rewritten=((r"^(?:data16 |rex\.W )+", ""),)),
    "aarch64": Syntax(("-march=armv8-a",), "//"),
    # IT only names the condition that the next instructions carry themselves; a float immediate is shown encoded.
    "armhf": Syntax(
        ("-march=armv7-a", "-mfpu=neon-vfpv4", "-mfloat-abi=hard", "-mimplicit-it=always", "-mno-warn-deprecated"),
        "@",
        header=".syntax unified\n.thumb\n.p2align 2\n",
        dropped=r"it[te]{0,3} ",
        rewritten=((r"^(vmov(?:\w\w)?\.f(?:32|64) .*, )#\d+$", r"\g<1>#1.0"),),
    ),
}
NEAR = " nop\n nop\n1:\n"  # a place that every branch reaches


def target_of(file: Path) -> str:
    """The kernel target that an object belongs to; empty: none."""
    found = TARGET.search(str(file))
    return found[1] if found else ""


def instructions(machine: Machine, objects: Sequence[Path]) -> dict[str, str]:
    """Every distinct instruction of the objects, each with the first object it was seen in."""
    syntax = SYNTAX[machine.name]
    seen: dict[str, str] = {}
    file = ""
    for line in run((machine.tool("objdump"), "-dw", "--no-show-raw-insn", *objects)).splitlines():
        if ":     file format " in line:
            file = line.partition(":     file format ")[0]
        found = re.match(r"\s*[0-9a-f]+:\t(.*)", line)
        if found is None:
            continue
        text = re.sub(r"\s+", " ", found[1].split(syntax.comment)[0]).strip()
        text = re.sub(r"\b[0-9a-f]+ <.*>", "1f", text)  # where a branch goes does not matter
        for pattern, replacement in syntax.rewritten:
            text = re.sub(pattern, replacement, text)
        if not re.match(syntax.dropped, text):
            seen.setdefault(text, file)
    return seen


def beyond_baseline(machine: Machine, objects: Sequence[Path]) -> list[str]:
    """The instructions of the objects that the baseline lacks, each with what the assembler says and one object."""
    syntax = SYNTAX[machine.name]
    seen = instructions(machine, objects)
    if not seen:
        raise PackageError(f"{machine.name}: {len(objects)} objects hold no instruction; nothing was checked")
    source, at = [syntax.header], {}
    line = 1 + syntax.header.count("\n")
    for text in seen:
        at[line] = text
        lines = f"{text}\n" + (NEAR if "1f" in text.replace(",", " ").split() else "")
        source.append(lines)
        line += lines.count("\n")
    command = (machine.tool("as"), *syntax.assembler, "-o", "/dev/null", "-")
    done = subprocess.run(command, input="".join(source), capture_output=True, text=True, check=False)
    errors = re.findall(r"^\{standard input\}:(\d+): Error: (.*)", done.stderr, re.M)
    if done.returncode != 0 and not errors:
        raise PackageError(f"{' '.join(command)}: {done.stderr}")
    refused = [(at.get(int(number), "?"), said) for number, said in errors]
    return [
        f"{seen.get(text, '?')}: {said}"
        for text, said in refused
        if (Path(seen.get(text, "?")).name, text) not in ASKED_FIRST
    ]


def linker_traps(machine: Machine, file: Path, *, guarded: bool) -> list[str]:
    """Definitions that the linker or the loader might use for more than the object's own callers."""
    found = []
    for line in run((machine.tool("nm"), "--defined-only", "--format=posix", file)).splitlines():
        name, kind = line.split()[:2]
        if kind == "i":
            found.append(f"{file}: {name} is an indirect function")
        elif guarded and kind in "WwVvuC":
            found.append(f"{file}: {name} is a weak definition, compiled for {target_of(file)}")
    return found


def check(machine: Machine, folders: Sequence[Path]) -> str:
    """Checks every object of the engine in the folders; what was checked, in a line."""
    objects = sorted({path for folder in folders for path in folder.rglob("csrc/**/*.o")})
    guarded = [path for path in objects if target_of(path) in GUARDED[machine.name]]
    baseline = [path for path in objects if target_of(path) not in GUARDED[machine.name]]
    if missing := ({"scalar"} | GUARDED[machine.name]) - {target_of(path) for path in objects}:
        raise PackageError(
            f"{', '.join(map(str, folders))}: no objects of the kernels {', '.join(sorted(missing))}: build them first"
        )
    faults = beyond_baseline(machine, baseline)
    for path in objects:
        faults += linker_traps(machine, path, guarded=path in guarded)
    if faults:
        raise PackageError("\n  ".join([f"{machine.name}: {len(faults)} breaches of the baseline:", *faults[:50]]))
    held = f"{machine.name}: {len(baseline)} objects keep to the baseline"
    return f"{held}, {len(guarded)} are guarded and define nothing weak"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, epilog="Exit codes: 0, 1 a breach."
    )
    parser.add_argument("machine", choices=MACHINES, metavar="MACHINE", help=", ".join(MACHINES))
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER", help="a build folder of CMake")
    arguments = parser.parse_args()
    say(check(MACHINES[arguments.machine], arguments.folders))
    return 0


if __name__ == "__main__":
    exit_with(main)
