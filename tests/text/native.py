"""The C++ tokenizer, run as a program, beside the `tokenizers` library: what each makes of the same bytes."""

from __future__ import annotations

import codecs
import json
import os
import shlex
import struct
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tokenizers

Ints = npt.NDArray[np.int32]
NONE = 0xFFFFFFFF


@dataclass(frozen=True)
class Text:
    first: bytes
    second: bytes | None = None


@dataclass(frozen=True)
class Pieces:
    """An encoding; offsets count bytes. One row each: ids, types, begin, end, part (-1 special), word (-1 special)."""

    rows: Ints

    def same(self, other: Pieces) -> bool:
        """Whether everything is equal."""
        return np.array_equal(self.rows, other.rows)


class Failed(Exception):
    """The program ended with an error; the message is its own."""


def encode(file: Path, texts: Iterable[Text], *mode: str) -> Iterator[Pieces]:
    """What $MBRT_TOKENIZE makes of the texts with the tokenizer file (mode: json, or vocab and its options)."""
    command = [*shlex.split(os.environ.get("MBRT_EMULATOR", "")), os.environ["MBRT_TOKENIZE"]]
    kind, *options = mode or ("json",)
    done = subprocess.run(
        [*command, kind, str(file), *options], input=b"".join(map(_packed, texts)), capture_output=True, check=False
    )
    if done.returncode:
        raise Failed(done.stderr.decode())
    found = np.frombuffer(done.stdout, np.int32)
    at = 0
    while at < len(found):
        count = int(found[at])
        yield Pieces(found[at + 1 : at + 1 + 6 * count].reshape(6, count))
        at += 1 + 6 * count


def _packed(text: Text) -> bytes:
    second = NONE if text.second is None else len(text.second)
    return struct.pack("<2I", len(text.first), second) + text.first + (text.second or b"")


def decoded(data: bytes) -> tuple[str, Ints]:
    """The bytes as Python decodes them with "replace", and where in the bytes each character begins (and the end)."""
    invalid: list[tuple[int, int]] = []

    def replace(error: UnicodeError) -> tuple[str, int]:
        assert isinstance(error, UnicodeDecodeError)
        invalid.append((error.start, error.end))
        return "\ufffd", error.end

    codecs.register_error("mbrt-replace", replace)
    text = data.decode("utf-8", "mbrt-replace")
    if not invalid:
        sizes = np.frombuffer(data, np.uint8)
        return text, np.append(np.flatnonzero((sizes & 0xC0) != 0x80), len(data)).astype(np.int32)
    starts, at = list[int](), 0
    for begin, end in [*invalid, (len(data), len(data))]:
        for character in data[at:begin].decode():
            starts.append(at)
            at += len(character.encode())
        if begin < end:
            starts.append(begin)
            at = end
    return text, np.array([*starts, len(data)], np.int32)


def expected(library: tokenizers.Tokenizer, texts: Sequence[Text]) -> Iterator[Pieces]:
    """The same from the library, its character offsets turned into bytes."""
    parts = [[decoded(part) for part in (text.first, text.second) if part is not None] for text in texts]
    inputs = [tuple(part for part, _ in pair) if len(pair) == 2 else pair[0][0] for pair in parts]
    for encoding, pair in zip(library.encode_batch(inputs), parts, strict=True):
        yield _pieces(encoding, [starts for _, starts in pair])


def _pieces(encoding: tokenizers.Encoding, starts: list[Ints]) -> Pieces:
    rows = np.zeros((6, len(encoding)), np.int32)
    rows[0] = encoding.ids
    rows[1] = encoding.type_ids
    rows[2:4] = np.array(encoding.offsets, np.int32).reshape(-1, 2).T
    rows[4] = [-1 if part is None else part for part in encoding.sequence_ids]
    rows[5] = [-1 if word is None else word for word in encoding.word_ids]
    for number, bytes_at in enumerate(starts):
        own = rows[4] == number
        rows[2:4, own] = bytes_at[rows[2:4, own]]
    return Pieces(rows)


def compare(library: tokenizers.Tokenizer, file: Path, texts: Sequence[bytes], *mode: str) -> int:
    """Asserts that both give the same encoding of every text; returns how many texts there were."""
    inputs = list(map(Text, texts))
    found = list(encode(file, inputs, *mode))
    for text, own, theirs in zip(texts, found, expected(library, inputs), strict=True):
        assert own.same(theirs), difference(library, text, own, theirs)
    return len(texts)


def difference(library: tokenizers.Tokenizer, text: bytes, own: Pieces, theirs: Pieces) -> str:
    """Both, for reading."""
    shown = [
        [(library.id_to_token(int(i)), *map(int, rest)) for i, *rest in pieces.rows[[0, 2, 3, 5]].T]
        for pieces in (own, theirs)
    ]
    first = next((i for i, (a, b) in enumerate(zip(*shown, strict=False)) if a != b), min(map(len, shown)))
    return (
        f"{text[:2000]!r}\n own {len(shown[0])}: ... {shown[0][first : first + 8]}\n"
        f"theirs {len(shown[1])}: ... {shown[1][first : first + 8]}"
    )


def both(folder: Path, description_: dict[str, Any]) -> tuple[tokenizers.Tokenizer, Path]:
    """The library's tokenizer, and the file of the same for the program."""
    file = folder / "tokenizer.json"
    file.write_text(json.dumps(description_), encoding="utf-8")
    library = tokenizers.Tokenizer.from_str(file.read_text(encoding="utf-8"))
    library.no_truncation()
    library.no_padding()
    return library, file
