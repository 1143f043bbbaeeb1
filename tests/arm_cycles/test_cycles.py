"""Pricing by llvm-mca: what it is given, and that steady state is what comes out."""

from __future__ import annotations

import pytest

from benchmarks.arm import cycles
from benchmarks.arm.tools import HarnessError, missing

needs_mca = pytest.mark.skipif(bool(missing("llvm-mca-19")), reason=missing("llvm-mca-19") or "-")

# The peak of a Neoverse N1: sixteen accumulators hide the latency of two sdot a cycle.
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
def test_a_moved_base_register_is_an_operation_of_its_own(line: str, parts: list[str]) -> None:
    assert cycles.separate_writeback(line) == parts


def test_every_body_is_a_region_of_its_own() -> None:
    assert cycles.source([("nop",), ("ldr x0, [x1], #8",)]).splitlines() == [
        "# LLVM-MCA-BEGIN 0",
        "nop",
        "# LLVM-MCA-END",
        "# LLVM-MCA-BEGIN 1",
        "ldr x0, [x1]",
        "add x1, x1, #8",
        "# LLVM-MCA-END",
    ]


def test_a_core_without_a_schedule_is_refused() -> None:
    with pytest.raises(HarnessError, match="no schedule of 'cortex-a76'; give one of"):
        cycles.price("cortex-a76", [])


@needs_mca
def test_pipes_and_latencies_are_both_seen() -> None:
    chain = ("sdot v0.4s, v30.16b, v31.16b", "add v0.4s, v0.4s, v1.4s")
    costs = cycles.price("neoverse-n1", [SIXTEEN_SDOT, chain, SIXTEEN_SDOT])
    assert costs[SIXTEEN_SDOT] == cycles.Cost(8.0, 8.0, 0)
    assert costs[chain].bound == 1.0
    assert costs[chain].cycles >= 3.0


@needs_mca
def test_instructions_that_a_core_lacks_are_counted() -> None:
    both, none = ("smmla v0.4s, v1.16b, v2.16b", "nop"), ("smmla v0.4s, v1.16b, v2.16b",)
    costs = cycles.price("neoverse-n1", [both, none, ("nop",)])
    assert [costs[body].unknown for body in (both, none, ("nop",))] == [1, 1, 0]
    assert cycles.price("neoverse-v2", [both])[both].unknown == 0
