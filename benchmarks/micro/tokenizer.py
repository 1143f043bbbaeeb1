"""Compares the speed of the C++ tokenizer with the `tokenizers` library: one thread each, runs interleaved.

    python benchmarks/micro/tokenizer.py build/editable/tests/tokenize tokenizer.json texts.txt

Both give ids without offsets (`encode_batch_fast`, the library's fastest call). Every run encodes all lines twice and
times the second pass. The ratio of the medians is the result; the numbers of tokens must be equal.
"""

from __future__ import annotations

import argparse
import os
import statistics
import struct
import subprocess
import time
from pathlib import Path

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"

import tokenizers


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=Path, help="the built tests/tokenize")
    parser.add_argument("tokenizer", type=Path, help="tokenizer.json")
    parser.add_argument("texts", type=Path, help="a text per line; the first 20,000 are used")
    parser.add_argument("--runs", type=int, default=7, help="of each (7)")
    options = parser.parse_args()
    texts = options.texts.read_text(encoding="utf-8").split("\n")[:20_000]
    library = tokenizers.Tokenizer.from_file(str(options.tokenizer))
    library.no_truncation()
    library.no_padding()
    seconds: dict[str, list[float]] = {"csrc/text": [], "tokenizers": []}
    for _ in range(options.runs):
        ours, our_tokens = run_native(options.program, options.tokenizer, texts)
        theirs, their_tokens = run_library(library, texts)
        assert our_tokens == their_tokens, f"the tokenizers differ: {our_tokens} and {their_tokens} tokens"
        seconds["csrc/text"].append(ours)
        seconds["tokenizers"].append(theirs)
    size = sum(len(text.encode()) for text in texts)
    medians = {name: statistics.median(found) for name, found in seconds.items()}
    print(f"{len(texts):,} lines, {size:,} bytes, {our_tokens:,} tokens; medians of {options.runs} runs")
    for name, median in medians.items():
        print(f"{name:<12} {1e6 * median / len(texts):8.2f} us per line {size / median / 1e6:8.1f} MB/s")
    print(f"ratio {medians['tokenizers'] / medians['csrc/text']:.1f}")


def run_native(program: Path, tokenizer: Path, texts: list[str]) -> tuple[float, int]:
    """(seconds, tokens) of the second of two passes, in the format of tests/text/tokenize.cc."""
    packed = b"".join(struct.pack("<3I", 0, len(text.encode()), 0xFFFFFFFF) + text.encode() for text in texts)
    command = [str(program), "time", str(tokenizer), "2"]
    nanoseconds, tokens = subprocess.run(command, input=packed, capture_output=True, check=True).stdout.split()[2:]
    return int(nanoseconds) / 1e9, int(tokens)


def run_library(library: tokenizers.Tokenizer, texts: list[str]) -> tuple[float, int]:
    library.encode_batch_fast(texts)
    begin = time.perf_counter()
    encodings = library.encode_batch_fast(texts)
    seconds = time.perf_counter() - begin
    return seconds, sum(len(encoding) for encoding in encodings)


if __name__ == "__main__":
    main()
