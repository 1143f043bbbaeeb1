"""Compares the speed of the C++ tokenizer with the `tokenizers` library: one thread each, runs interleaved.

    python benchmarks/micro/tokenizer.py build/editable/tests/tokenize tokenizer.json texts.txt

texts.txt: a text per line; the first 20,000 are used. Both give ids without offsets (`encode_batch_fast`, the library's
fastest call). Every run encodes all lines twice and times the second pass. The ratio of the medians is the result; the
numbers of tokens must be equal.
"""

from __future__ import annotations

import os
import statistics
import struct
import subprocess
import sys
import time
from pathlib import Path

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"

import tokenizers

RUNS = 7


def main(program: str, tokenizer: str, file: str) -> None:
    texts = Path(file).read_text(encoding="utf-8").split("\n")[:20_000]
    library = tokenizers.Tokenizer.from_file(tokenizer)
    library.no_truncation()
    library.no_padding()
    runs = []
    for _ in range(RUNS):
        (ours, our_tokens), (theirs, their_tokens) = run_native(program, tokenizer, texts), run_library(library, texts)
        assert our_tokens == their_tokens, f"the tokenizers differ: {our_tokens} and {their_tokens} tokens"
        runs.append((ours, theirs))
    ours, theirs = (statistics.median(times) for times in zip(*runs, strict=True))
    print(f"{len(texts):,} lines, {our_tokens:,} tokens; medians of {RUNS} runs, us per line:")
    for name, seconds in (("csrc/text", ours), ("tokenizers", theirs)):
        print(f"{name:<12} {1e6 * seconds / len(texts):8.2f}")
    print(f"ratio {theirs / ours:.1f}")


def run_native(program: str, tokenizer: str, texts: list[str]) -> tuple[float, int]:
    """(seconds, tokens) of the second of two passes, in the format of tests/text/tokenize.cc."""
    packed = b"".join(struct.pack("<2I", len(text.encode()), 0xFFFFFFFF) + text.encode() for text in texts)
    command = [program, "time", tokenizer, "2"]
    nanoseconds, tokens = subprocess.run(command, input=packed, capture_output=True, check=True).stdout.split()[2:]
    return int(nanoseconds) / 1e9, int(tokens)


def run_library(library: tokenizers.Tokenizer, texts: list[str]) -> tuple[float, int]:
    library.encode_batch_fast(texts)
    begin = time.perf_counter()
    encodings = library.encode_batch_fast(texts)
    seconds = time.perf_counter() - begin
    return seconds, sum(len(encoding) for encoding in encodings)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
