"""Tiny programs as llvm-objdump prints them, and the executions of their instructions."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.arm.program import Function, parse

# A loop of ten iterations, entered twice, in a function with a prologue, an epilogue and a call; then another function.
LOOP = """
loop.o:	file format elf64-littleaarch64

Disassembly of section .text:

0000000000001000 <sum>:
    1000:      	cbz	x1, 0x1018 <sum+0x18>
    1004:      	movi	v0.4s, #0x0
    1008:      	ldr	q1, [x0], #0x10
    100c:      	subs	x1, x1, #0x1
    1010:      	add	v0.4s, v0.4s, v1.4s
    1014:      	b.ne	0x1008 <sum+0x8>
    1018:      	bl	0x1020 <finish>
    101c:      	ret

0000000000001020 <finish>:
    1020:      	adrp	x2, 0x4a0000 <finish+0x49efe0>
    1024:      	ret
"""
LOOP_COUNTS = dict.fromkeys([0x1000, 0x1004, 0x1018, 0x101C, 0x1020, 0x1024], 2.0) | dict.fromkeys(
    [0x1008, 0x100C, 0x1010, 0x1014], 20.0
)

# A rotated loop: it is entered after its first instruction.
ROTATED = """
0000000000002000 <void mbrt::i8mm::paired_tile<(mbrt::Epilogue)1, 8>(mbrt::GemmS8 const&)>:
    2000:      	b	0x2008 <x+0x8>
    2004:      	mov	x1, x2
    2008:      	smmla	v0.4s, v1.16b, v2.16b
    200c:      	cmp	x1, x3
    2010:      	b.ne	0x2004 <x+0x4>
    2014:      	ret
"""
ROTATED_COUNTS = {0x2000: 1.0, 0x2004: 15.0, 0x2008: 16.0, 0x200C: 16.0, 0x2010: 16.0, 0x2014: 1.0}


def functions(listing: str) -> list[Function]:
    """The functions, with names not demangled."""
    return [Function(name, body) for name, body in parse(listing.splitlines())]


def instructions(counts: Mapping[int, float]) -> float:
    return sum(counts.values())
