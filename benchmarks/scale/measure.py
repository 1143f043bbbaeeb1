"""Documents per second on one core."""

from __future__ import annotations

import random
import re
import statistics
import time

from mobilebert_rt import TextEmbedder
from scripts.common import REPOSITORY

TOKENS_OF_A_CALL = 32_768
ROUNDS = 5


def make_documents(embedder: TextEmbedder, tokens: int, count: int) -> list[str]:
    """Texts of exactly `tokens` tokens, special tokens included, of words from this project's documentation."""
    pages = sorted((REPOSITORY / "docs").glob("*.md"))
    words = sorted({word for page in pages for word in re.findall(r"[a-z]{2,}", page.read_text(encoding="utf-8"))})
    pieces = {word: number - 2 for word, number in zip(words, embedder.count_tokens(words), strict=True)}
    short = [word for word in words if pieces[word] == 1]
    chosen = random.Random(tokens)
    documents = []
    for _ in range(count):
        found: list[str] = []
        left = tokens - 2
        while left > 0:
            word = chosen.choice(words)
            word = word if pieces[word] <= left else chosen.choice(short)
            found.append(word)
            left -= pieces[word]
        documents.append(" ".join(found))
    return documents


def documents_per_second(embedder: TextEmbedder, tokens: int) -> list[float]:
    """Of each round, tokenization included; seconds of processor time. embedder: with one thread."""
    documents = make_documents(embedder, tokens, max(1, TOKENS_OF_A_CALL // tokens))
    embedder(documents, progress=False)
    rates = []
    for _ in range(ROUNDS):
        begin = time.process_time()
        embedder(documents, progress=False)
        rates.append(len(documents) / (time.process_time() - begin))
    return rates


def summary(rates: list[float]) -> tuple[float, float]:
    """Median, and half the interquartile range."""
    low, middle, high = statistics.quantiles(rates, n=4)
    return middle, (high - low) / 2
