"""The model that comes with the package; README.md in this folder is its model card."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from mobilebert_rt.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "model.int8.safetensors")


def default_model_path() -> Path:
    """The model file that `TextEmbedder()` loads: a six-layer MobileBERT for English sentence vectors, int8.

    Raises InputError where the package was installed without it.

    >>> default_model_path().name
    'model.int8.safetensors'
    """
    from pathlib import Path  # noqa: PLC0415 - keeps the import of the package short

    if not os.path.isfile(FILE):
        raise InputError(
            f"{FILE} is missing: this copy of the package was installed without its model. Install it again from a "
            "release, or name a model: TextEmbedder.from_pretrained(PATH)."
        )
    return Path(FILE)
