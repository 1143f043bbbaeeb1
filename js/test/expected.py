"""Writes what js/test compares with: model files and the Python package's results for them.

$ python js/test/expected.py FOLDER      FOLDER/models, FOLDER/hostile, FOLDER/expected.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import mobilebert_rt as mbrt
from mobilebert_rt import _core
from mobilebert_rt.errors import MobileBertError
from mobilebert_rt.text.tokenizer import TextTokenizer
from tests.model.malformed import CASES, UNSUPPORTED
from tests.model.malformed_sentence import SENTENCE
from tests.small_models.files import PRECISIONS, write_model

# What Python refuses (a lone surrogate) is in the JavaScript tests themselves.
TEXTS = [
    "The cat was in Paris.",
    "",
    "Who wrote the notes? Ada Lovelace!",
    "zebra \u00e9\u4e2d cats",
    "\U0001f600 the cat \U0001f468\u200d\U0001f469\u200d\U0001f467 sings in \u6771\u4eac, Gr\u00f6\u00dfe na\u00efve",
    "e\u0301 caf\u00e9 \u202e\u0007\ufeff ada love lace",
    " \t\n ",
    "cat\0dog",
    "dog " * 12,
]
LABELS = ["cats", "Ada Lovelace", "notes \U0001f600", "cats"]
QUESTION = "Who wrote the notes?"
FILLS = ["the [MASK] was in paris", "\U0001f600 [MASK] \u6771 love[MASK] [MASK]ing"]


def utf16(text: str, offset: int) -> int:
    """An offset in characters, in UTF-16 units."""
    return len(text[:offset].encode("utf-16-le")) // 2


def span(text: str, found: Any) -> dict[str, Any]:
    record = {name: getattr(found, name) for name in ("text", "label", "score") if hasattr(found, name)}
    return record | {"start": utf16(text, found.start), "end": utf16(text, found.end)}


def labels(found: Any) -> list[dict[str, Any]]:
    return [{"label": one.label, "score": one.score} for one in found]


def zero_shot(found: Any) -> dict[str, Any]:
    return {"sequence": found.sequence, "labels": found.labels, "scores": found.scores}


def fills(found: Any) -> list[list[dict[str, Any]]]:
    return [
        [{"token": f.token, "tokenId": f.token_id, "score": f.score, "sequence": f.sequence} for f in mask]
        for mask in found
    ]


def embeddings(path: Path) -> dict[str, Any]:
    embed = mbrt.TextEmbedder.from_pretrained(path)
    options = {"truncate_dim": 5, "normalize": True, "prompt": "who "}
    return {
        "plain": embed(TEXTS).tolist(),
        "options": embed(TEXTS, **options).tolist(),
        "stride": embed(TEXTS, max_length=9, on_overflow="stride", stride=2).tolist(),
    }


def tasks(folder: Path, precision: str) -> dict[str, Any]:
    def path(name: str) -> Path:
        return write_model(folder, name, precision)

    classify = mbrt.TextClassifier.from_pretrained(path("classify"))
    chooses = mbrt.ZeroShotClassifier.from_pretrained(path("zero-shot"))
    tag = mbrt.TokenClassifier.from_pretrained(path("tag"))
    answer = mbrt.QuestionAnswerer.from_pretrained(path("answer"))
    fill = mbrt.FillMask.from_pretrained(path("fill"))
    rank = mbrt.Reranker.from_pretrained(path("rank"))
    contexts = [text for text in TEXTS if text]
    return {
        "embed": embeddings(path("embed")),
        "sentence": embeddings(path("sentence")),
        "passage": mbrt.TextEmbedder.from_pretrained(path("sentence"), prompt_name="query")(TEXTS).tolist(),
        "classify": [labels(found) for found in classify(TEXTS)],
        "classifyPairs": labels(classify((TEXTS[0], TEXTS[2]), top_k=2, function_to_apply="none")),
        "zeroShot": [zero_shot(found) for found in chooses(TEXTS, LABELS)],
        "multiLabel": [
            zero_shot(found) for found in chooses(TEXTS, LABELS, multi_label=True, hypothesis_template="{}?")
        ],
        "tag": {
            kind: [[span(text, e) for e in tag(text, aggregation=kind)] for text in TEXTS]
            for kind in ("none", "simple", "first", "max", "average")
        },
        "answer": [[span(text, a) for a in answer(QUESTION, text, top_k=3)] for text in contexts],
        "noAnswer": [[span(text, a) for a in answer(QUESTION, text, allow_no_answer=True)] for text in contexts],
        "fill": [fills(fill(text)) for text in FILLS],
        "targets": [fills(fill(text, targets=["notes", "cat"], top_k=2)) for text in FILLS],
        "rank": [
            {"corpusId": r.corpus_id, "score": r.score, "text": r.text} for r in rank.rank(QUESTION, TEXTS, top_k=5)
        ],
        "scores": rank([(QUESTION, text) for text in TEXTS]).tolist(),
    }


def encodings(path: Path) -> list[dict[str, Any]]:
    tokenizer = mbrt.TextEmbedder.from_pretrained(path).tokenizer
    assert isinstance(tokenizer, TextTokenizer)
    pairs: list[Any] = [*TEXTS, (TEXTS[2], TEXTS[4])]
    found = []
    for text, e in zip(pairs, tokenizer.encode_batch(pairs), strict=True):
        parts = text if isinstance(text, tuple) else (text,)
        offsets = [
            [0, 0] if part is None else [utf16(parts[part], start), utf16(parts[part], end)]
            for part, (start, end) in zip(e.sequence_ids, e.offsets, strict=True)
        ]
        found.append(
            {
                "ids": e.ids,
                "typeIds": e.type_ids,
                "tokens": [tokenizer.piece(i) for i in e.ids],
                "offsets": offsets,
                "sequenceIds": [-1 if part is None else part for part in e.sequence_ids],
                "wordIds": [-1 if word is None else word for word in e.word_ids],
            }
        )
    return found


def hostile(folder: Path) -> dict[str, Any]:
    """File name -> class and message of the error for these bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    found = {}
    for number, (build, _) in enumerate((CASES | SENTENCE | UNSUPPORTED).values()):
        path = folder / f"{number}.safetensors"
        path.write_bytes(build())
        try:
            _core.Model(memoryview(path.read_bytes()))
        except MobileBertError as error:
            found[path.name] = {"name": type(error).__name__, "message": str(error)}
    return found


def main(folder: Path) -> None:
    models = folder / "models"
    models.mkdir(parents=True, exist_ok=True)
    default = mbrt.default_model_path()
    expected = {
        "texts": TEXTS,
        "labels": LABELS,
        "question": QUESTION,
        "fills": FILLS,
        "results": {precision: tasks(models, precision) for precision in PRECISIONS},
        "encodings": encodings(write_model(models, "embed", "fp32")),
        "default": {"path": str(default), "vectors": mbrt.TextEmbedder()(TEXTS).tolist()},
        "hostile": hostile(folder / "hostile"),
    }
    (folder / "expected.json").write_text(json.dumps(expected), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
