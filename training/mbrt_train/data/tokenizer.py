"""BERT's WordPiece tokenizer: reading, learning from text, and comparison with a checkpoint's."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from mbrt_train.data.files import read_metadata
from mbrt_train.errors import TrainingError

FILES = ("tokenizer.json", "vocab.txt", "tokenizer_config.json", "special_tokens_map.json")
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


@dataclass(frozen=True)
class Vocabulary:
    """Special ids of a tokenizer; `continues` [V]: whether a piece continues the previous word."""

    size: int
    pad: int
    cls: int
    sep: int
    mask: int
    specials: NDArray[np.int64]
    continues: NDArray[np.bool_]


def load_tokenizer(source: str | Path) -> Tokenizer:
    """The tokenizer of a folder or of a model file: tokenizer.json, else vocab.txt with its settings."""
    files = read_metadata(Path(source)) if Path(source).is_file() else _in_folder(Path(source))
    if "tokenizer.json" in files:
        tokenizer = Tokenizer.from_str(files["tokenizer.json"])
        tokenizer.no_padding()
        tokenizer.no_truncation()
        return tokenizer
    if "vocab.txt" in files:
        pieces = files["vocab.txt"].splitlines()
        settings: dict[str, Any] = json.loads(files.get("tokenizer_config", "{}"))
        return _word_piece({piece: i for i, piece in enumerate(pieces)}, bool(settings.get("do_lower_case", True)))
    raise TrainingError(
        f"{source}: neither tokenizer.json nor vocab.txt. Give the folder, or the model file, of a BERT tokenizer."
    )


def _in_folder(folder: Path) -> dict[str, str]:
    """The texts of a tokenizer's files under the names that they have in a model file."""
    names = {"tokenizer.json": "tokenizer.json", "vocab.txt": "vocab.txt", "tokenizer_config.json": "tokenizer_config"}
    return {
        name: (folder / file).read_text(encoding="utf-8") for file, name in names.items() if (folder / file).is_file()
    }


def learn_tokenizer(texts: Iterable[str], size: int, lower_case: bool = True) -> Tokenizer:
    """A WordPiece vocabulary of at most `size` pieces, determined by the text. texts is iterated over twice.

    The library numbers the letters within words in the order of a hash table and breaks ties between merges by these
    numbers. To be deterministic, they are numbered here, as if they were special tokens.
    """
    tokenizer = _word_piece({}, lower_case)
    letters = {letter for text in texts for word in _words(tokenizer, text) for letter in word[1:]}
    trainer = trainers.WordPieceTrainer(
        vocab_size=size, special_tokens=[*SPECIAL, *(f"##{letter}" for letter in sorted(letters))], show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    return _word_piece(tokenizer.get_vocab(), lower_case)


def _words(tokenizer: Tokenizer, text: str) -> Iterator[str]:
    assert tokenizer.normalizer is not None
    assert tokenizer.pre_tokenizer is not None
    for word, _ in tokenizer.pre_tokenizer.pre_tokenize_str(tokenizer.normalizer.normalize_str(text)):
        yield word


def _word_piece(vocab: dict[str, int], lower_case: bool) -> Tokenizer:
    tokenizer = Tokenizer(models.WordPiece(vocab, unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lower_case)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    if "[CLS]" in vocab and "[SEP]" in vocab:
        tokenizer.post_processor = processors.BertProcessing(("[SEP]", vocab["[SEP]"]), ("[CLS]", vocab["[CLS]"]))
        tokenizer.add_special_tokens([token for token in SPECIAL if token in vocab])
    return tokenizer


def save_tokenizer(tokenizer: Tokenizer, folder: Path) -> None:
    """tokenizer.json, vocab.txt and tokenizer_config.json, for transformers and for mobilebert_rt."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "vocab.txt").write_text("\n".join(pieces(tokenizer)) + "\n", encoding="utf-8")
    lower = json.loads(tokenizer.to_str()).get("normalizer") or {}
    settings = {"do_lower_case": bool(lower.get("lowercase", True)), "tokenizer_class": "BertTokenizer"}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=2) + "\n")


def copy_tokenizer(source: Path, target: Path) -> None:
    """Copy the files of a tokenizer."""
    target.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        if (source / name).is_file():
            shutil.copyfile(source / name, target / name)


def pieces(tokenizer: Tokenizer) -> list[str]:
    """The vocabulary in the order of its ids. Raises TrainingError if ids are missing."""
    vocab = tokenizer.get_vocab(with_added_tokens=True)
    ordered = sorted(vocab, key=vocab.__getitem__)
    if sorted(vocab.values()) != list(range(len(vocab))):
        raise TrainingError("the tokenizer's ids have gaps; expected 0 to the size of the vocabulary.")
    return ordered


def fingerprint(tokenizer: Tokenizer) -> str:
    """SHA-256 of the vocabulary."""
    return hashlib.sha256("\n".join(pieces(tokenizer)).encode()).hexdigest()


def vocabulary(tokenizer: Tokenizer) -> Vocabulary:
    """Special ids. Raises TrainingError if one of BERT's special tokens is missing."""
    found = pieces(tokenizer)
    index = {piece: i for i, piece in enumerate(found)}
    missing = [token for token in SPECIAL if token not in index]
    if missing:
        raise TrainingError(f"the tokenizer has no {', '.join(missing)}; expected a BERT tokenizer.")
    return Vocabulary(
        len(found),
        pad=index["[PAD]"],
        cls=index["[CLS]"],
        sep=index["[SEP]"],
        mask=index["[MASK]"],
        specials=np.array(sorted(index[token] for token in SPECIAL)),
        continues=np.array([piece.startswith("##") for piece in found]),
    )


def check_checkpoint(tokenizer: Tokenizer, folder: Path, vocab_size: int) -> None:
    """Raise TrainingError if the tokenizer is not that of the checkpoint in `folder`."""
    size = len(pieces(tokenizer))
    if size != vocab_size:
        raise TrainingError(
            f"the tokenizer has {size:,} pieces; the checkpoint {folder} has {vocab_size:,} word vectors. "
            "Prepare the text with the checkpoint's own tokenizer."
        )
    if any((folder / name).is_file() for name in FILES[:2]):
        theirs = load_tokenizer(folder)
        if fingerprint(theirs) != fingerprint(tokenizer):
            differ = sum(a != b for a, b in zip(pieces(tokenizer), pieces(theirs), strict=False))
            raise TrainingError(
                f"the tokenizer is not that of the checkpoint {folder}: {differ:,} of {size:,} pieces differ. "
                "Prepare the text with the checkpoint's own tokenizer."
            )


def encode(tokenizer: Tokenizer, sentences: list[str]) -> Iterator[list[int]]:
    """Ids of each sentence, without special tokens."""
    for encoding in tokenizer.encode_batch_fast(sentences, add_special_tokens=False):
        yield encoding.ids
