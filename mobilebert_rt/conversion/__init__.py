"""From a Hugging Face folder to the engine's single file: `convert` on disk, `build` in memory.

The steps: config.json says what the model is (hf_config), the checkpoint is read and checked (checkpoint,
names), norms are folded (fold), int8 scales are chosen and folded (channels, equalise), weights are
quantised and packed (quantise, pack, layout), and the container is written (writer, metadata). The format
is specified in docs/model_format.md.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from mobilebert_rt.config import PRECISIONS, EngineConfig
from mobilebert_rt.conversion import equalise, fold, layout
from mobilebert_rt.conversion.channels import embeddings_magnitude
from mobilebert_rt.conversion.checkpoint import parse_object, read_checkpoint, read_text
from mobilebert_rt.conversion.hf_config import engine_config, read_source
from mobilebert_rt.conversion.metadata import metadata
from mobilebert_rt.conversion.names import StateDict
from mobilebert_rt.conversion.writer import Image, anonymous_map, replacing
from mobilebert_rt.errors import InputError, ModelFormatError

__all__ = ["build", "convert"]

Progress = Callable[[str, int, int], None]  # what was done, steps done, steps in all


def convert(
    src: str | os.PathLike[str],
    dst: str | os.PathLike[str],
    precision: str = "int8",
    force: bool = False,
    progress: Progress | None = None,
) -> None:
    """Write the model in folder `src` to the file `dst`, whole or not at all.

    precision: "int8" or "fp32". force: replace `dst` if it exists. Raises InputError for wrong arguments,
    ModelFormatError for a damaged source, UnsupportedModelError for a model that the engine does not run.
    """
    model = _Model(src, precision)
    target = Path(dst)
    if any(target.exists() and target.samefile(file) for file in model.files):
        raise InputError(f"{target} is the source of the weights itself. Name another file.")
    with replacing(target, force) as sink:
        model.image.write(sink, model.tensors(progress))


def build(src: str | os.PathLike[str], precision: str = "int8", progress: Progress | None = None) -> mmap.mmap:
    """The file that `convert` would write, as a page-aligned anonymous map. Raises as `convert` does."""
    model = _Model(src, precision)
    memory = anonymous_map(model.image)
    model.image.write(memory, model.tensors(progress))
    return memory


class _Model:
    """A source folder, read and understood, ready to be written."""

    def __init__(self, src: str | os.PathLike[str], precision: str) -> None:
        folder = Path(src)
        if precision not in PRECISIONS:
            raise InputError(f"precision is {precision!r}; it can be {' or '.join(PRECISIONS)}.")
        if not folder.is_dir():
            raise InputError(f"{folder} is not a folder. Give one with config.json and model.safetensors.")
        if not (folder / "config.json").is_file():
            raise ModelFormatError(f"{folder}: no config.json. Give the folder of a saved model.")
        text = read_text(folder / "config.json")
        raw = parse_object(text, str(folder / "config.json"))
        source = read_source(raw)
        entries = read_checkpoint(folder)
        self.files = {Path(entry.file) for entry in entries.values()}
        self._tensors = StateDict(entries, source.model_type)
        self._model_type = source.model_type
        self._tied = raw.get("tie_word_embeddings") is not False
        self.cfg: EngineConfig = engine_config(source, self._tensors).with_precision(precision)
        self.image = Image(layout.specs(self.cfg), metadata(folder, raw, text, self.cfg))

    def tensors(self, progress: Progress | None) -> Iterator[layout.Tensor]:
        """Every tensor. The embeddings come after the layers: their reader, the first one, has a say."""
        cfg, done, steps = self.cfg, 0, self.cfg.num_layers + 2
        int8 = cfg.precision == "int8"

        def report(what: str) -> None:
            nonlocal done
            done += 1
            if progress is not None:
                progress(what, done, steps)

        embeddings = fold.load_embeddings(cfg, self._tensors)
        loaded = (fold.load_layer(cfg, self._tensors, self._model_type, i) for i in range(cfg.num_layers))
        unscaled = np.ones(cfg.hidden_size, np.float32)
        layers: Iterator[tuple[fold.Layer, fold.Floats]] = ((layer, unscaled) for layer in loaded)
        if int8:
            layers = equalise.equalise_layers(cfg, loaded, embeddings_magnitude(embeddings, cfg.taps))
        scales: list[fold.Floats] = []
        for i, (layer, scale) in enumerate(layers):
            scales.append(scale)
            yield from layout.layer_tensors(cfg, i, layer)
            report(f"layer {i}")
        if int8:
            yield layout.hidden_scale_tensor(cfg, scales)
            embeddings = equalise.equalise_embeddings(cfg, embeddings, scales[0])
        yield from layout.embedding_tensors(cfg, embeddings)
        report("embeddings")
        heads = fold.load_heads(cfg, self._tensors, self._model_type, self._tied)
        yield from layout.head_tensors(cfg, equalise.equalise_heads(heads) if int8 else heads)
        report("heads")
        self._tensors.check_all_used(cfg)
