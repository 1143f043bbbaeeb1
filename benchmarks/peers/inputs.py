"""Token ids for all engines, from a seed, as lists that JSON can hold."""

from __future__ import annotations

import random
from collections.abc import Sequence

Text = list[int]

FIRST, LAST = 1000, 29999  # whole words of the vocabulary of 30,522: no [PAD], no [unused]
CLS, SEP = 101, 102

TEXTS = 64
SHORTEST, LONGEST, MEAN = 5, 60, 20


def text(length: int, seed: int) -> Text:
    """Random ids between [CLS] and, from 2 tokens on, [SEP]."""
    numbers = random.Random(seed)
    ids = [numbers.randint(FIRST, LAST) for _ in range(length)]
    ids[0] = CLS
    if length > 1:
        ids[-1] = SEP
    return ids


def mixed_texts(count: int = TEXTS, seed: int = 0) -> list[Text]:
    """Texts of 5 to 60 tokens, 20 on average, many short and few long."""
    numbers = random.Random(seed)
    lengths = [SHORTEST + (LONGEST - SHORTEST) * numbers.betavariate(1.0, 2.67) for _ in range(count)]
    whole = [round(length) for length in lengths]
    # The mean is exact: the rest is distributed token by token.
    i = 0
    while (excess := sum(whole) - MEAN * count) != 0:
        step = -1 if excess > 0 else 1
        if SHORTEST <= whole[i % count] + step <= LONGEST:
            whole[i % count] += step
        i += 1
    return [text(length, seed=1 + number) for number, length in enumerate(whole)]


def batches(texts: Sequence[Text], size: int) -> list[list[Text]]:
    """Texts sorted by length, `size` per batch: minimal padding for engines that pad."""
    ordered = sorted(texts, key=len)
    return [ordered[i : i + size] for i in range(0, len(ordered), size)]
