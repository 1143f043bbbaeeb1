"""Finding the k loops of the micro-kernels of kernels.inc in a program."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.arm import kernels, multiplies
from benchmarks.arm.kernels import Kernel
from scripts.common import ScriptError
from tests.benchmarks.arm import listings

TILE = "void mbrt::dotprod::(anonymous namespace)::Tile<(mbrt::Epilogue){}>::run<{}, 1>(mbrt::GemmS8 const&, unsigned)"
DOTPROD = Kernel("gemm_s8", "8x8_dotprod", "dotprod")


def loop(name: str, at: int, multiplications: int) -> str:
    """A function with a loop of `multiplications` sdot."""
    lines = [f"{at:016x} <{name}>:"]
    lines += [f"    {at + 4 * i:x}:      	sdot	v{i}.4s, v30.16b, v31.4b[0]" for i in range(multiplications)]
    end = at + 4 * multiplications
    return "\n".join([*lines, f"    {end:x}:      	cbnz	x0, 0x{at:x} <x>", f"    {end + 4:x}:      	ret", ""])


LISTING = "".join(
    [
        loop(TILE.format(1, 8), 0x1000, 6),
        loop(TILE.format(1, 4), 0x2000, 3),
        loop(TILE.format(2, 8), 0x3000, 6),
        loop("mbrt::dotprod::pair_rows(mbrt::GemmS8 const&)", 0x4000, 1),
        loop(TILE.format(1, 8).replace("dotprod", "i8mm"), 0x5000, 6),
    ]
)


def test_kernels_inc_is_parsed() -> None:
    found = kernels.listed(kernels.LIST.read_text(encoding="utf-8"))
    assert DOTPROD in found
    assert len(found) > 8
    assert len(set(found)) == len(found)


def test_tile_is_found_without_an_epilogue_and_with_one_size() -> None:
    name = "void mbrt::i8mm::(anonymous namespace)::paired_tile<(mbrt::Epilogue)1, 7>(mbrt::GemmS8 const&, unsigned)"
    kernel = Kernel("gemm_s8", "8x8_i8mm", "i8mm")
    (found,) = kernels.k_loops(listings.functions(loop(name, 0x1000, 2)), kernel)
    assert (found.function, found.tile, found.rows) == ("paired_tile", "paired_tile 7", 7)


def test_every_tile_of_the_kernel_is_found_and_nothing_else() -> None:
    loops = list(kernels.k_loops(listings.functions(LISTING), DOTPROD))
    assert [(found.tile, multiplies.products(found.multiplications)) for found in loops] == [
        ("run 8, 1", 96),
        ("run 4, 1", 48),
        ("run 8, 1", 96),
    ]


def test_only_the_tallest_tile_by_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "MBRT_GEMM(gemm_s8,   8x8_dotprod,     8,    8,       dotprod,     n16k4,   0)\n"
    text += "MBRT_GEMM(gemm_s8,   6x16_avx2,       6,    16,      avx2,        n16k4,   0)\n"
    monkeypatch.setattr(kernels, "LIST", tmp_path / "kernels.inc")
    kernels.LIST.write_text(text, encoding="utf-8")
    program, image = listings.functions(LISTING), b"\0gemm_s8_8x8_dotprod\0"
    assert [found.rows for found in kernels.find_loops(program, image)] == [8, 8]
    assert [found.rows for found in kernels.find_loops(program, image, every_tile=True)] == [8, 4, 8]


def test_kernel_without_known_multiplications_is_an_error() -> None:
    program = listings.functions(LISTING.replace("sdot", "bfdot"))
    with pytest.raises(ScriptError, match="gemm_s8_8x8_dotprod: no k loop found"):
        kernels.find_loops(program, b"gemm_s8_8x8_dotprod\0")


def test_multiplications_depend_on_the_operation() -> None:
    body = ("sdot v0.4s, v1.16b, v2.16b", "smull2 v0.8h, v1.16b, v2.16b", "fmla v0.4s, v1.4s, v2.4s", "ldr q0, [x0]")
    assert multiplies.products(multiplies.of("gemm_s8", body)) == 16 + 8
    assert multiplies.products(multiplies.of("gemm_f32", body)) == 4


def test_64_bit_pipes_halve_the_peak() -> None:
    four = ("fmla v0.4s, v1.4s, v2.4s",) * 4
    assert multiplies.peak_cycles("cortex-a55", four, 2.0) == 4.0
    assert multiplies.peak_cycles("neoverse-n1", four, 2.0) == 2.0
