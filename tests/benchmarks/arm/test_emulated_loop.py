"""A program with known counts: cross-compiled, run under QEMU, counted, cut into blocks."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import pytest

from benchmarks.arm import blocks, build, counts, program
from scripts.common import find_tool, missing_tool, run

TOOLS = ("aarch64-linux-gnu-gcc", "qemu-aarch64", "llvm-objdump-19", "c++filt", "cc")
MISSING = missing_tool(*TOOLS)

pytestmark = [
    pytest.mark.skipif(
        platform.machine() == "aarch64" and "QEMU_CPU" in os.environ, reason="[emulated] emulator inside an emulator"
    ),
    pytest.mark.skipif(bool(MISSING), reason=MISSING or "-"),
]

# 1,000 times three instructions, in an outer loop of 5 with two more; then exit(0).
SOURCE = """
    .globl _start
_start:
    mov x1, #5
outer:
    mov x0, #1000
inner:
    add v0.4s, v0.4s, v1.4s
    subs x0, x0, #1
    b.ne inner
    subs x1, x1, #1
    b.ne outer
    mov x8, #93
    mov x0, #0
    svc #0
    .type _start, %function
    .size _start, . - _start
"""


@pytest.fixture(scope="module")
def executable(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("loop")
    (folder / "loop.s").write_text(SOURCE, encoding="ascii")
    flags = ["-nostdlib", "-static", "-Wl,--build-id=none"]
    run([find_tool("aarch64-linux-gnu-gcc"), *flags, "-o", folder / "loop", folder / "loop.s"])
    return folder / "loop"


def test_every_instruction_is_counted_once(executable: Path, tmp_path: Path) -> None:
    plugin = build.build_plugin(tmp_path)
    executions = counts.count(plugin, "cortex-a53", [executable])
    assert sum(executions.values()) == 1 + 5 * (1 + 3 * 1000 + 2) + 3

    found = program.disassemble(executable)
    cut = blocks.executed(found, executions)
    assert sum(block.total for block in cut) == sum(executions.values())
    assert [(len(one.instructions), one.executions, one.is_loop) for one in cut] == [
        (1, 1, False),
        (1, 5, False),
        (3, 5000, True),
        (2, 5, False),
        (3, 1, False),
    ]
