"""ONNX Runtime on its CPU provider, all graph optimisations, `threads` within an operation.

options: "shape", [B, S], if all inputs have it.
"""

from __future__ import annotations

from typing import Any

import onnxruntime

from benchmarks.peers.engines.interface import Call, Ids, padded


class Engine:
    def __init__(self, file: str, threads: int, options: dict[str, Any]) -> None:
        onnxruntime.set_default_logger_severity(3)
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = threads
        settings.inter_op_num_threads = 1
        settings.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        for name, size in zip(("batch", "length"), options.get("shape", ()), strict=False):
            settings.add_free_dimension_override_by_name(name, size)
        self._session = onnxruntime.InferenceSession(file, settings, providers=["CPUExecutionProvider"])

    def bind(self, texts: Ids, length: int | None, masked: bool) -> Call:
        session = self._session
        ids, mask = padded(texts, length)
        feed = {"input_ids": ids} | ({"attention_mask": mask} if masked else {})
        return lambda: session.run(None, feed)[0]
