"""Real models of a few kilobytes with random weights, made on the spot: the one factory for all tests.

A Hugging Face folder, and the model file that `mobilebert_rt.convert` makes of it:

    from tests.small_models import save_folder, save_model

    folder = save_folder(tmp_path / "m", "bert", "ForTokenClassification", labels=["O", "B-PER", "I-PER"])
    model = Model.from_pretrained(save_model(tmp_path / "m.safetensors", "mobilebert", precision="int8"))
    embedder = TextEmbedder(Model.from_pretrained(save_folder(tmp_path / "e", pooling="mean", max_tokens=30)))

Families are the keys of FAMILIES, heads those of HEADS; further arguments change config.json (vocab_size,
max_position_embeddings, problem_type, ...). Every folder has the vocabulary of `text`, so that each task runs on it.
The same arguments give the same bytes. Nothing but numpy is needed, and for save_model the package.

    small_models.files      model files written without the package (for native tests and as its oracle), and
                            write_lookup_model: a model whose logits are the rows of a table that the test gives
    small_models.folders    the parts of a folder: random MobileBERT weights, config.json, safetensors bytes
    small_models.text       the vocabulary: VOCABULARY, VOCAB_SIZE, word_id, random_words, tokenizer_json

For the one real model, all-MiniLM-L6-v2 (92 MB, downloaded once), see scripts/published.py.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.small_models.families import FAMILIES, HEADS, heads_of, save_folder

__all__ = ["FAMILIES", "HEADS", "heads_of", "save_folder", "save_model"]


def save_model(
    path: Path, family: str = "mobilebert", head: str = "Model", precision: str = "fp32", **options: Any
) -> Path:
    """The model file of save_folder(..., family, head, **options), made by the package's own converter."""
    from mobilebert_rt import convert  # noqa: PLC0415 - native tests use this package without an installed engine

    source = save_folder(path.with_name(path.name + ".source"), family, head, **options)
    convert(source, path, precision=precision)
    return path
