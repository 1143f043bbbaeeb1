"""Writes answers.json, what the question answering pipeline of transformers 4 answers; transformers 5 has none.

    python -m tests.tasks.make_answers      (with transformers 4.57 and torch)

Needs nothing of the package. The models are those of tests.small_models, so the test makes the same ones.
"""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from tests.small_models import save_folder
from tests.small_models.families import BERT, tensors
from tests.small_models.folders import write_folder
from tests.small_models.text import VOCAB_SIZE, random_words, word_id

PATH = Path(__file__).with_name("answers.json")
SEEDS = range(4)
QUESTIONS = ["who wrote the notes?", "where was the cat"]
# No word twice: the pipeline adds up the scores of answers with the same text.
SHORT = ["ada lovelace wrote the notes .", "The film, not very good; was in Z\u00fcrich \u6771\u4eac: dogs!", "cat"]
BEFORE, AFTER = random_words(30, 1), random_words(45, 2)
LONG = [f"{BEFORE} ada lovelace {AFTER}", f"Ada Lovelace {BEFORE}"]


def save_random(folder: Path, seed: int) -> Path:
    return save_folder(folder, "bert", "ForQuestionAnswering", seed=seed)


def save_peaked(folder: Path) -> Path:
    """Finds "ada ... lovelace", and no answer in a window without it, as a trained model would.

    A token's state is its row of the word embeddings, with one number for each kind of token.
    """
    config = BERT | {"vocab_size": VOCAB_SIZE, "architectures": ["BertForQuestionAnswering"]}
    kinds = np.zeros(VOCAB_SIZE, int)
    for kind, piece in enumerate(["ada", "##lace", "[CLS]"], start=1):
        kinds[word_id(piece)] = kind
    found = {
        name: np.full_like(array, name.endswith("LayerNorm.weight"))
        for name, array in tensors(config, "ForQuestionAnswering", 0).items()
    }
    found["bert.embeddings.word_embeddings.weight"] = np.eye(24, dtype=np.float32)[kinds]
    found["qa_outputs.weight"][:, 1:4] = [[2, 0, 1], [0, 2, 1]]
    save_folder(folder, "bert", "ForQuestionAnswering")
    write_folder(folder, config, found)
    return folder


def short_cases() -> list[dict[str, Any]]:
    """Arguments of the pipeline's calls with contexts of one window."""
    return [
        {"question": question, "context": context, "top_k": 4, "max_answer_len": length, "handle_impossible_answer": no}
        for question in QUESTIONS
        for context in SHORT
        for length in (3, 15)
        for no in (False, True)
    ]


def long_cases() -> list[dict[str, Any]]:
    """The same for contexts of several windows."""
    return [
        {"question": question, "context": context, "max_seq_len": 24, "doc_stride": 8, "handle_impossible_answer": no}
        for question in QUESTIONS
        for context in LONG
        for no in (False, True)
    ]


def answers(folder: Path, cases: list[dict[str, Any]], **options: Any) -> list[Any]:
    import transformers  # noqa: PLC0415 - the test imports this module without it

    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, model_max_length=40)
    model = transformers.AutoModelForQuestionAnswering.from_pretrained(folder).eval()
    pipe = transformers.pipeline("question-answering", model=model, tokenizer=tokenizer, device="cpu", **options)
    found = [pipe(**case) for case in cases]
    lists = [[one] if isinstance(one, dict) else one for one in found]
    return [[[row["start"], row["end"], round(row["score"], 8)] for row in rows] for rows in lists]


def main() -> None:
    with TemporaryDirectory() as folder:
        short = [
            answers(save_random(Path(folder) / str(seed), seed), short_cases(), align_to_words=False) for seed in SEEDS
        ]
        long = answers(save_peaked(Path(folder) / "peaked"), long_cases())
    lines = [json.dumps(rows) for rows in [*short, long]]
    PATH.write_text("[\n" + ",\n".join(lines) + "\n]\n")


if __name__ == "__main__":
    main()
