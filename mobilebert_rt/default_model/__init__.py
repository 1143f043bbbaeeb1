"""The model that comes with the package; README.md in this folder is its model card."""

from __future__ import annotations

from pathlib import Path

from mobilebert_rt.errors import InputError

FILE = Path(__file__).resolve().with_name("model.int8.safetensors")


def default_model_path() -> Path:
    """The model file that `TextEmbedder()` loads: a six-layer MobileBERT for English sentence vectors, int8.

    Raises InputError where the package was installed without it.

    >>> default_model_path().name
    'model.int8.safetensors'
    """
    if not FILE.is_file():
        raise InputError(
            f"{FILE} is missing: this copy of the package was installed without its model. Install it again from a "
            "release, or name a model: TextEmbedder.from_pretrained(PATH)."
        )
    return FILE
