"""Writes answers.json, what the question answering pipeline of transformers 4.57 answers; transformers 5 has none.

    python -m tests.tasks.make_answers      (with transformers 4.57 and torch)

Needs nothing of the package. The models are those of tests.small_models, so the test makes the same ones.
"""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.small_models import save_folder
from tests.small_models.text import random_words

PATH = Path(__file__).with_name("answers.json")
# Family, seed, changes of tokenizer_config.json.
MODELS: list[tuple[str, int, dict[str, Any]]] = [
    ("bert", 0, {}),
    ("without_opt", 1, {"model_max_length": 31}),
    ("distilbert", 2, {"do_lower_case": False}),
]
WORDS = random_words(70, 1)
CONTEXTS = {
    "plain": "ada lovelace wrote the notes .",
    "word": "cat",
    "repeated": "The cat, the CAT; lovelace the Lovelace, the cat lovelace in london",
    "odd": "Z\u00fcrich  \u6771\u4eac\u6771: e\u0301t\u00e9 \u00c9T\u00c9 \U0001f600 dogs!  loveing \u0130s [MASK]",
    "greek": "\u039f\u0394\u039f\u03a3 \u03bf\u03b4\u03bf\u03c2",
    "windows": WORDS,
    "odd_windows": f"Ada  Lovelace\u00a0{WORDS[:90]} \u6771\u4eac LOVELACE, Film's \U0001f600 {WORDS[200:]} lovelace",
}
QUESTIONS = ["who wrote the notes?", "where"]


def cases() -> list[dict[str, Any]]:
    """Arguments of the pipeline's calls."""
    found = []
    for name, context in CONTEXTS.items():
        windows = [{}, {"max_seq_len": 24, "doc_stride": 13}] if "windows" in name else [{}]
        for number, limits in enumerate(windows):
            for whole in (True, False):
                for top_k, longest in ((1, 15), (4, 3), (9, 40)):
                    found.append(
                        {"question": QUESTIONS[number], "context": context, "top_k": top_k, "max_answer_len": longest}
                        | {"align_to_words": whole, "handle_impossible_answer": top_k != 4}
                        | limits
                    )
    return found


def save_model(folder: Path, family: str, seed: int, tokenizer: dict[str, Any]) -> Path:
    settings = {"model_max_length": 40} | tokenizer
    return save_folder(folder, family, "ForQuestionAnswering", seed=seed, tokenizer=settings)


def answers(folder: Path) -> list[list[list[float]]]:
    """[start, end, score] of the answers to each case, without those of score 0 that fill up the pipeline's list."""
    import transformers  # noqa: PLC0415 - the test imports this module without it

    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModelForQuestionAnswering.from_pretrained(folder).eval()
    pipe = transformers.pipeline("question-answering", model=model, tokenizer=tokenizer, device="cpu")
    found = [pipe(**case) for case in cases()]
    lists = [[one] if isinstance(one, dict) else one for one in found]
    return [
        [[row["start"], row["end"], float(f"{row['score']:.7g}")] for row in rows if row["score"]] for rows in lists
    ]


def main() -> None:
    with TemporaryDirectory() as folder:
        found = [answers(save_model(Path(folder) / str(number), *model)) for number, model in enumerate(MODELS)]
    lines = [json.dumps(rows, separators=(",", ":")) for rows in found]
    PATH.write_text("[\n" + ",\n".join(lines) + "\n]\n")


if __name__ == "__main__":
    main()
