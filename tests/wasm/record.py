"""Calls of the scalar kernels, with their arguments and results, in a file that replay.cc reads."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mobilebert_rt import _core
from tests.kernels import test_gemm_f32, test_gemm_s8, test_row_operations

Array = NDArray[Any]


def _text(value: str) -> bytes:
    return struct.pack("<I", len(value)) + value.encode()


class Recorder:
    """Stands for _core.kernels.run."""

    def __init__(self) -> None:
        self.records: list[bytes] = []
        self._run = _core.kernels.run

    def __call__(self, operation: str, isa: str, **fields: Any) -> None:
        given = {name: value for name, value in fields.items() if value is not None}
        arrays: dict[int, Array] = {}  # by address: out may be the residual
        for value in given.values():
            if isinstance(value, np.ndarray):
                arrays.setdefault(value.ctypes.data, value)
        before = {address: array.tobytes() for address, array in arrays.items()}
        self._run(operation, isa, **fields)
        if operation == "gemm_s8":  # for kernels whose bytes are q + 128, which replay.cc makes of these
            sums = given["w"].reshape(given["n"] // 16, -1, 16, 4).sum(axis=(1, 3), dtype=np.int32)
            given["compensation"] = -128 * sums.reshape(-1)
            arrays[given["compensation"].ctypes.data] = given["compensation"]
            before[given["compensation"].ctypes.data] = given["compensation"].tobytes()
        record = _text(operation) + struct.pack("<I", len(given))
        order = list(arrays)
        for name, value in given.items():
            if isinstance(value, np.ndarray):
                record += _text(name) + struct.pack("<di", 0.0, order.index(value.ctypes.data))
            else:
                record += _text(name) + struct.pack("<di", float(value), -1)
        record += struct.pack("<I", len(order))
        for address, array in arrays.items():
            rows, columns = array.shape if array.ndim == 2 else (1, array.size)
            stride = array.strides[0] // array.itemsize if array.ndim == 2 and rows > 1 else columns
            record += struct.pack("<IIII", array.itemsize, rows, columns, stride - columns)
            record += before[address] + array.tobytes()
        self.records.append(record)


def _every_call() -> Iterator[Any]:
    shapes = [*test_gemm_s8.SHAPES[::3], *test_gemm_s8.SHAPES[-3:]]
    for gemm in (test_gemm_s8, test_gemm_f32):
        for shape in shapes if gemm is test_gemm_s8 else gemm.SHAPES[::3]:
            for epilogue in gemm.EPILOGUES:
                in_place = epilogue == gemm.RESIDUAL and shape[0] % 2 == 0
                yield gemm.run("scalar", gemm.make_case(*shape), epilogue, "end", in_place)
    for operation, call in test_row_operations.OPERATIONS.items():
        for rows, width, kind in test_row_operations.cases(operation):
            yield call("scalar", "end", rows, width, kind)


def write_records(path: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """The calls of the kernel tests with the scalar set; a third of the products. Returns their number."""
    recorder = Recorder()
    monkeypatch.setattr(_core.kernels, "run", recorder)
    monkeypatch.setattr(test_row_operations, "run", recorder)
    for _ in _every_call():
        pass
    monkeypatch.undo()
    path.write_bytes(b"".join(struct.pack("<I", len(record)) + record for record in recorder.records))
    return len(recorder.records)
