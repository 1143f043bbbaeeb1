"""Writes unicode_tables.inc: what the tokenizer must know of each code point.

    python csrc/text/make_unicode_tables.py > csrc/text/unicode_tables.inc

The `tokenizers` library is the oracle. Its parts were made from different versions of Unicode (docs/tokenizer.md), so
that no single release of Python's `unicodedata` says what it does: each property is read off the library, code point by
code point. Only the value of a combining class cannot be read off; it is `unicodedata`'s where the library treats the
code point as combining at all.
"""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers

CODE_POINTS = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
BAR = "|"  # stands for itself in every property, and no other code point becomes one
HANGUL = range(0xAC00, 0xAC00 + 11172)  # decomposed by arithmetic, not by table
DOTTED_I = 0x130  # the one code point whose lower case is two; unicode.h knows it
# Bits of Record.flags; unicode.h says what they mean.
REMOVED, SPACE, PUNCTUATION, MARK, WORD, CHINESE, DECOMPOSES = (1 << bit for bit in range(7))


@dataclass(frozen=True, order=True)
class Record:
    """What code points can have in common."""

    flags: int
    combining: int
    lower: int  # what is added for lower case


def chunks() -> Iterator[list[int]]:
    """All code points but the bar, many at once, since a call of the library has its price."""
    others = [c for c in CODE_POINTS if c != ord(BAR)]
    for first in range(0, len(others), 4096):
        yield others[first : first + 4096]


def each(change: Callable[[str], str], context: str = "{}") -> dict[int, str]:
    """What `change` makes of every code point within the context."""
    found = {ord(BAR): change(context.format(BAR))}
    for points in chunks():
        texts = change(BAR.join(context.format(chr(c)) for c in points)).split(BAR)
        found.update(zip(points, texts, strict=True))
    return found


def splits() -> tuple[set[int], set[int]]:
    """(white space, punctuation) as the pre-tokenizer has it: what vanishes between letters, what stands alone."""
    pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    space, punctuation = set[int](), set[int]()
    for points in chunks():
        words = [place for _, place in pre_tokenizer.pre_tokenize_str("a" + "".join(chr(c) + "a" for c in points))]
        kept = {begin for begin, end in words if end - begin == 1}
        covered = {place for begin, end in words for place in range(begin, end)}
        for place, c in zip(range(1, 2 * len(points), 2), points, strict=True):
            if place not in covered:
                space.add(c)
            elif place in kept:
                punctuation.add(c)
    return space, punctuation


def word_characters() -> set[int]:
    """What a single_word token may not stand beside."""
    tokenizer = Tokenizer(models.WordPiece({"[UNK]": 0, "[T]": 1}, unk_token="[UNK]"))
    tokenizer.add_special_tokens([AddedToken("[T]", single_word=True, normalized=False, special=True)])
    found = set[int]()
    for points in chunks():
        encoding = tokenizer.encode("".join(f"{chr(c)}[T]|" for c in points))
        alone = {begin for number, (begin, _) in zip(encoding.ids, encoding.offsets, strict=True) if number == 1}
        found.update(c for i, c in enumerate(points) if 5 * i + 1 not in alone)
    return found


def combining_classes(decompositions: dict[int, str]) -> dict[int, int]:
    """Canonical combining classes of the code points that the library's NFD moves."""
    # Class 1 goes before all others, and all but class 240 go before that: one of the two moves.
    before, behind = "{}\u0334", "\u0345{}"
    nfd = normalizers.NFD().normalize_str
    behind_moved, before_moved = each(nfd, behind), each(nfd, before)
    found = {0x345: unicodedata.combining("\u0345")}
    for c in CODE_POINTS:
        stays = before_moved[c] == before.format(chr(c)) and behind_moved[c] == behind.format(chr(c))
        if c in decompositions or stays:
            continue
        found[c] = unicodedata.combining(chr(c))
        assert found[c], f"this Python's Unicode {unicodedata.unidata_version} is too old for U+{c:04X}"
    return found


def decompositions_of(plain: dict[int, str]) -> dict[int, str]:
    """Full canonical decompositions but Hangul's, which are checked against the arithmetic."""
    for c in HANGUL:
        lead, rest = divmod(c - HANGUL.start, 588)
        vowel, tail = divmod(rest, 28)
        jamo = [0x1100 + lead, 0x1161 + vowel] + ([0x11A7 + tail] if tail else [])
        assert plain[c] == "".join(map(chr, jamo))
    return {c: text for c, text in plain.items() if text != chr(c) and c not in HANGUL}


def lower_deltas(lower: dict[int, str]) -> dict[int, int]:
    """What is to be added to each code point for its lower case."""
    assert [c for c in CODE_POINTS if len(lower[c]) != 1] == [DOTTED_I]
    assert lower[DOTTED_I] == "i\u0307"
    return {c: ord(text) - c for c, text in lower.items() if c != DOTTED_I and ord(text) != c}


def read_library() -> tuple[list[Record], dict[int, str]]:
    """The record of every code point (surrogates have an empty one), and the decompositions."""
    clean = each(normalizers.BertNormalizer(True, False, False, False).normalize_str)
    chinese = each(normalizers.BertNormalizer(False, True, False, False).normalize_str)
    bare = each(normalizers.BertNormalizer(False, False, True, False).normalize_str)
    lower = lower_deltas(each(normalizers.BertNormalizer(False, False, False, True).normalize_str))
    nfd = each(normalizers.NFD().normalize_str)
    decompositions = decompositions_of(nfd)
    combining = combining_classes(nfd_changes := {c: text for c, text in nfd.items() if text != chr(c)})
    space, punctuation = splits()
    punctuation.add(ord(BAR))
    words = word_characters()
    removed = {c for c in CODE_POINTS if clean[c] == ""}
    marks = {c for c in CODE_POINTS if c not in nfd_changes and bare[c] == ""}
    # What unicode.h does with the bits is what the library does.
    for c in CODE_POINTS:
        assert clean[c] == ("" if c in removed else " " if c in space else chr(c))
        assert chinese[c] in (chr(c), f" {chr(c)} ")
        assert bare[c] == "".join(x for x in nfd[c] if ord(x) not in marks)
    flags = [0] * 0x110000
    sets = [
        (REMOVED, removed),
        (SPACE, space),
        (PUNCTUATION, punctuation),
        (MARK, marks),
        (WORD, words),
        (CHINESE, {c for c in CODE_POINTS if chinese[c] != chr(c)}),
        (DECOMPOSES, set(nfd_changes)),
    ]
    for bit, members in sets:
        for c in members:
            flags[c] |= bit
    records = [Record(flags[c], combining.get(c, 0), lower.get(c, 0)) for c in range(0x110000)]
    return records, decompositions


def cut(values: Sequence[int], shift: int) -> tuple[list[int], list[int]]:
    """(number of each block, the different blocks one after another); blocks of 1 << shift values."""
    blocks: dict[tuple[int, ...], int] = {}
    size = 1 << shift
    first = [blocks.setdefault(tuple(values[i : i + size]), len(blocks)) for i in range(0, len(values), size)]
    return first, [value for block in blocks for value in block]


def three_stages(name: str, values: Sequence[int], shifts: tuple[int, int]) -> Iterator[str]:
    """The tables by which unicode.cc finds values[c]: by the high bits of c, by the middle ones, by the low ones."""
    middle, low = cut(values, shifts[1])
    high, middle = cut(middle, shifts[0])
    yield f"constexpr int k{name}Shifts[2] = {{{shifts[0]}, {shifts[1]}}};"
    for part, numbers in (("High", high), ("Middle", middle), ("Low", low)):
        yield from array(f"k{name}{part}", numbers)


def array(name: str, values: Sequence[int]) -> Iterator[str]:
    """The lines of one array, of the smallest type that holds it."""
    yield f"constexpr std::uint{8 if max(values) < 256 else 16}_t {name}[{len(values)}] = {{"
    line = ""
    for value in map(str, values):
        if len(line) + len(value) > 118:
            yield line
            line = ""
        line += value + ","
    yield line
    yield "};"


def tables() -> Iterator[str]:
    """The lines of unicode_tables.inc."""
    records, decompositions = read_library()
    kinds = sorted(set(records))
    number = {record: i for i, record in enumerate(kinds)}
    pool: list[int] = []  # UTF-16
    places = [0] * 0x30000
    for c, text in sorted(decompositions.items()):
        units = memoryview(text.encode("utf-16-le")).cast("H")
        assert 0 < len(units) < 8
        places[c] = len(pool) << 3 | len(units)
        pool += units
    assert sys.byteorder == "little"
    assert len(pool) < 1 << 13
    yield "// Written by make_unicode_tables.py; unicode.cc says what it means."
    yield f"constexpr Properties kRecords[{len(kinds)}] = {{"
    yield from (f"{{{r.flags}, {r.combining}, {r.lower}}}," for r in kinds)
    yield "};"
    yield from three_stages("Record", [number[record] for record in records], (4, 5))
    yield from three_stages("Decomposition", places, (5, 4))
    yield from array("kDecompositionUnits", pool)


if __name__ == "__main__":
    sys.stdout.writelines(line + "\n" for line in tables())
