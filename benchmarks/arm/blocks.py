"""Straight pieces of code: what was executed, cut where the processor may have come from or gone elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.arm.program import Function, Instruction, Program

Body = tuple[str, ...]  # the assembly of a straight piece of code

# Of a loop's iterations, that all of its instructions must be part of for it to be one block.
WHOLE = 0.75


@dataclass(frozen=True)
class Block:
    """Instructions that were executed one after another, so often; total is the exact number of them all."""

    function: str
    instructions: Sequence[Instruction]
    executions: float
    total: float

    @property
    def body(self) -> Body:
        return tuple(instruction.text for instruction in self.instructions)

    @property
    def is_loop(self) -> bool:
        """Its last instruction goes back to its first."""
        return self.instructions[-1].target == self.instructions[0].address


def goes_back_into(piece: Sequence[Instruction]) -> bool:
    """Whether the last instruction is a branch back into the piece: there a loop ends."""
    last = piece[-1]
    return last.is_conditional and last.target is not None and piece[0].address <= last.target <= last.address


def cut(function: Function, executions: Mapping[int, float]) -> Iterator[Block]:
    """The executed blocks of a function.

    A branch that was never taken, or taken equally often to and fro, does not end a block; nor does the border of a
    page, where the emulator cuts. A loop is one block, even if it is entered in its midst.
    """
    rest = 0
    loops = innermost_loops(function) if any(i.address in executions for i in function.instructions) else []
    for start, end in loops:
        block = as_loop(function.name, function.instructions[start:end], executions)
        if block is not None:
            yield from cut_straight(function.name, function.instructions[rest:start], executions)
            yield block
            rest = end
    yield from cut_straight(function.name, function.instructions[rest:], executions)


def as_loop(name: str, body: Sequence[Instruction], executions: Mapping[int, float]) -> Block | None:
    """The loop as one block, if (nearly) all of it is executed in (nearly) every iteration, with no call in between.

    A compiler may enter it behind the first instructions; these are then executed once less each time.
    """
    times = [executions.get(instruction.address, 0.0) for instruction in body]
    if min(times) <= 0 or min(times) < WHOLE * max(times) or any(i.is_final for i in body[:-1]):
        return None
    return Block(name, tuple(body), max(times), sum(times))


def cut_straight(name: str, body: Sequence[Instruction], executions: Mapping[int, float]) -> Iterator[Block]:
    piece: list[Instruction] = []
    times = 0.0
    for instruction in body:
        now = executions.get(instruction.address, 0.0)
        if piece and now != times:
            yield Block(name, tuple(piece), times, times * len(piece))
            piece = []
        if now <= 0:
            continue
        piece.append(instruction)
        times = now
        if instruction.is_final or goes_back_into(piece):
            yield Block(name, tuple(piece), times, times * len(piece))
            piece = []
    if piece:
        yield Block(name, tuple(piece), times, times * len(piece))


def executed(program: Program, executions: Mapping[int, float]) -> list[Block]:
    return [block for function in program.functions for block in cut(function, executions)]


def outside(program: Program, executions: Mapping[int, float]) -> float:
    """Executed instructions that belong to no function of the program's file."""
    return sum(times for at, times in executions.items() if program.function_at(at) is None)


def innermost_loops(function: Function) -> list[tuple[int, int]]:
    """The loops with no loop inside: places in the function, from a backward branch's target to behind the branch.

    They are in order and do not overlap: two branches back to one place are one loop.
    """
    places = {instruction.address: i for i, instruction in enumerate(function.instructions)}
    spans: dict[int, int] = {}
    for end, instruction in enumerate(function.instructions):
        is_jump = instruction.is_conditional or instruction.mnemonic == "b"
        start = places.get(instruction.target) if is_jump and instruction.target is not None else None
        if start is not None and start <= end:
            spans[start] = end + 1
    inner: list[tuple[int, int]] = []
    for start, end in sorted(spans.items()):
        if inner and start < inner[-1][1]:
            inner.pop()  # the one that begins later is inside
        inner.append((start, end))
    return inner
