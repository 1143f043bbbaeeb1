"""OpenVINO on the CPU: one stream, the latency hint, `threads` threads; inputs and outputs are shared, not copied.

options: "shape", [B, S], if all inputs have it (10 % faster); all others are OpenVINO's own.
"""

from __future__ import annotations

from typing import Any

import openvino

from benchmarks.peers.engines.interface import Call, Ids, padded


class Engine:
    def __init__(self, file: str, threads: int, options: dict[str, Any]) -> None:
        settings = {"PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": "1", "INFERENCE_NUM_THREADS": str(threads)}
        # The worker is pinned already.
        settings |= {"ENABLE_CPU_PINNING": "NO"} | {name: value for name, value in options.items() if name != "shape"}
        core = openvino.Core()
        model = core.read_model(file)
        if "shape" in options:
            model.reshape(dict.fromkeys(model.inputs, options["shape"]))
        self._compiled = core.compile_model(model, "CPU", settings)

    def bind(self, texts: Ids, length: int | None, masked: bool) -> Call:
        request = self._compiled.create_infer_request()
        ids, mask = padded(texts, length)
        feed = [ids, mask][: 1 + masked]
        output = self._compiled.output(0)
        return lambda: request.infer(feed, share_inputs=True, share_outputs=True)[output]
