"""Checks by disassembly that compiled code runs on every processor of its machine.

    python -m scripts.packages.baseline MACHINE FOLDER...        FOLDER: a build folder of CMake

Only kernels behind dispatch (GUARDED) may contain instructions that the oldest processor lacks. Every other object is
disassembled, and each distinct instruction is assembled again for the baseline: the assembler rejects what the
baseline lacks. A guarded object must not define a weak symbol (an inline function, a template): the linker keeps one of
several definitions, possibly the one compiled for AVX-512. Indirect functions (ifunc) are resolved before dispatch
and are rejected everywhere.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from scripts.common import ScriptError, exit_with, make_parser, run, say
from scripts.packages.machines import MACHINES, Machine

# Kernel targets of csrc/kernels/CMakeLists.txt that need more than the baseline.
GUARDED: Mapping[str, frozenset[str]] = {
    "x86_64": frozenset({"avx2", "avxvnni", "avx512", "avx512vnni"}),
    "aarch64": frozenset({"dotprod", "i8mm"}),
    "armhf": frozenset(),
}
# Executed only after CPUID reports that the system saves the registers.
ASKED_FIRST = {("cpu_features_x86.cc.o", "xgetbv")}

TARGET = re.compile(r"mbrt_kernels_(\w+)\.dir")


@dataclass(frozen=True)
class Syntax:
    """How the disassembly of a machine becomes input of the assembler."""

    assembler: tuple[str, ...]  # options: the baseline and nothing more
    comment: str
    header: str = ""
    dropped: str = r"$^"  # instructions that are not assembled again
    rewritten: tuple[tuple[str, str], ...] = ()


SYNTAX: Mapping[str, Syntax] = {
    # Padding prefixes of thread-local storage cannot be assembled.
    "x86_64": Syntax(("--64", "-march=generic64"), "#", rewritten=((r"^(?:data16 |rex\.W )+", ""),)),
    "aarch64": Syntax(("-march=armv8-a",), "//"),
    # IT repeats the condition of the next instructions; a float immediate is printed encoded.
    "armhf": Syntax(
        ("-march=armv7-a", "-mfpu=neon-vfpv4", "-mfloat-abi=hard", "-mimplicit-it=always", "-mno-warn-deprecated"),
        "@",
        header=".syntax unified\n.thumb\n.p2align 2\n",
        dropped=r"it[te]{0,3} ",
        rewritten=((r"^(vmov(?:\w\w)?\.f(?:32|64) .*, )#\d+$", r"\g<1>#1.0"),),
    ),
}
NEAR = " nop\n nop\n1:\n"  # the target of every branch


def target_of(file: Path) -> str:
    """The kernel target of an object; empty: none."""
    found = TARGET.search(str(file))
    return found[1] if found else ""


def instructions(machine: Machine, objects: Sequence[Path]) -> dict[str, str]:
    """Every distinct instruction, with the first object that contains it."""
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
        text = re.sub(r"\b[0-9a-f]+ <.*>", "1f", text)  # every branch goes to label 1
        for pattern, replacement in syntax.rewritten:
            text = re.sub(pattern, replacement, text)
        if not re.match(syntax.dropped, text):
            seen.setdefault(text, file)
    return seen


def beyond_baseline(machine: Machine, objects: Sequence[Path]) -> list[str]:
    """Instructions that the baseline lacks, each with one object and the assembler's message."""
    syntax = SYNTAX[machine.name]
    seen = instructions(machine, objects)
    if not seen:
        raise ScriptError(f"{machine.name}: {len(objects)} objects without an instruction; nothing was checked")
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
        raise ScriptError(f"{' '.join(command)}: {done.stderr}")
    refused = [(at.get(int(number), "?"), said) for number, said in errors]
    return [
        f"{seen.get(text, '?')}: {said}"
        for text, said in refused
        if (Path(seen.get(text, "?")).name, text) not in ASKED_FIRST
    ]


def linker_traps(file: Path, *, guarded: bool) -> list[str]:
    """Definitions that the linker or the loader might use outside the object."""
    with file.open("rb") as data:
        tables = [part for part in ELFFile(data).iter_sections() if isinstance(part, SymbolTableSection)]
        symbols = [symbol for table in tables for symbol in table.iter_symbols() if symbol["st_shndx"] != "SHN_UNDEF"]
    found = []
    for symbol in symbols:
        if symbol["st_info"]["type"] == "STT_LOOS":  # STT_GNU_IFUNC
            found.append(f"{file}: {symbol.name} is an indirect function")
        elif guarded and symbol["st_info"]["bind"] in ("STB_WEAK", "STB_LOOS"):  # STB_GNU_UNIQUE
            found.append(f"{file}: {symbol.name} is a weak definition, compiled for {target_of(file)}")
    return found


def check(machine: Machine, folders: Sequence[Path]) -> str:
    """Checks every object of the engine in the folders; returns a summary."""
    objects = sorted({path for folder in folders for path in folder.rglob("csrc/**/*.o")})
    guarded = [path for path in objects if target_of(path) in GUARDED[machine.name]]
    baseline = [path for path in objects if target_of(path) not in GUARDED[machine.name]]
    if missing := ({"scalar"} | GUARDED[machine.name]) - {target_of(path) for path in objects}:
        raise ScriptError(
            f"{', '.join(map(str, folders))}: no objects of the kernels {', '.join(sorted(missing))}: build them first"
        )
    faults = beyond_baseline(machine, baseline)
    for path in objects:
        faults += linker_traps(path, guarded=path in guarded)
    if faults:
        raise ScriptError("\n  ".join([f"{machine.name}: {len(faults)} violations of the baseline:", *faults[:50]]))
    held = f"{machine.name}: {len(baseline)} objects keep to the baseline"
    return f"{held}, {len(guarded)} are guarded and define nothing weak"


def main() -> int:
    parser = make_parser(__doc__, epilog="Exit codes: 0 passed, 1 a violation.")
    parser.add_argument("machine", choices=MACHINES, metavar="MACHINE", help=", ".join(MACHINES))
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER", help="a build folder of CMake")
    arguments = parser.parse_args()
    say(check(MACHINES[arguments.machine], arguments.folders))
    return 0


if __name__ == "__main__":
    exit_with(main)
