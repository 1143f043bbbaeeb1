"""Models of the engine tests: random ones of tests/model/make_model_file.py, on disk."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import mobilebert_rt as mbrt
from mobilebert_rt import ModelOutput, _core
from tests.model.make_model_file import SMALL, Config, make_file

SEED = 17
Ids = list[int]

# Long enough for many panels and strips, and for chunks of more than one text.
LONG = 140


def write_model(folder: Path, name: str, max_positions: int | None = None) -> Path:
    """A file of the small model `name`, perhaps for longer texts; written once."""
    config: Config = dict(SMALL[name])
    if max_positions is not None:
        config["max_positions"] = max_positions
    path = folder / f"{name}-{config['max_positions']}.safetensors"
    if not path.exists():
        path.write_bytes(make_file(config, SEED))
    return path


class Shared(_core.Model):
    """A core whose threads share every chunk in one way. By itself the engine uses one thread for models as small as
    those of the tests."""

    sharing: _core.Sharing = _core.Sharing.ROWS

    def run(self, ids: NDArray[np.int32], lengths: NDArray[np.int64], **call: Any) -> dict[str, Any]:
        return super().run(ids, lengths, sharing=self.sharing, **call)


def share(model: mbrt.Model, sharing: _core.Sharing) -> mbrt.Model:
    """The model, with the chunks of all calls shared in one way."""
    model._core = Shared(str(model.path), model.isa)
    model._core.sharing = sharing
    return model


def load(
    folder: Path,
    name: str,
    num_threads: int = 1,
    isa: str | None = None,
    max_positions: int | None = None,
) -> mbrt.Model:
    """A model whose threads share rows."""
    path = write_model(folder, name, max_positions)
    return share(mbrt.Model.from_pretrained(path, num_threads=num_threads, isa=isa), _core.Sharing.ROWS)


def make_texts(lengths: Sequence[int], vocab_size: int = 37) -> list[Ids]:
    """Token ids from integers alone, so that every machine has the same."""
    return [[(7 * n + 3 * i * i + i) % vocab_size for i in range(n)] for n in lengths]


def arrays_of(output: ModelOutput, text: int) -> list[NDArray[np.float32]]:
    """Everything that a call on a list of texts gave for one of them."""
    found = [output.last_hidden_state[text]]
    for states in (output.hidden_states, output.attentions):
        found += [layer[text] for layer in states or ()]
    for name in ("pooler_output", "logits", "start_logits", "end_logits", "seq_relationship_logits"):
        value = getattr(output, name)
        if value is not None:
            found.append(value[text])
    return found


def digest(output: ModelOutput, text: int) -> str:
    """SHA-256 of all of it, in little-endian float32."""
    sha = hashlib.sha256()
    for array in arrays_of(output, text):
        sha.update(repr(array.shape).encode())
        sha.update(np.ascontiguousarray(array, dtype="<f4").tobytes())
    return sha.hexdigest()
