"""PyTorch, eager, with its fused attention; int8 by quantize_dynamic of every linear layer."""

from __future__ import annotations

from typing import Any

import torch
import transformers

from benchmarks.peers.engines.interface import Call, Ids, padded


class Engine:
    def __init__(self, file: str, threads: int, options: dict[str, Any]) -> None:
        transformers.logging.set_verbosity_error()
        transformers.logging.disable_progress_bar()
        torch.set_num_threads(threads)
        settings = {"local_files_only": True, "attn_implementation": "sdpa", "add_pooling_layer": False}
        self._model: Any = transformers.AutoModel.from_pretrained(file, **settings).eval()
        if options.get("quantize"):
            self._model = torch.ao.quantization.quantize_dynamic(self._model, {torch.nn.Linear}, torch.qint8)

    def bind(self, texts: Ids, length: int | None, masked: bool) -> Call:
        model = self._model
        ids, mask = (torch.from_numpy(array) for array in padded(texts, length))
        feed = {"input_ids": ids} | ({"attention_mask": mask} if masked else {})

        def call() -> Any:
            with torch.inference_mode():
                return model(**feed).last_hidden_state.numpy()

        return call
