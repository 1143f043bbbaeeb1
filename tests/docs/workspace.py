"""A folder with small real models and texts under the names that the documentation uses as placeholders."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet

from mobilebert_rt import convert
from tests.small_models import save_folder
from tests.small_models.text import VOCAB_SIZE, VOCABULARY

# As many pieces as the published vocabulary, because pages use token ids such as 7592.
PUBLISHED_SIZE = 30522
LONG_VOCABULARY = VOCABULARY + "".join(f"[unused{i}]\n" for i in range(PUBLISHED_SIZE - VOCAB_SIZE))
COMMON: dict[str, Any] = {"vocabulary": LONG_VOCABULARY, "max_position_embeddings": 512}


def _answer(text: str, answer: str) -> dict[str, Any]:
    return {"text": answer, "answer_start": text.index(answer)}


SENTIMENT = {"head": "ForSequenceClassification", "labels": ["NEGATIVE", "POSITIVE"]}
FOLDERS: dict[str, dict[str, Any]] = {
    "path/to/hf-folder": {"family": "without_opt", **SENTIMENT},
    "path/to/model": {"head": "Model"},
}
FILES: dict[str, dict[str, Any]] = {
    "model.safetensors": {"head": "Model"},
    "minilm.safetensors": {"family": "bert", "head": "Model", "pooling": "mean", "max_tokens": 64},
    "sst2.safetensors": SENTIMENT,
    "mrpc.safetensors": {"head": "ForSequenceClassification", "labels": ["different", "equivalent"]},
    "mnli.safetensors": {
        "head": "ForSequenceClassification",
        "labels": ["contradiction", "neutral", "entailment"],
    },
    "cross-encoder.safetensors": {"family": "bert", "head": "ForSequenceClassification", "labels": ["SCORE"]},
    "ner.safetensors": {"head": "ForTokenClassification"},
    "squad.safetensors": {"head": "ForQuestionAnswering"},
    "mobilebert.safetensors": {"head": "ForMaskedLM"},
    # What `mbrt-train export` writes where its requirements are installed.
    "reviews-model/model.int8.safetensors": {"head": "ForSequenceClassification", "labels": ["bad", "good", "neutral"]},
}
PASSAGES = {
    "The notes were written by Ada Lovelace.": ("Who wrote the notes?", "Ada Lovelace"),
    "Plants make sugar from light.": ("What do plants make?", "sugar"),
}
QUESTIONS = json.dumps(
    {
        "data": [
            {"paragraphs": [{"context": text, "qas": [{"question": asked, "answers": [_answer(text, answer)]}]}]}
            for text, (asked, answer) in PASSAGES.items()
        ]
        * 10
    }
)
TEXTS = {
    "passages.txt": "Plants make sugar from light.\nThe night train to Vienna is late.\n",
    "article.txt": "The notes were written by Ada Lovelace in 1843.\n",
    "reviews.csv": "text,label\n" + '"a warm, funny film",good\n' * 45 + "two hours too long,bad\na film,neutral\n" * 2,
    "topics.jsonl": '{"text": "the night train to Vienna is late", "labels": ["travel", "news"]}\n' * 10
    + '{"text": "plants make sugar from light", "labels": ["science"]}\n' * 10,
    **dict.fromkeys(("questions.json", "dev.json"), QUESTIONS),
    "names.conll": "Ada B-PER\nLovelace I-PER\nlived O\nin O\nLondon B-LOC\n\nShe O\n\n" * 10,
}


def make(folder: Path) -> Path:
    """Writes all models and texts to `folder`."""
    for name, options in FOLDERS.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        save_folder(folder / name, **COMMON, **options)
    for name, options in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        source = save_folder(folder / "source", **COMMON, **options)
        convert(source, folder / name)
        shutil.rmtree(source)
    for name, text in TEXTS.items():
        (folder / name).write_text(text, encoding="utf-8")
    documents = {"id": [1, 2], "text": TEXTS["passages.txt"].splitlines()}
    pyarrow.parquet.write_table(pyarrow.table(documents), folder / "documents.parquet")
    return folder
