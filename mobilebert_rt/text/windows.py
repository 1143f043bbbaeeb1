"""From texts to the id sequences that the model runs: one a text, several windows for a text too long."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from mobilebert_rt.errors import InputError
from mobilebert_rt.text.tokenizer import Text, TextTokenizer

if TYPE_CHECKING:
    from tokenizers import Encoding

OnOverflow: TypeAlias = Literal["error", "truncate", "stride"]

logger = logging.getLogger("mobilebert_rt")


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a sequence may be, and what happens to a longer one.

    max_length: tokens of a sequence, special tokens included. on_overflow: "error" raises InputError;
    "truncate" keeps the beginning; "stride" makes windows of max_length that share `stride` tokens with their
    neighbour, at most half of a window's. A pair is truncated at its longer text; its windows move over the
    second text, each with the whole first.
    """

    max_length: int
    on_overflow: OnOverflow
    stride: int

    def __post_init__(self) -> None:
        if self.on_overflow not in get_args(OnOverflow):
            raise InputError(f"on_overflow is {self.on_overflow!r}; it can be {', '.join(get_args(OnOverflow))}.")
        if self.max_length < 1:
            raise InputError(f"max_length is {self.max_length}; it should be at least 1.")
        if self.stride < 0:
            raise InputError(f"stride is {self.stride}; it should be 0 or more.")


@dataclass(frozen=True, slots=True)
class Window:
    """One sequence for the model. index: its text's place in the input. first: number, among the tokens of
    the text that was cut into windows, of this window's first. encoding: offsets and the like, None when not
    asked for."""

    index: int
    ids: list[int]
    type_ids: list[int]
    first: int
    encoding: Encoding | None

    def part(self, number: int) -> range:
        """Positions of the first (0) or second (1) text's tokens in this sequence, without special tokens."""
        assert self.encoding is not None
        owners = self.encoding.sequence_ids
        count = owners.count(number)
        start = owners.index(number) if count else 0
        return range(start, start + count)


def encode_windows(
    tokenizer: TextTokenizer,
    texts: Sequence[Text],
    limits: Limits,
    *,
    first_index: int = 0,
    with_offsets: bool = False,
) -> list[Window]:
    """The windows of all texts, in order; `Window.index` counts from 0, messages count from `first_index`.

    Raises InputError for an input that is not text, and for one that is too long when the limits say so.
    """
    windows: list[Window] = []
    for index, encoding in enumerate(tokenizer.encode_batch(texts, first_index, with_offsets)):
        pieces = [(0, encoding)]
        if len(encoding) > limits.max_length:
            pieces = _cut(tokenizer, texts[index], limits, len(encoding), f"input {first_index + index}")
        for first, piece in pieces:
            windows.append(Window(index, piece.ids, piece.type_ids, first, piece if with_offsets else None))
    return windows


def _cut(tokenizer: TextTokenizer, text: Text, limits: Limits, tokens: int, name: str) -> list[tuple[int, Encoding]]:
    """What the policy makes of a text that is too long: (first token, encoding) of each window."""
    if limits.on_overflow == "error":
        raise InputError(
            f"{name} has {tokens:,} tokens with its special tokens, more than the {limits.max_length:,} "
            "allowed. Shorten it, or choose on_overflow='truncate' (keep the beginning) or 'stride' (read it "
            "in windows)."
        )
    parts = [tokenizer.encode_bare(part) for part in (text if isinstance(text, tuple) else (text,))]
    room = limits.max_length - tokenizer.special_count(len(parts) == 2)
    if room < 1:
        raise InputError(f"max_length {limits.max_length} leaves {name} no room beside its special tokens.")
    if limits.on_overflow == "truncate":
        logger.info("%s: %d tokens cut to %d", name, tokens, limits.max_length)
        for part, length in zip(parts, _shares([len(part) for part in parts], room), strict=True):
            part.truncate(length)
        return [(0, tokenizer.assemble(*parts))]
    return _windows(tokenizer, parts, room, limits.stride, name)


def _windows(
    tokenizer: TextTokenizer, parts: Sequence[Encoding], room: int, stride: int, name: str
) -> list[tuple[int, Encoding]]:
    """Windows over the last of the parts, each after the whole first of a pair."""
    *whole, moving = parts
    length = room - sum(map(len, whole))
    if length < 1:
        raise InputError(
            f"{name}: its first text has {len(whole[0])} tokens, which leaves a window no room for the "
            "second. Use a larger max_length or a shorter first text."
        )
    stride = min(stride, length // 2)
    moving.truncate(length, stride)
    pieces = [moving, *moving.overflowing]
    return [(i * (length - stride), tokenizer.assemble(*whole, piece)) for i, piece in enumerate(pieces)]


def _shares(lengths: list[int], room: int) -> list[int]:
    """Tokens each text keeps: the shorter of a pair up to half of the room, the longer what is left."""
    if len(lengths) == 1:
        return [room]
    first, second = lengths
    short = min(first, second, room // 2)
    return [short, room - short] if first <= second else [room - short, short]


def own_tokens(windows: Sequence[Window], counts: Sequence[int]) -> list[range]:
    """For the windows of one text, which tokens each answers for: those it sees with the most context.

    counts: tokens of the text in each window. Where two neighbours overlap, each takes the half nearer to its
    middle, so that the ranges (of token numbers in the text) follow one another without a gap.
    """
    ends = [window.first + count for window, count in zip(windows, counts, strict=True)]
    cuts = [(following.first + end) // 2 for following, end in zip(windows[1:], ends, strict=False)]
    return [range(*bounds) for bounds in zip([windows[0].first, *cuts], [*cuts, ends[-1]], strict=True)]
