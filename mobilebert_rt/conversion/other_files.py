"""Files and folders that are no safetensors checkpoint: what they are, and the command that helps.

Files are recognised by their first bytes (csrc/model/foreign_file.cc); nothing is loaded.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from mobilebert_rt import _core
from mobilebert_rt.errors import ModelFormatError, UnsupportedModelError

POINTER = "a Git LFS pointer"
PICKLES = ("a zip file, as torch.save writes", "a pickle file")
# Files of a model folder that are never its weights.
_NO_WEIGHTS = {".json", ".txt", ".md", ".py", ".yaml", ".yml", ".png", ".jpg", ".gitattributes", ""}


def refuse_other_format(path: Path) -> None:
    """Raises ModelFormatError when a file is of a known format other than safetensors and text."""
    found = _core.foreign_file(_ends_of(path))
    if found is None:
        return
    fix = f"Run: git -C {shlex.quote(str(path.parent))} lfs pull" if found[0] == POINTER else "Download it again."
    raise ModelFormatError(f"{path}: found {found[0]}; expected the file itself. {fix}")


def refuse_without_config(folder: Path) -> NoReturn:
    """Raises for a folder that has no config.json, naming what it has."""
    inner = next((path.parent for path in _inner_configs(folder)), None)
    if inner is not None:
        raise ModelFormatError(f"{folder}: no config.json; expected a saved model. Give the folder {inner}.")
    checkpoint = _tensorflow_checkpoint(folder)
    if checkpoint is not None:
        raise UnsupportedModelError(_checkpoint_message(folder, checkpoint))
    found = next(_other_weights(folder), None)
    if found is None:
        raise ModelFormatError(f"{folder}: no config.json. Give the folder of a saved model.")
    raise ModelFormatError(
        f"{folder}: no config.json; found {found[0].name}, {found[1]}. Give the folder of the original model: "
        "config.json, model.safetensors and the tokenizer."
    )


def refuse_without_weights(folder: Path, architectures: Any) -> NoReturn:
    """Raises for a folder that has a config.json and no safetensors weights. architectures: of config.json."""
    name = "AutoModel"
    if isinstance(architectures, list) and architectures and str(architectures[0]).isidentifier():
        name = architectures[0]
    for file, option, packages in (
        ("pytorch_model.bin", "", ""),
        ("pytorch_model.bin.index.json", "", ""),
        ("tf_model.h5", ", from_tf=True", "'transformers<5' tensorflow tf-keras torch"),
        ("flax_model.msgpack", ", from_flax=True", "'transformers<5' flax torch"),
    ):
        if (folder / file).is_file():
            _refuse_if_pointer(folder / file)
            raise UnsupportedModelError(_weights_message(folder, file, name, option, packages))
    checkpoint = _tensorflow_checkpoint(folder)
    if checkpoint is not None:
        raise UnsupportedModelError(_checkpoint_message(folder, checkpoint))
    for path, found in _other_weights(folder):
        _refuse_if_pointer(path)
        raise UnsupportedModelError(_other_message(folder, path, found))
    raise ModelFormatError(f"{folder}: no model.safetensors nor its index. Give the folder of a saved model.")


def _weights_message(folder: Path, file: str, name: str, option: str, packages: str) -> str:
    path = repr(str(folder))
    program = f"import transformers as t; t.{name}.from_pretrained({path}{option}).save_pretrained({path})"
    command = f"python -c {shlex.quote(program)}"
    if packages:
        return (
            f"{folder}: the weights are in {file}; expected model.safetensors. "
            f"Write it with transformers 4 (pip install {packages}): {command}"
        )
    return (
        f"{folder}: the weights are in {file}, which can run code when opened and is never read. "
        f"Write model.safetensors with: {command}"
    )


def _checkpoint_message(folder: Path, checkpoint: Path) -> str:
    """The command that reads a checkpoint of Google's training program."""
    config = folder / ("config.json" if (folder / "config.json").is_file() else "bert_config.json")
    text = config.read_text(encoding="utf-8", errors="replace") if config.is_file() else ""
    kind = "mobilebert" if "intra_bottleneck_size" in text else "bert"
    words = ["python", "-m", f"transformers.models.{kind}.convert_{kind}_original_tf_checkpoint_to_pytorch"]
    words += ["--tf_checkpoint_path", str(checkpoint), f"--{kind}_config_file", str(config)]
    words += ["--pytorch_dump_path", str(folder / "pytorch_model.bin")]
    return (
        f"{folder}: the weights are in {checkpoint.name}, a TensorFlow checkpoint; expected model.safetensors. Write "
        f"pytorch_model.bin with transformers 4 (pip install 'transformers<5' tensorflow torch): {shlex.join(words)}"
    )


def _other_message(folder: Path, path: Path, found: str) -> str:
    target = folder / "model.safetensors"
    if path.name.startswith("adapter_model."):
        return (
            f"{folder}: the weights are in {path.name}, an adapter without its base model. "
            "Merge it with peft: model.merge_and_unload().save_pretrained(FOLDER)"
        )
    if path.suffix == ".safetensors":
        return (
            f"{folder}: found {path.name}; expected model.safetensors. "
            f"Rename it: mv {shlex.quote(str(path))} {shlex.quote(str(target))}"
        )
    if found in PICKLES:
        program = (
            "import torch; from safetensors.torch import save_file; "
            f"d = torch.load({str(path)!r}, map_location='cpu', weights_only=True); d = d.get('state_dict', d); "
            f"save_file({{k: v.clone().contiguous() for k, v in d.items()}}, {str(target)!r})"
        )
        return (
            f"{folder}: the weights are in {path.name}, which can run code when opened and is never read. "
            f"Write model.safetensors with: python -c {shlex.quote(program)}"
        )
    return (
        f"{folder}: found {path.relative_to(folder)}, {found}; expected model.safetensors. Such a file cannot be "
        "converted: give the folder of the model that it was made from."
    )


def _inner_configs(folder: Path) -> Iterator[Path]:
    """config.json of the folders in it, and of a folder of huggingface_hub's cache, newest first."""
    for pattern in ("*/config.json", "snapshots/*/config.json"):
        yield from sorted(
            (path for path in folder.glob(pattern) if path.is_file() and (path.parent / "model.safetensors").is_file()),
            key=lambda path: path.stat().st_mtime,
            reverse=True,
        )


def _tensorflow_checkpoint(folder: Path) -> Path | None:
    """The name that TensorFlow gives the checkpoint, such as model.ckpt-1000."""
    return next((path.with_suffix("") for path in sorted(folder.glob("*.index"))), None)


def _other_weights(folder: Path) -> Iterator[tuple[Path, str]]:
    """Files of known formats in the folder and the folders in it."""
    for path in sorted(folder.glob("*")) + sorted(folder.glob("*/*")):
        if not path.is_file() or path.suffix in _NO_WEIGHTS:
            continue
        if path.suffix == ".safetensors" and path.parent == folder:
            yield path, "a safetensors file"
            continue
        found = _core.foreign_file(_ends_of(path))
        if found is not None and path.stat().st_size > 0:
            yield path, found[0]


def _refuse_if_pointer(path: Path) -> None:
    found = _core.foreign_file(_ends_of(path))
    if found is not None and found[0] == POINTER:
        refuse_other_format(path)


def _ends_of(path: Path) -> bytes:
    """The first and the last bytes, which decide the format."""
    with path.open("rb") as file:
        first = file.read(1024)
        file.seek(max(path.stat().st_size - 64, len(first)))
        return first + file.read()
