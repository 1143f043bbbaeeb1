"""What every machine must compute: SHA-256 of the outputs of the small models, in hashes.json.

python -m tests.engine.golden      writes the table anew, where a change of the numbers is meant
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from pathlib import Path

from tests.engine.support import digest, load, make_texts, write_model
from tests.model.make_model_file import SMALL

TABLE = Path(__file__).with_name("hashes.json")
LENGTHS = (1, 2, 19, 7)


def hashes_of(folder: Path, name: str, isa: str | None = None) -> dict[str, str]:
    """`model`: of the file, `outputs`: of all that the engine gives for four texts."""
    config = SMALL[name]
    lengths = [min(n, config["max_positions"]) for n in LENGTHS]
    texts = make_texts(lengths, config["vocab_size"])
    kinds = [[int(i > n // 2) * min(1, config["type_vocab_size"] - 1) for i in range(n)] for n in lengths]
    model = load(folder, name, isa=isa)
    output = model(
        texts,
        token_type_ids=kinds if config["type_vocab_size"] > 0 else None,
        output_hidden_states=True,
        output_attentions=True,
    )
    outputs = "".join(digest(output, i) for i in range(len(texts)))
    return {
        "model": hashlib.sha256(write_model(folder, name).read_bytes()).hexdigest(),
        "outputs": hashlib.sha256(outputs.encode()).hexdigest(),
    }


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        table = {name: hashes_of(Path(scratch), name) for name in SMALL}
    TABLE.write_text(json.dumps(table, indent=2) + "\n")
