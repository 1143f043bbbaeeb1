"""Pricing by llvm-mca: its input, and steady-state costs."""

from __future__ import annotations

import pytest

from benchmarks.arm import cycles
from scripts.common import ScriptError, missing_tool

needs_mca = pytest.mark.skipif(bool(missing_tool("llvm-mca-19")), reason=missing_tool("llvm-mca-19") or "-")

# The peak of a Neoverse N1: sixteen accumulators hide the latency of two sdot per cycle.
SIXTEEN_SDOT = tuple(f"sdot v{i}.4s, v30.16b, v31.4b[0]" for i in range(16))


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        ("ldr q0, [x0], #0x10", ["ldr q0, [x0]", "add x0, x0, #0x10"]),
        ("ldr q0, [x0], #-0x10", ["ldr q0, [x0]", "sub x0, x0, #0x10"]),
        ("stp x29, x30, [sp, #-0x40]!", ["sub sp, sp, #0x40", "stp x29, x30, [sp]"]),
        ("str q0, [x1, #0x20]!", ["add x1, x1, #0x20", "str q0, [x1]"]),
        ("ldr q0, [x0, #0x10]", ["ldr q0, [x0, #0x10]"]),
        ("add x0, x0, #0x10", ["add x0, x0, #0x10"]),
    ],
)
def test_writeback_is_a_separate_operation(line: str, parts: list[str]) -> None:
    assert cycles.separate_writeback(line) == parts


def test_every_body_is_a_region() -> None:
    assert cycles.source([("nop",), ("ldr x0, [x1], #8",)]).splitlines() == [
        "# LLVM-MCA-BEGIN 0",
        "nop",
        "# LLVM-MCA-END",
        "# LLVM-MCA-BEGIN 1",
        "ldr x0, [x1]",
        "add x1, x1, #8",
        "# LLVM-MCA-END",
    ]


def test_unknown_core_is_an_error() -> None:
    with pytest.raises(ScriptError, match="unknown core 'cortex-a76'; expected one of"):
        cycles.price("cortex-a76", [])


@needs_mca
def test_cost_depends_on_pipes_and_latencies() -> None:
    chain = ("sdot v0.4s, v30.16b, v31.16b", "add v0.4s, v0.4s, v1.4s")
    costs = cycles.price("neoverse-n1", [SIXTEEN_SDOT, chain, SIXTEEN_SDOT])
    assert costs[SIXTEEN_SDOT] == cycles.Cost(8.0, 8.0, 0)
    assert costs[chain].bound == 1.0
    assert costs[chain].cycles >= 3.0


@needs_mca
def test_instructions_that_the_core_lacks_are_counted() -> None:
    both, none = ("smmla v0.4s, v1.16b, v2.16b", "nop"), ("smmla v0.4s, v1.16b, v2.16b",)
    costs = cycles.price("neoverse-n1", [both, none, ("nop",)])
    assert [costs[body].unknown for body in (both, none, ("nop",))] == [1, 1, 0]
    assert cycles.price("neoverse-v2", [both])[both].unknown == 0
