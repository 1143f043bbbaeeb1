"""Writes the small random models of the native engine test into a folder: write_models.py FOLDER."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.model.make_model_file import SMALL, make_file

LONG = {"max_positions": 90}
# Short, and wide enough for threads to share columns.
WIDE = {"max_positions": 12, "num_heads": 4, "body_size": 72, "hidden_size": 72}
MODELS = {name: SMALL[name] | LONG for name in ("bert", "mobilebert_int8", "teacher_int8")}
MODELS |= {f"{name}_wide": SMALL[name] | WIDE for name in ("mobilebert", "mobilebert_int8", "without_opt_int8")}

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, config in MODELS.items():
        (folder / f"{name}.safetensors").write_bytes(make_file(config, seed=5))
