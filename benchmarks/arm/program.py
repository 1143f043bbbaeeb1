"""A disassembled ARM program: functions and their instructions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.common import ScriptError, find_tool, run

FUNCTION = re.compile(r"^([0-9a-f]+) <(.+)>:$")
INSTRUCTION = re.compile(r"^ *([0-9a-f]+):\s+(\S+)(?:\s+(.*))?$")
# An operand with a known address: the address, and the mangled name in brackets.
PLACE = re.compile(r"(?:#)?0x([0-9a-f]+) <[^>]*>$")

CONDITIONAL = re.compile(r"^(b\.\w+|bc\.\w+|cbz|cbnz|tbz|tbnz)$")
FINAL = re.compile(r"^(b|br|bra\w+|bl|blr|blra\w+|ret|reta\w+|eret|brk|udf|hlt|svc)$")


@dataclass(frozen=True)
class Instruction:
    """text: assembly for llvm-mca, without branch targets, which do not affect the time."""

    address: int
    text: str
    target: int | None = None  # of a branch or a pc-relative load

    @property
    def mnemonic(self) -> str:
        return self.text.split(maxsplit=1)[0]

    @property
    def is_conditional(self) -> bool:
        """A branch that may fall through."""
        return CONDITIONAL.match(self.mnemonic) is not None

    @property
    def is_final(self) -> bool:
        """A jump, call, return or trap."""
        return FINAL.match(self.mnemonic) is not None


@dataclass(frozen=True)
class Function:
    name: str  # demangled
    instructions: Sequence[Instruction]  # contiguous, in order of address


def parse_instruction(line: str) -> Instruction | None:
    found = INSTRUCTION.match(line)
    if found is None:
        return None
    address, mnemonic, operands = int(found[1], 16), found[2], (found[3] or "").split(" //")[0].strip()
    place = PLACE.search(operands)
    if place is None:
        return Instruction(address, f"{mnemonic} {operands}".strip())
    return Instruction(address, f"{mnemonic} {PLACE.sub('#0', operands)}", int(place[1], 16))


def parse(listing: Iterable[str]) -> Iterator[tuple[str, list[Instruction]]]:
    """(mangled name, instructions) of every function in a listing of llvm-objdump -d --no-show-raw-insn."""
    name, body = "", list[Instruction]()
    for line in listing:
        if (found := FUNCTION.match(line)) is not None:
            if body:
                yield name, body
            name, body = found[2], []
        elif name and (instruction := parse_instruction(line)) is not None:
            body.append(instruction)
    if body:
        yield name, body


def demangle(names: Sequence[str]) -> list[str]:
    plain = run([find_tool("c++filt")], text="\n".join(names) + "\n").splitlines()
    if len(plain) != len(names):
        raise ScriptError(f"c++filt: {len(plain)} names for {len(names)}; expected that of binutils")
    return plain


def disassemble(path: Path) -> list[Function]:
    """The functions of an executable or an object file, in order of address."""
    command: list[str | Path] = [find_tool("llvm-objdump-19"), "-d", "--no-show-raw-insn", "--mattr=+all", path]
    found = list(parse(run(command).splitlines()))
    if not found:
        raise ScriptError(f"{path}: no functions found; expected a 64-bit ARM program that is not stripped")
    names = demangle([name for name, _ in found])
    functions = [Function(name, body) for name, (_, body) in zip(names, found, strict=True)]
    return sorted(functions, key=lambda function: function.instructions[0].address)
