"""Parsing a disassembly, cutting it into blocks, finding loops."""

from __future__ import annotations

import pytest

from benchmarks.arm.blocks import executed, innermost_loops
from benchmarks.arm.program import parse_instruction
from tests.benchmarks.arm import listings


def test_branch_target_is_removed_from_the_text_and_kept() -> None:
    branch = parse_instruction("    1014:      	tbnz	w3, #0x1, 0x1008 <sum+0x8>")
    assert branch is not None
    assert (branch.address, branch.text, branch.target) == (0x1014, "tbnz w3, #0x1, #0", 0x1008)
    assert branch.is_conditional
    assert not branch.is_final


@pytest.mark.parametrize("line", ["", "Disassembly of section .text:", "loop.o:	file format elf64-littleaarch64"])
def test_other_lines_are_not_instructions(line: str) -> None:
    assert parse_instruction(line) is None


def test_functions_are_found_with_their_instructions() -> None:
    found = {function.name: function.instructions for function in listings.functions(listings.LOOP)}
    assert {name: (body[0].address, body[-1].address) for name, body in found.items()} == {
        "sum": (0x1000, 0x101C),
        "finish": (0x1020, 0x1024),
    }


def test_blocks_end_at_taken_branches_and_have_every_execution() -> None:
    blocks = executed(listings.functions(listings.LOOP), listings.LOOP_COUNTS)
    assert [(block.instructions[0].address, len(block.instructions), block.executions) for block in blocks] == [
        (0x1000, 2, 2),
        (0x1008, 4, 20),
        (0x1018, 1, 2),
        (0x101C, 1, 2),
        (0x1020, 2, 2),
    ]
    assert [block.is_loop for block in blocks] == [False, True, False, False, False]
    assert sum(block.total for block in blocks) == listings.instructions(listings.LOOP_COUNTS)


def test_loop_entered_in_the_middle_is_one_block() -> None:
    blocks = executed(listings.functions(listings.ROTATED), listings.ROTATED_COUNTS)
    assert [(len(block.instructions), block.executions, block.is_loop) for block in blocks] == [
        (1, 1, False),
        (4, 16, True),
        (1, 1, False),
    ]
    assert sum(block.total for block in blocks) == listings.instructions(listings.ROTATED_COUNTS)


def test_loop_with_a_rarely_executed_part_is_cut() -> None:
    counts = listings.ROTATED_COUNTS | {0x2004: 3.0}
    blocks = executed(listings.functions(listings.ROTATED), counts)
    assert [len(block.instructions) for block in blocks] == [1, 1, 3, 1]


def test_code_that_was_not_executed_has_no_blocks() -> None:
    assert executed(listings.functions(listings.LOOP), {}) == []


def test_instructions_outside_functions_are_in_no_block() -> None:
    blocks = executed(listings.functions(listings.LOOP), {0x1000: 3.0, 0x9000: 5.0})
    assert sum(block.total for block in blocks) == 3.0


def test_only_innermost_loops_are_found() -> None:
    nested = """
0000000000003000 <nested>:
    3000:      	mov	x2, #0x8
    3004:      	subs	x2, x2, #0x1
    3008:      	b.ne	0x3004 <nested+0x4>
    300c:      	subs	x1, x1, #0x1
    3010:      	b.ne	0x3000 <nested>
    3014:      	cbnz	x3, 0x3014 <nested+0x14>
    3018:      	cbz	x3, 0x3020 <nested+0x20>
    301c:      	nop
    3020:      	ret
"""
    function = listings.functions(nested)[0]
    loops = [function.instructions[start:end] for start, end in innermost_loops(function)]
    assert [(loop[0].address, loop[-1].address) for loop in loops] == [(0x3004, 0x3008), (0x3014, 0x3014)]
