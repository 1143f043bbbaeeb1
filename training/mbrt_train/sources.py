"""What a model can be given as: a Hugging Face folder, the folder of a run, or a model file of the engine."""

from __future__ import annotations

import json
from pathlib import Path

from mbrt_train import checkpoints
from mbrt_train.data.files import read_metadata
from mbrt_train.errors import TrainingError

RUN = "run.json"  # its presence makes a folder the folder of a run


def weights_folder(source: Path) -> Path:
    """The folder of config.json and weights; of a run, its newest valid checkpoint. Raises TrainingError if none."""
    if not (source / RUN).is_file():
        return source
    found = checkpoints.latest(source)
    if found is None:
        raise TrainingError(f"{source}: the run has no checkpoint; expected at least one. Train until the first one.")
    return found.folder


def trainable(name: Path) -> Path:
    """The folder that MODEL names: for "default", the float weights of the model that comes with mobilebert_rt."""
    if str(name) != "default" or name.exists():
        return name
    folder = Path(__file__).parents[1] / "default_model" / "weights"
    if not folder.is_dir():
        raise TrainingError(f"default: found no {folder}; expected its float weights. Run in the source tree.")
    return folder


def tokenizer_source(source: Path) -> Path:
    """What holds the tokenizer: a subfolder of a run, else the folder or file itself."""
    return source / "tokenizer" if (source / RUN).is_file() else source


def read_labels(source: Path) -> tuple[str, ...]:
    """The names of a classifier's labels, in the order of its logits. Raises TrainingError if it names none."""
    if source.is_file():
        names = json.loads(read_metadata(source).get("labels", "[]"))
    else:
        raw = json.loads((weights_folder(source) / "config.json").read_text(encoding="utf-8"))
        listed = raw.get("id2label") or {}
        names = [listed[key] for key in sorted(listed, key=int)]
    if not names:
        raise TrainingError(f"{source}: the model names no labels; expected a classifier. Fine-tune it first.")
    return tuple(names)
