"""Converts models for the engines, in a worker with the Python of an engine's environment.

A job: `kind`; `source`, a Hugging Face folder or the float file that int8 is made from; `out`; `masked`, whether the
model takes a mask; `length`, null for any.

Each engine gets the recipe that its documentation recommends for a transformer on a CPU:
  onnx          torch.onnx.export, dynamo, opset 18, batch and length free
  onnx-int8     onnxruntime.quantization.quantize_dynamic, int8 weights per channel, constant products only
  openvino      openvino.convert_model of the PyTorch module, batch and length free
  openvino-int8 nncf.quantize, model_type TRANSFORMER, calibrated on random texts of the benchmark's kind
  litert        litert_torch.convert at one length, batch 1
  litert-int8   ai_edge_quantizer, dynamic_wi8_afp32: int8 weights, activations quantised dynamically
  ctranslate2-int8  CTranslate2's converter of BERT, int8 weights
  llama-int8    a GGUF file of BERT, Q8_0 for matrices but not for positions and types, without a vocabulary
  ours, ours-int8   mobilebert_rt.convert
"""

from __future__ import annotations

import functools
import json
import os
import random
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

OPSET = 18
LONGEST = 512
CALIBRATION_TEXTS = 64
CALIBRATION_LENGTHS = (8, 128)


@functools.lru_cache(maxsize=1)
def _module(folder: str, attention: str) -> Any:
    """The encoder of a Hugging Face folder as a module of (ids) or (ids, mask) that returns the last hidden state."""
    import torch  # noqa: PLC0415 - not in every environment
    import transformers  # noqa: PLC0415

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()

    class Encoder(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            # Without the pooler: only the last hidden state is compared.
            options = {"local_files_only": True, "attn_implementation": attention, "add_pooling_layer": False}
            self.body = transformers.AutoModel.from_pretrained(folder, **options).eval()

        def forward(self, input_ids: Any, attention_mask: Any = None) -> Any:
            return self.body(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state

    return Encoder().eval()


def _sample(batch: int, length: int, masked: bool) -> tuple[Any, ...]:
    import torch  # noqa: PLC0415

    ids = torch.randint(1000, 30000, (batch, length), generator=torch.Generator().manual_seed(0))
    if not masked:
        return (ids,)
    mask = torch.ones_like(ids)
    mask[-1, length // 2 + 1 :] = 0  # an export must not treat the mask as constant
    return ids, mask


def _onnx(job: dict[str, Any], out: Path) -> None:
    import torch  # noqa: PLC0415

    # Named, so that a session can override them.
    batch, length = torch.export.Dim("batch"), torch.export.Dim("length", max=LONGEST)
    names = ["input_ids", "attention_mask"][: 1 + job["masked"]]
    program = torch.onnx.export(
        _module(job["source"], "eager"),
        _sample(2, 16, job["masked"]),
        opset_version=OPSET,
        dynamo=True,
        verbose=False,
        input_names=names,
        output_names=["last_hidden_state"],
        dynamic_shapes={name: {0: batch, 1: length} for name in names},
    )
    program.save(out)


def _onnx_int8(job: dict[str, Any], out: Path) -> None:
    from onnxruntime.quantization import QuantType, quantize_dynamic  # noqa: PLC0415

    settings: dict[str, Any] = {"extra_options": {"MatMulConstBOnly": True}}
    quantize_dynamic(job["source"], out, per_channel=True, weight_type=QuantType.QInt8, **settings)


def _openvino(job: dict[str, Any], out: Path) -> None:
    import openvino  # noqa: PLC0415

    shapes = [openvino.PartialShape([-1, -1])] * (1 + job["masked"])
    module = _module(job["source"], "sdpa")
    model = openvino.convert_model(module, example_input=_sample(2, 16, job["masked"]), input=shapes)
    openvino.save_model(model, out, compress_to_fp16=False)


def _openvino_int8(job: dict[str, Any], out: Path) -> None:
    import nncf  # noqa: PLC0415
    import numpy as np  # noqa: PLC0415
    import openvino  # noqa: PLC0415

    numbers = random.Random(1)

    def texts() -> Iterator[list[Any]]:
        for _ in range(CALIBRATION_TEXTS):
            length = numbers.randint(*CALIBRATION_LENGTHS)
            ids = np.array([[numbers.randint(1000, 29999) for _ in range(length)]], np.int64)
            yield [ids, np.ones_like(ids)][: 1 + job["masked"]]

    model = openvino.Core().read_model(job["source"])
    data = nncf.Dataset(list(texts()))
    made = nncf.quantize(model, data, model_type=nncf.ModelType.TRANSFORMER, subset_size=CALIBRATION_TEXTS)
    openvino.save_model(made, out, compress_to_fp16=False)


def _litert(job: dict[str, Any], out: Path) -> None:
    import litert_torch  # noqa: PLC0415

    sample = _sample(1, job["length"], job["masked"])
    litert_torch.convert(_module(job["source"], "eager"), sample).export(str(out))


def _litert_int8(job: dict[str, Any], out: Path) -> None:
    from ai_edge_quantizer import quantizer, recipe  # noqa: PLC0415

    work = quantizer.Quantizer(job["source"])
    work.load_quantization_recipe(recipe.dynamic_wi8_afp32())
    work.quantize().export_model(str(out))


def _ctranslate2_int8(job: dict[str, Any], out: Path) -> None:
    import transformers  # noqa: PLC0415
    from ctranslate2.converters.transformers import BertLoader  # noqa: PLC0415

    model = transformers.AutoModel.from_pretrained(job["source"], local_files_only=True)
    model.config.position_embedding_type = "absolute"  # transformers 5 has no other, and no such key
    loader = BertLoader()
    spec = loader.get_model_spec(model)
    # Token ids are given: the vocabulary only has to have the right size.
    loader.set_vocabulary(spec, [f"[{i}]" for i in range(model.config.vocab_size)])
    spec.config.unk_token, spec.config.layer_norm_epsilon = "[0]", model.config.layer_norm_eps
    spec.validate()
    spec.optimize(quantization="int8")
    out.mkdir()
    spec.save(str(out))


# BERT's names of a block's layers and those of GGUF.
_GGUF_BLOCK = {
    "attention.self.query": "attn_q",
    "attention.self.key": "attn_k",
    "attention.self.value": "attn_v",
    "attention.output.dense": "attn_output",
    "attention.output.LayerNorm": "attn_output_norm",
    "intermediate.dense": "ffn_up",
    "output.dense": "ffn_down",
    "output.LayerNorm": "layer_output_norm",
}
_GGUF_TABLES = {
    "embeddings.word_embeddings.weight": "token_embd.weight",
    "embeddings.position_embeddings.weight": "position_embd.weight",
    "embeddings.token_type_embeddings.weight": "token_types.weight",
    "embeddings.LayerNorm.weight": "token_embd_norm.weight",
    "embeddings.LayerNorm.bias": "token_embd_norm.bias",
}


def _llama_int8(job: dict[str, Any], out: Path) -> None:
    import gguf  # noqa: PLC0415
    from safetensors.numpy import load_file  # noqa: PLC0415

    config = json.loads((Path(job["source"]) / "config.json").read_text(encoding="utf-8"))
    tensors = load_file(Path(job["source"]) / "model.safetensors")
    names = dict(_GGUF_TABLES)
    for i in range(config["num_hidden_layers"]):
        for own, theirs in _GGUF_BLOCK.items():
            for kind in ("weight", "bias"):
                names[f"encoder.layer.{i}.{own}.{kind}"] = f"blk.{i}.{theirs}.{kind}"
    q8_0 = gguf.GGMLQuantizationType.Q8_0
    writer = gguf.GGUFWriter(out, "bert")
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_layer_norm_eps(config["layer_norm_eps"])
    writer.add_causal_attention(False)
    writer.add_pooling_type(gguf.PoolingType.NONE)
    writer.add_tokenizer_model("no_vocab")
    writer.add_vocab_size(config["vocab_size"])
    writer.add_token_type_count(config["type_vocab_size"])
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)
    for own, theirs in names.items():
        values = tensors[own].astype("float32")
        if values.ndim == 2 and theirs not in ("position_embd.weight", "token_types.weight"):
            writer.add_tensor(theirs, gguf.quants.quantize(values, q8_0), raw_dtype=q8_0)
        else:
            writer.add_tensor(theirs, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _ours(job: dict[str, Any], out: Path) -> None:
    import mobilebert_rt  # noqa: PLC0415

    mobilebert_rt.convert(job["source"], out, precision="int8" if job["kind"].endswith("int8") else "fp32")


KINDS: dict[str, Callable[[dict[str, Any], Path], None]] = {
    "onnx": _onnx,
    "onnx-int8": _onnx_int8,
    "openvino": _openvino,
    "openvino-int8": _openvino_int8,
    "litert": _litert,
    "litert-int8": _litert_int8,
    "ctranslate2-int8": _ctranslate2_int8,
    "llama-int8": _llama_int8,
    "ours": _ours,
    "ours-int8": _ours,
}


def convert(job: dict[str, Any]) -> None:
    """Do a job: the file and those beside it (OpenVINO's .bin) appear whole or not at all."""
    out = Path(job["out"])
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent) as scratch:
        KINDS[job["kind"]](job, Path(scratch) / out.name)
        # The file for which the driver looks comes last.
        for made in sorted(Path(scratch).iterdir(), key=lambda path: path.name == out.name):
            os.replace(made, out.parent / made.name)
