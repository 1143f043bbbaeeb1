"""Conversion of a Hugging Face folder to the engine's model file: `convert` on disk, `build` in memory.

config.json determines the configuration (hf_config) and with it the table of layers (layers). The checkpoint is read
and checked (checkpoint, state_dict), norms are folded (fold), int8 scales are chosen and folded (channels, equalise),
weights are quantised and packed (quantise, layout), and the file is written (writer, metadata). What
sentence-transformers adds to a folder is in sentence and sentence_layers. The format is specified in
docs/model_format.md.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from mobilebert_rt.config import PRECISIONS, EngineConfig
from mobilebert_rt.conversion import layout
from mobilebert_rt.conversion.checkpoint import parse_object, read_checkpoint, read_text
from mobilebert_rt.conversion.equalise import Equalised
from mobilebert_rt.conversion.fold import Folded
from mobilebert_rt.conversion.hf_config import engine_config, read_source
from mobilebert_rt.conversion.layers import Array, hidden, parts
from mobilebert_rt.conversion.metadata import metadata
from mobilebert_rt.conversion.other_files import refuse_without_config
from mobilebert_rt.conversion.sentence import SentenceFolder
from mobilebert_rt.conversion.state_dict import StateDict
from mobilebert_rt.conversion.writer import Image, anonymous_map, replacing
from mobilebert_rt.errors import InputError

__all__ = ["build", "convert"]

Progress = Callable[[str, int, int], None]  # what was done, steps done, number of steps


def convert(
    src: str | os.PathLike[str],
    dst: str | os.PathLike[str],
    precision: str = "int8",
    force: bool = False,
    progress: Progress | None = None,
) -> None:
    """Write the model in folder `src` to the file `dst`; a failure leaves no partial file.

    precision: "int8" or "fp32". force: replace `dst` if it exists.

    Raises InputError for wrong arguments, ModelFormatError for a damaged source, UnsupportedModelError for a model
    that the engine does not run.

    >>> convert("path/to/hf-folder", "converted.safetensors")
    """
    source = _Source(src, precision)
    target = Path(dst)
    if any(target.exists() and target.samefile(file) for file in source.files):
        raise InputError(f"{target}: the target is the file of the source weights. Choose another file.")
    with replacing(target, force) as sink:
        source.image.write(sink, source.tensors(progress))


def build(src: str | os.PathLike[str], precision: str = "int8", progress: Progress | None = None) -> mmap.mmap:
    """The file that `convert` would write, as a page-aligned anonymous map. Raises as `convert` does."""
    source = _Source(src, precision)
    memory = anonymous_map(source.image)
    source.image.write(memory, source.tensors(progress))
    return memory


class _Source:
    """A source folder, read and checked, and the planned file."""

    def __init__(self, src: str | os.PathLike[str], precision: str) -> None:
        folder = Path(src)
        if precision not in PRECISIONS:
            raise InputError(f"precision: {precision!r}; expected {' or '.join(PRECISIONS)}.")
        if not folder.is_dir():
            raise InputError(f"{folder} is not a folder. Give a folder with config.json and model.safetensors.")
        sentence = SentenceFolder(folder)
        folder = sentence.encoder
        if not (folder / "config.json").is_file():
            refuse_without_config(folder)
        text = read_text(folder / "config.json")
        raw = parse_object(text, str(folder / "config.json"))
        source, entries = read_source(raw), read_checkpoint(folder, raw.get("architectures"))
        self.files = {Path(entry.file) for entry in entries.values()}
        self._state = StateDict(entries, source.family)
        self._tied = raw.get("tie_word_embeddings") is not False
        self.cfg: EngineConfig = engine_config(source, self._state).with_precision(precision)
        entries_of_file = metadata(sentence, raw, text, self.cfg)
        self._steps = sentence.steps(self.cfg.hidden_size)
        specs = [spec for step in self._steps for spec in step.specs(precision == "int8")]
        self.image = Image(layout.specs(self.cfg) + specs, entries_of_file)

    def tensors(self, progress: Progress | None) -> Iterator[layout.Tensor]:
        """Every tensor of the file."""
        cfg, int8 = self.cfg, self.cfg.precision == "int8"
        folded = Folded(cfg, self._state, self._tied)
        equalised = Equalised(folded) if int8 else None
        model = equalised or folded
        groups = parts(cfg)
        for done, (name, group) in enumerate(groups, 1):
            if name == "heads" and equalised is not None:
                yield layout.hidden_scale_tensor([equalised.scale(hidden(cfg, i)) for i in range(cfg.num_layers)])
            for part in group:
                if isinstance(part, Array):
                    yield from layout.array_tensors(part, model.array(part), int8)
                else:
                    yield from layout.layer_tensors(part, model.linear(part), int8)
            if progress is not None:
                progress(name, done, len(groups))
        for step in self._steps:
            yield from step.tensors(int8)
        self._state.check_all_used(cfg)
