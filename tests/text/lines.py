"""Lines for the tokenizers to agree on: many scripts, hostile mixtures, random bytes. The same for the same seed."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache

# Blocks whose letters, marks and signs make words of their own kind.
SCRIPTS = {
    "latin": [(0x41, 0x24F), (0x1E00, 0x1EFF), (0x2C60, 0x2C7F), (0xA720, 0xA7FF), (0xAB30, 0xAB6F)],
    "greek": [(0x370, 0x3FF), (0x1F00, 0x1FFF)],
    "cyrillic": [(0x400, 0x52F), (0x1C80, 0x1C8F), (0x2DE0, 0x2DFF), (0xA640, 0xA69F)],
    "armenian and georgian": [(0x531, 0x58F), (0x10A0, 0x10FF), (0x1C90, 0x1CBF), (0x2D00, 0x2D2F)],
    "hebrew": [(0x591, 0x5F4), (0xFB1D, 0xFB4F)],
    "arabic": [(0x600, 0x6FF), (0x750, 0x77F), (0x870, 0x8FF), (0xFB50, 0xFDFF), (0xFE70, 0xFEFC)],
    "devanagari": [(0x900, 0x97F), (0xA8E0, 0xA8FF), (0x1CD0, 0x1CFA)],
    "bengali to gujarati": [(0x980, 0xAFF)],
    "oriya to malayalam": [(0xB01, 0xD7F)],
    "sinhala, thai, lao": [(0xD81, 0xDF4), (0xE01, 0xE5B), (0xE81, 0xEDF)],
    "tibetan, burmese, khmer": [(0xF00, 0xFDA), (0x1000, 0x109F), (0x1780, 0x17F9), (0xAA60, 0xAA7F)],
    "hangul": [(0xAC00, 0xD7A3), (0x1100, 0x11FF), (0x3131, 0x318E), (0xA960, 0xA97C), (0xD7B0, 0xD7FB)],
    "kana": [(0x3041, 0x30FF), (0x31F0, 0x31FF), (0xFF66, 0xFF9F), (0x1B000, 0x1B122)],
    "ideographs": [(0x4E00, 0x9FFF)],
    "more ideographs": [(0x3400, 0x4DBF), (0x20000, 0x323AF), (0xF900, 0xFAD9), (0x2F800, 0x2FA1D), (0x2E80, 0x2FD5)],
    "ethiopic, cherokee, canadian": [(0x1200, 0x139F), (0x13A0, 0x13FD), (0x1400, 0x17FF), (0xAB70, 0xABBF)],
    "indonesian and philippine": [(0x1700, 0x1773), (0x1A00, 0x1AAD), (0x1B00, 0x1BFF), (0xA980, 0xA9DF)],
    "deseret, osage, adlam": [(0x10400, 0x104FB), (0x10C80, 0x10CF2), (0x118A0, 0x118FF), (0x1E900, 0x1E95F)],
    "brahmi and others": [(0x11000, 0x11FFF)],
    "old scripts": [(0x10000, 0x10FFF), (0x12000, 0x12543), (0x13000, 0x1345F), (0x16800, 0x16FFF)],
    "mathematical": [(0x2100, 0x2BFF), (0x1D400, 0x1D7FF)],
    "music": [(0x1D000, 0x1D245)],
    "wide and enclosed": [(0x3000, 0x33FF), (0xFF01, 0xFFEE), (0x1F100, 0x1F2FF)],
    "emoji": [(0x1F300, 0x1FAFF), (0x2600, 0x27BF), (0x1F1E6, 0x1F1FF)],
}
MARKS = [(0x300, 0x36F), (0x1AB0, 0x1ACE), (0x1DC0, 0x1DFF), (0x20D0, 0x20F0), (0xFE20, 0xFE2F), (0x591, 0x5C7)]
ODD = "\u0130\u0131\u017f\u1e9e\u212a\u212b\u0345\u0344\u0f73\u0f75\u0f81\u1d15e\U0001d15e\ufb1d\u1fbe\u03a3\u03c2"
SPACES = "\t\n\r\x0b\x0c\x1c\x1d\x1e\x1f\x85\xa0\u1680\u180e\u2000\u2007\u200a\u2028\u2029\u202f\u205f\u3000"
CONTROLS = (
    "\0\x01\x07\x08\x1b\x7f\x80\x9f\xad\u0600\u06dd\u061c\u200b\u200c\u200d\u200e\u2060\ufeff\ufff9\ufffd\ufffe"
    "\U000e0001\U000e0041\U000e0100\U000f0000\U0010fffd\ufe0f\ufe00"
)
TOKENS = ["[MASK]", "[SEP]", "[CLS]", "[PAD]", "[UNK]", "[unk]", "[MASK", "##s", "[[MASK]]"]
ASCII_WORDS = [
    "the",
    "of",
    "unaffable",
    "Don't",
    "U.S.A.",
    "3.14e-10",
    "foo_bar-baz",
    "naive",
    "HTTP://x.org/?q=1",
    "a",
]


@cache
def letters(script: str) -> str:
    """The assigned characters of a script."""
    points = (chr(c) for first, last in SCRIPTS[script] for c in range(first, last + 1))
    return "".join(c for c in points if unicodedata.category(c) != "Cn")


@cache
def marks() -> str:
    """Combining characters of all kinds."""
    return "".join(chr(c) for first, last in MARKS for c in range(first, last + 1))


def word(rng: random.Random, script: str) -> str:
    """One word, perhaps with marks, controls or an odd character."""
    characters = rng.choices(letters(script), k=rng.randint(1, 8))
    for kind in (marks(), ODD, CONTROLS):
        while rng.random() < 0.1:
            characters.insert(rng.randint(0, len(characters)), rng.choice(kind))
    made = "".join(characters)
    return unicodedata.normalize(rng.choice(("NFC", "NFD", "NFKC")), made) if rng.random() < 0.2 else made


def line(rng: random.Random) -> str:
    """Some words, mostly of one script, between all kinds of space."""
    if rng.random() < 0.01:
        return rng.choice(("a", "\u00e9", "\u0301", "\uac01", "\u4e00", "#")) * rng.randint(95, 210)
    script = rng.choice(list(SCRIPTS))
    pieces = []
    for _ in range(rng.randint(0, 12)):
        kind = rng.random()
        if kind < 0.1:
            pieces.append(rng.choice(TOKENS))
        elif kind < 0.25:
            pieces.append(rng.choice(ASCII_WORDS))
        else:
            pieces.append(word(rng, script if kind < 0.85 else rng.choice(list(SCRIPTS))))
        kind = rng.random()
        pieces.append(" " if kind < 0.7 else rng.choice(SPACES if kind < 0.8 else '!"#,.-@[]^~\u3002\u060c'))
    return "".join(pieces)


def multilingual(count: int, seed: int) -> Iterator[bytes]:
    """That many lines."""
    rng = random.Random(seed)
    for _ in range(count):
        yield line(rng).encode()


def random_bytes(count: int, seed: int) -> Iterator[bytes]:
    """Byte strings: any bytes; bytes that look like UTF-8; damaged lines."""
    rng = random.Random(seed)
    likely = bytes([0x41, 0x20, 0x80, 0xBF, 0x9F, 0xA0, 0xC0, 0xC2, 0xE0, 0xE4, 0xED, 0xEF, 0xF0, 0xF4, 0xF5, 0xFF])
    for i in range(count):
        if i % 3 == 0:
            yield rng.randbytes(rng.randint(0, 60))
        elif i % 3 == 1:
            yield bytes(rng.choices(likely, k=rng.randint(0, 40)))
        else:
            damaged = bytearray(line(rng).encode())
            for _ in range(min(len(damaged), rng.randint(1, 5))):
                damaged[rng.randrange(len(damaged))] = rng.randrange(256)
            yield bytes(damaged[: rng.randint(0, len(damaged))])


def code_points(template: str, points: Sequence[int], to_a_line: int = 30) -> list[bytes]:
    """Every code point in the template's place, several to a line."""
    return [
        "".join(template % chr(c) for c in points[i : i + to_a_line]).encode() for i in range(0, len(points), to_a_line)
    ]


def vocabulary(points: Sequence[int], seed: int) -> dict[str, int]:
    """Every code point alone and continued, so that no difference hides behind [UNK]; and longer pieces, so that the
    longest has to be found."""
    rng = random.Random(seed)
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    for c in points:
        pieces += [chr(c), "##" + chr(c)]
    for script in SCRIPTS:
        for _ in range(400):
            made = "".join(rng.choices(letters(script).lower(), k=rng.randint(2, 3)))
            pieces += [made, "##" + made]
    for ascii_word in ASCII_WORDS:
        pieces += [ascii_word.lower()[:i] for i in range(2, len(ascii_word))]
        pieces += ["##" + ascii_word.lower()[i:] for i in range(1, len(ascii_word) - 1)]
    return {piece: number for number, piece in enumerate(dict.fromkeys(pieces))}
