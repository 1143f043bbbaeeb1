"""Model files of both sides, each model in a folder laid out as transformers.js reads it, with our file beside it.

default      the default model with its published weights
mobilebert   MobileBERT of 24 layers, random weights
nli          the same with a head for zero-shot classification
"""

from __future__ import annotations

import json
import random
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common.environment import Say, existing
from benchmarks.peers.artifacts import DEFAULT_MODEL, ModelFile, Store, model_folder
from benchmarks.peers.catalogue import OURS, PEERS
from benchmarks.peers.convert import OPSET, convert

LABELS = ["contradiction", "neutral", "entailment"]
TOKENIZER = ("tokenizer.json", "tokenizer_config.json")
ONNX = {"ort-int8": "model_quantized.onnx", "ort-fp32": "model.onnx"}
WEIGHTS = "model.safetensors"
OURS_FILE = "ours.int8.safetensors"


def write_models(models: Path, say: Say) -> None:
    """Write what is missing: models/NAME/config.json, tokenizer, onnx/*.onnx and OURS_FILE."""
    encoder = model_folder("mobilebert", say)[0]
    _lay_out(models / "mobilebert", encoder)
    _link(models / "mobilebert" / WEIGHTS, encoder / WEIGHTS)
    _lay_out(models / "default", DEFAULT_MODEL)
    _write_floats(models / "default" / WEIGHTS, DEFAULT_MODEL / WEIGHTS)
    here = existing("here", sys.executable)
    store = Store({"peers": here, OURS: here}, {name: models / name for name in ("default", "mobilebert")}, say)
    wanted = [("default", "ort-int8"), ("default", "ort-fp32"), ("mobilebert", "ort-int8")]
    files = {(name, peer): ModelFile(PEERS[peer], name, masked=True) for name, peer in wanted}
    store.make(files.values())
    for (name, peer), file in files.items():
        _link(models / name / "onnx" / ONNX[peer], store.ready(file))
    if not (models / "nli" / OURS_FILE).exists():
        say("writing the zero-shot model (a minute, once)")
        _write_nli(models / "nli", models / "mobilebert")
    _write_ours(models)


def _lay_out(folder: Path, weights: Path) -> None:
    (folder / "onnx").mkdir(parents=True, exist_ok=True)
    _link(folder / "config.json", weights / "config.json")
    _copy_tokenizer(folder, ["input_ids", "attention_mask"])


def _write_floats(path: Path, weights: Path) -> None:
    """The published weights are float16, and an export would be as well."""
    from safetensors.numpy import load_file, save_file  # noqa: PLC0415

    tensors = {name: array.astype(np.float32) for name, array in load_file(weights).items()}
    save_file(tensors, path, metadata={"format": "pt"})


def _link(link: Path, target: Path) -> None:
    link.unlink(missing_ok=True)
    link.symlink_to(target)


def _copy_tokenizer(folder: Path, inputs: list[str]) -> None:
    """inputs: those of the ONNX file."""
    tokenizer, settings = (DEFAULT_MODEL / name for name in TOKENIZER)
    shutil.copyfile(tokenizer, folder / tokenizer.name)
    found = json.loads(settings.read_text(encoding="utf-8")) | {"model_input_names": inputs}
    (folder / settings.name).write_text(json.dumps(found), encoding="utf-8")


def _write_ours(models: Path) -> None:
    import mobilebert_rt as mbrt  # noqa: PLC0415 - compiled on import

    _link(models / "default" / OURS_FILE, mbrt.default_model_path())
    for name in ("mobilebert", "nli"):
        out = models / name / OURS_FILE
        if not out.exists():
            mbrt.convert(models / name, out, precision="int8")


def _write_nli(folder: Path, encoder: Path) -> None:
    """The encoder with a random head, as Hugging Face and ONNX files."""
    import torch  # noqa: PLC0415
    import transformers  # noqa: PLC0415

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    torch.manual_seed(0)
    numbers: dict[str, Any] = {
        "id2label": dict(enumerate(LABELS)),
        "label2id": {name: i for i, name in enumerate(LABELS)},
    }
    model = transformers.MobileBertForSequenceClassification.from_pretrained(
        encoder, local_files_only=True, attn_implementation="eager", **numbers
    ).eval()
    torch.nn.init.normal_(model.classifier.weight, std=0.05)
    (folder / "onnx").mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder)
    names = ["input_ids", "attention_mask", "token_type_ids"]
    _copy_tokenizer(folder, names)
    ids = torch.randint(1000, 30000, (2, 16))
    mask, types = torch.ones_like(ids), torch.zeros_like(ids)
    mask[1, 9:], types[:, 5:] = 0, 1
    dims = {0: torch.export.Dim("batch"), 1: torch.export.Dim("length", max=512)}
    program = torch.onnx.export(
        model,
        (ids, mask, types),
        opset_version=OPSET,
        dynamo=True,
        verbose=False,
        input_names=names,
        output_names=["logits"],
        dynamic_shapes=dict.fromkeys(names, dims),
    )
    plain = folder / "onnx" / "model.onnx"
    program.save(plain)
    convert({"kind": "onnx-int8", "source": plain, "out": folder / "onnx" / ONNX["ort-int8"]})


class Texts:
    """Texts of a given number of tokens, from words that are tokens."""

    def __init__(self) -> None:
        from tokenizers import Tokenizer  # noqa: PLC0415

        self._tokenizer = Tokenizer.from_file(str(DEFAULT_MODEL / TOKENIZER[0]))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        vocabulary = self._tokenizer.get_vocab()
        self._words = sorted(word for word in vocabulary if word.isascii() and word.isalpha() and len(word) > 3)

    def of(self, tokens: int, behind: str | None = None) -> tuple[str, list[int]]:
        """A text and the ids of "[CLS] text [SEP]", or of "[CLS] text [SEP] behind [SEP]": `tokens` of them."""
        frame = len(self._ids("", behind))
        text = " ".join(random.Random(tokens).sample(self._words, tokens - frame))
        ids = self._ids(text, behind)
        assert len(ids) == tokens
        return text, ids

    def _ids(self, text: str, behind: str | None) -> list[int]:
        found: list[int] = self._tokenizer.encode(text, behind).ids
        return found
