"""Sums of instructions and cycles by function and by part of the model."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from benchmarks.arm import multiplies
from benchmarks.arm.blocks import Block, Body
from benchmarks.arm.cycles import Cost
from scripts.common import ScriptError

# The epilogue that only stores, which attention uses, is the last of the enum (csrc/kernels/epilogue.h).
PRODUCT = re.compile(r"<\(mbrt::Epilogue\)3\b")

# The part of the model by a function's name; the first match counts.
PARTS: Sequence[tuple[str, str]] = (
    (PRODUCT.pattern, "attention: products, entry and end"),
    (r"::pair_(rows|columns)\(", "int8 products: pairing of operands"),
    (r"\bGemmS8 const&", "int8 products: entry and epilogue"),
    (r"\bGemmF32 const&", "fp32 products: entry and epilogue"),
    (r"::quantize\(", "quantise"),
    (r"::quantize_heads\(", "attention: quantise"),
    (r"::(softmax(_\w+)?|mask_row)\(", "softmax"),
    (r"::context\(", "attention: context"),
    (r"::Attention\w*::", "attention: packing and calls"),
    (r"::layer_norm\(|::norm_rows<", "layer norm"),
    (r"::activate_", "activation"),
    (r"::Embeddings::", "embeddings"),
    (r"^_*mem(cpy|set|move)", "memory: copied and cleared"),
)
K_LOOPS = {"gemm_s8": "int8 products: k loops", "gemm_f32": "fp32 products: k loops"}
PRODUCT_K_LOOPS = "attention: products, k loops"
REST = "everything else"
UNKNOWN_SHARE = 0.01  # max share of executed instructions that a core may lack

Prices = Mapping[Body, Cost]


# A sum over blocks, by "instructions", "products" and, for each core, ("cycles", core), ("bound", core) and
# ("ideal", core), the cycles of the multiplications alone, without stalls.
Line = defaultdict[Any, float]


def part_of(block: Block) -> str:
    operation = multiplies.operation_of(block.function)
    if operation is not None and multiplies.of_k_loop(block):
        return PRODUCT_K_LOOPS if PRODUCT.search(block.function) else K_LOOPS[operation]
    return next((part for pattern, part in PARTS if re.search(pattern, block.function)), REST)


def check_known(core: str, blocks: Sequence[Block], prices: Prices) -> None:
    """Raises ScriptError if the program uses many instructions that the core lacks."""
    unknown = sum(prices[block.body].unknown * block.executions for block in blocks)
    total = sum(block.total for block in blocks)
    if unknown > UNKNOWN_SHARE * total:
        raise ScriptError(
            f"{core}: lacks {unknown / total:.0%} of the executed instructions. Leave the core out, or choose an "
            "instruction set that it has (--isa neon runs everywhere)."
        )


def add_up(blocks: Iterable[Block], prices: Mapping[str, Prices], key: Callable[[Block], str]) -> dict[str, Line]:
    """Sums by key, the largest first. prices: by core, of the blocks and of their multiplications."""
    lines: dict[str, Line] = defaultdict(lambda: defaultdict(float))
    for block in blocks:
        line = lines[key(block)]
        line["instructions"] += block.total
        multiplications = multiplies.of_k_loop(block)
        line["products"] += multiplies.products(multiplications) * block.executions
        for core, of in prices.items():
            cost = of[block.body]
            line["cycles", core] += cost.cycles * block.executions
            line["bound", core] += cost.bound * block.executions
            if multiplications:
                peak = multiplies.peak_cycles(core, multiplications, of[multiplications].bound)
                line["ideal", core] += peak * block.executions
    weight = ("cycles", next(iter(prices))) if prices else "instructions"
    return dict(sorted(lines.items(), key=lambda item: -item[1][weight]))


def total(lines: Iterable[Line]) -> Line:
    whole: Line = defaultdict(float)
    for line in lines:
        for key, value in line.items():
            whole[key] += value
    return whole
