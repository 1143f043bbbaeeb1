"""Basic blocks of the executed code: cut where control flow may enter or leave."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.arm.program import Function, Instruction

Body = tuple[str, ...]  # the assembly of a block

# Min share of a loop's iterations in which each of its instructions is executed, for the loop to be one block.
WHOLE = 0.75


@dataclass(frozen=True)
class Block:
    """A sequence of instructions and its executions; total: the exact number of executed instructions."""

    function: str
    instructions: Sequence[Instruction]
    executions: float
    total: float

    @property
    def body(self) -> Body:
        return tuple(instruction.text for instruction in self.instructions)

    @property
    def is_loop(self) -> bool:
        """Whether the last instruction branches to the first."""
        return self.instructions[-1].target == self.instructions[0].address


def goes_back_into(piece: Sequence[Instruction]) -> bool:
    """Whether the last instruction is a branch back into the piece, which ends a loop."""
    last = piece[-1]
    return last.is_conditional and last.target is not None and piece[0].address <= last.target <= last.address


def cut(function: Function, executions: Mapping[int, float]) -> Iterator[Block]:
    """The executed blocks of a function.

    A branch that was never taken does not end a block, nor does the end of a page, where the emulator cuts. A loop is
    one block, even if it is entered in the middle.
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
    """The loop as one block, if nearly all of it is executed in nearly every iteration and it has no call.

    A compiler may enter a loop after its first instructions; these are then executed once less.
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


def executed(functions: Iterable[Function], executions: Mapping[int, float]) -> list[Block]:
    return [block for function in functions for block in cut(function, executions)]


def innermost_loops(function: Function) -> list[tuple[int, int]]:
    """Loops without inner loops, as index ranges from the target of a backward branch to the end of the branch.

    They are in order and do not overlap: two branches back to one target are one loop.
    """
    positions = {instruction.address: i for i, instruction in enumerate(function.instructions)}
    spans: dict[int, int] = {}
    for end, instruction in enumerate(function.instructions):
        is_jump = instruction.is_conditional or instruction.mnemonic == "b"
        start = positions.get(instruction.target) if is_jump and instruction.target is not None else None
        if start is not None and start <= end:
            spans[start] = end + 1
    inner: list[tuple[int, int]] = []
    for start, end in sorted(spans.items()):
        if inner and start < inner[-1][1]:
            inner.pop()  # the one that starts later is the inner loop
        inner.append((start, end))
    return inner
