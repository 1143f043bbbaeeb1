"""Sums by part and function: every instruction and cycle is counted once."""

from __future__ import annotations

import pytest

from benchmarks.arm import account, multiplies
from benchmarks.arm.blocks import Block, Body, executed
from benchmarks.arm.cycles import Cost
from benchmarks.arm.program import Instruction
from scripts.common import ScriptError
from tests.benchmarks.arm import listings

CORE = "neoverse-n1"


def block(function: str, *body: str, executions: float = 1.0) -> Block:
    instructions = [Instruction(4 * i, text) for i, text in enumerate(body)]
    return Block(function, instructions, executions, executions * len(body))


def one_each(blocks: list[Block]) -> dict[str, dict[Body, Cost]]:
    """One cycle per instruction, half of it on the busiest pipe."""
    bodies = [one.body for one in blocks] + [multiplies.of_k_loop(one) for one in blocks]
    return {CORE: {body: Cost(len(body), len(body) / 2, 0) for body in bodies}}


@pytest.mark.parametrize(
    ("function", "part"),
    [
        ("mbrt::neon::quantize(mbrt::Quantize const&)", "quantise"),
        ("mbrt::neon::softmax(mbrt::Softmax const&)", "softmax"),
        ("void mbrt::dotprod::gemm<(mbrt::Epilogue)3>(mbrt::GemmS8 const&)", "attention: products, entry and end"),
        (
            "void mbrt::neon::Tile<(mbrt::Epilogue)3>::run<8, 1>(mbrt::GemmF32 const&)",
            "attention: products, entry and end",
        ),
        ("mbrt::neon::softmax_s8(mbrt::SoftmaxS8 const&)::{lambda(mbrt::neon::Group)#1}::operator()", "softmax"),
        ("mbrt::AttentionS8::store_keys(mbrt::Panel const&) const", "attention: packing and calls"),
        ("mbrt::dotprod::gemm_s8(mbrt::GemmS8 const&)", "int8 products: entry and epilogue"),
        ("mbrt::i8mm::(anonymous namespace)::pair_rows(mbrt::GemmS8 const&)", "int8 products: pairing of operands"),
        ("__memcpy_simd", "memory: copied and cleared"),
        ("std::vector<float>::resize(unsigned long)", account.REST),
    ],
)
def test_function_belongs_to_a_part_of_the_model(function: str, part: str) -> None:
    assert account.part_of(block(function, "nop")) == part


def test_k_loop_is_separated_from_its_kernel() -> None:
    blocks = executed(listings.functions(listings.ROTATED), listings.ROTATED_COUNTS)
    assert [account.part_of(one) for one in blocks] == [
        "int8 products: entry and epilogue",
        "int8 products: k loops",
        "int8 products: entry and epilogue",
    ]


def test_every_instruction_and_cycle_is_counted_once() -> None:
    blocks = executed(listings.functions(listings.ROTATED), listings.ROTATED_COUNTS)
    lines = account.add_up(blocks, one_each(blocks), account.part_of)
    whole = account.total(lines.values())
    assert whole["instructions"] == listings.instructions(listings.ROTATED_COUNTS)
    assert whole["cycles", CORE] == 16 * 4 + 2
    assert whole["products"] == 16 * 32
    assert whole["ideal", CORE] == 16 * 0.5
    assert list(lines) == ["int8 products: k loops", "int8 products: entry and epilogue"]


def test_lines_are_sorted_by_instructions_without_prices() -> None:
    blocks = [block("f", "nop"), block("g", "nop", "nop", executions=9)]
    lines = account.add_up(blocks, {}, lambda one: one.function)
    assert [(name, line["instructions"]) for name, line in lines.items()] == [("g", 18), ("f", 1)]


def test_core_that_lacks_instructions_is_an_error() -> None:
    blocks = [block("f", "smmla v0.4s, v1.16b, v2.16b", executions=50), block("g", "nop", executions=50)]
    prices = {one.body: Cost(1, 1, one.function == "f") for one in blocks}
    with pytest.raises(ScriptError, match="cortex-a53: lacks 50% of the executed instructions"):
        account.check_known("cortex-a53", blocks, prices)
