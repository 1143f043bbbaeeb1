"""The same MobileBERT in ONNX Runtime: exported from transformers and quantised as its users would.

Export: torch.onnx.export with dynamo, opset 18, batch and length free. Quantisation: quantize_dynamic, int8 weights
a channel, products with constant weights only, which is ONNX Runtime's own recipe for transformers. Both take
minutes, so the result is kept in the cache folder, under the hash of what it was made from and with.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from tests.small_models.folders import Array
from tests.small_models.published import cache_folder

OPSET = 18
RECIPE = f"opset {OPSET}, dynamo, dynamic int8 per channel, constant weights only"
MADE_WITH = ("torch", "transformers", "onnx", "onnxscript", "onnxruntime")


def quantised_onnx(folder: Path) -> Path:
    """The int8 ONNX file of the MobileBertModel in a Hugging Face folder; made when it is not in the cache."""
    versions = [f"{name} {importlib.metadata.version(name)}" for name in MADE_WITH]
    made_from = hashlib.sha256("\n".join([RECIPE, *versions]).encode())
    for name in ("config.json", "model.safetensors"):
        made_from.update((folder / name).read_bytes())
    path = cache_folder() / "onnx" / f"mobilebert-int8-{made_from.hexdigest()[:16]}.onnx"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        print(f"Exporting to {path} (minutes; once) ...", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
            # Another process may be at the same: each makes its own, and the last to finish wins.
            os.replace(_export(folder, Path(scratch)), path)
    return path


def _export(folder: Path, scratch: Path) -> Path:
    import torch  # noqa: PLC0415 - only to make the file
    from onnxruntime.quantization import QuantType, quantize_dynamic  # noqa: PLC0415
    from transformers import MobileBertModel  # noqa: PLC0415

    model = MobileBertModel.from_pretrained(folder, local_files_only=True, attn_implementation="eager").eval()
    free = torch.export.Dim.DYNAMIC
    program = torch.onnx.export(
        model,
        (torch.zeros((1, 16), dtype=torch.long),),
        opset_version=OPSET,
        dynamo=True,
        verbose=False,
        input_names=["input_ids"],
        output_names=["last_hidden_state", "pooler_output"],
        dynamic_shapes={"input_ids": {0: free, 1: free}},
    )
    program.save(scratch / "fp32.onnx")
    quantize_dynamic(
        scratch / "fp32.onnx",
        scratch / "int8.onnx",
        per_channel=True,
        weight_type=QuantType.QInt8,
        extra_options={"MatMulConstBOnly": True},
    )
    return scratch / "int8.onnx"


class OnnxRuntimeModel:
    """An ONNX Runtime session on a number of threads: ids [B, S] to the last hidden state [B, S, H]."""

    def __init__(self, path: Path, threads: int) -> None:
        import onnxruntime  # noqa: PLC0415 - not a requirement of the rest

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        self._session: Any = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def __call__(self, ids: Array) -> Array:
        (states,) = self._session.run(["last_hidden_state"], {"input_ids": ids})
        return np.asarray(states)
