"""Writes the small random models of the native engine test into a folder: write_models.py FOLDER."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.model.make_model_file import SMALL, make_file

NAMES = ("bert", "mobilebert_int8", "teacher_int8")

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name in NAMES:
        image = make_file(SMALL[name] | {"max_positions": 90}, seed=5)
        (folder / f"{name}.safetensors").write_bytes(image)
