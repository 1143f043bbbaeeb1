"""LiteRT with XNNPACK, its default on a CPU; a file takes one text of a fixed length."""

from __future__ import annotations

from typing import Any

from ai_edge_litert.interpreter import Interpreter

from benchmarks.peers.engines.interface import Call, Ids, padded


class Engine:
    def __init__(self, file: str, threads: int, options: dict[str, Any]) -> None:
        self._interpreter = Interpreter(model_path=file, num_threads=threads)
        self._interpreter.allocate_tensors()

    def bind(self, texts: Ids, length: int | None, masked: bool) -> Call:
        interpreter = self._interpreter
        slots = sorted(interpreter.get_input_details(), key=lambda slot: str(slot["name"]))  # args_0, args_1
        values = padded(texts, length, slots[0]["dtype"])[: 1 + masked]
        output = interpreter.get_output_details()[0]["index"]

        def call() -> Any:
            for slot, value in zip(slots, values, strict=True):
                interpreter.set_tensor(slot["index"], value)
            interpreter.invoke()
            return interpreter.get_tensor(output)

        return call
