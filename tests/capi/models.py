"""Small random models that read text, for the tests of the C API: `python models.py FOLDER` writes them.

Only numpy is needed; the files come from tests/model/make_model_file.py, which shares no code with the package.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2]))

from tests.model.make_model_file import ODD, PLAIN, Config, make_file

WORDS = """
the a of in is was who where when what wrote notes by ada love ##lace lived london paris france capital city
cat dog ##s ##ing film good bad warm funny not very and to 1843 . , ? ! ' -
b c d e f g h i j k l m n o p q r s t u
"""
VOCABULARY = "\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS.split()]) + "\n"
SIZE = VOCABULARY.count("\n")
SETTINGS = {
    "do_lower_case": True,
    "strip_accents": None,
    "tokenize_chinese_chars": True,
    "unk_token": "[UNK]",
    "cls_token": "[CLS]",
    "sep_token": "[SEP]",
    "pad_token": "[PAD]",
    "mask_token": "[MASK]",
}
READS_TEXT = {"vocab.txt": VOCABULARY, "tokenizer_config": json.dumps(SETTINGS)}

TEXT: Config = ODD | {"vocab_size": SIZE, "max_positions": 40}
LABELS = ["O", "B-PER", "I-PER"]

# name: (configuration, metadata). Those of `deep` are for runs that take a while.
MODELS: dict[str, tuple[Config, dict[str, str]]] = {
    "ids": (PLAIN | {"head": "pretraining", "max_positions": 90}, {}),
    "embed": (TEXT, READS_TEXT | {"pooling": json.dumps({"mode": "mean", "normalize": True, "max_tokens": 30})}),
    "classify": (
        TEXT | {"head": "sequence_classification", "num_labels": 3},
        READS_TEXT | {"labels": json.dumps(["bad", "neither", "good \u2713"])},
    ),
    "tag": (
        TEXT | {"pooler": "none", "head": "token_classification", "num_labels": 3},
        READS_TEXT | {"labels": json.dumps(LABELS)},
    ),
    "answer": (TEXT | {"pooler": "none", "head": "question_answering", "num_labels": 2}, READS_TEXT),
    # Without token types, as DistilBERT.
    "plain": (TEXT | {"type_vocab_size": 0, "bottleneck": "full"}, READS_TEXT),
    "fill": (TEXT | {"head": "masked_lm"}, READS_TEXT),
    "deep": (PLAIN | {"num_layers": 100, "max_positions": 512}, {}),
}


def write_model(folder: Path, name: str, precision: str = "fp32") -> Path:
    """The file of one of MODELS; written once."""
    path = folder / f"{name}-{precision}.safetensors"
    if not path.exists():
        config, metadata = MODELS[name]
        path.write_bytes(make_file(config | {"precision": precision}, 23, metadata))
    return path


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    for model in MODELS:
        for kind in ("fp32", "int8"):
            write_model(target, model, kind)
