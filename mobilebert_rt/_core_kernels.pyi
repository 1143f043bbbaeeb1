"""Stubs of _core.kernels: single kernels, for tests and benchmarks. The contracts are in csrc/kernels/."""

from typing import Any

def run(operation: str, isa: str, *, calls: int = 1, **fields: Any) -> None:
    """Run gemm_s8, gemm_f32 or a row operation `calls` times.

    fields: the fields of the operation's argument struct. Sizes and strides are those of the arrays, which are used
    where they lie; a field that is None is not given. epilogue: 0 linear, 1 relu, 2 residual, 3 the product alone.
    """

def list_gemms() -> list[dict[str, Any]]:
    """Every product of kernels.inc: operation, name, rows, columns, target, packing, offset."""

def list_row_operations() -> list[str]:
    """Every row operation of kernels.inc, activations as activate_<name>."""

def describe_set(isa: str) -> dict[str, Any]:
    """isa, gemm_s8, gemm_s8_offset, gemm_f32."""

def peak_s8(isa: str, iterations: int) -> int:
    """Multiply-accumulates done; time it to know the peak of the set's int8 instructions."""

def peak_f32(isa: str, iterations: int) -> int:
    """The same for float instructions."""
