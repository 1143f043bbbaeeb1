"""Times the C++ tokenizer beside the `tokenizers` library, one thread each, turn by turn on the same texts.

    python benchmarks/micro/against_tokenizers.py build/release/tests/tokenize tokenizer.json texts.txt [--json FILE]

Both give ids without offsets (`encode_batch_fast` is the library's fastest call). Each turn is one pass over all lines
after one that is not counted; the ratio of the medians is the result. The numbers of tokens must agree.
"""

from __future__ import annotations

import argparse
import json
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
    """Prints a table; --json writes every figure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("program", type=Path)
    parser.add_argument("tokenizer", type=Path)
    parser.add_argument("texts", type=Path, help="one text a line, or JSON lines with `text`")
    parser.add_argument("--lines", type=int, default=20000)
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    texts = read(asked.texts, asked.lines)
    library = tokenizers.Tokenizer.from_file(str(asked.tokenizer))
    library.no_truncation()
    library.no_padding()
    packed = b"".join(map(pack, texts))
    figures: dict[str, list[float]] = {"csrc/text": [], "tokenizers": []}
    for _ in range(asked.turns):
        own, own_tokens = native(asked.program, asked.tokenizer, packed)
        theirs, their_tokens = by_library(library, texts)
        assert own_tokens == their_tokens, "they disagree: this is no comparison"
        figures["csrc/text"].append(own)
        figures["tokenizers"].append(theirs)
    size = sum(len(text.encode()) for text in texts)
    medians = {name: statistics.median(seconds) for name, seconds in figures.items()}
    print(f"{len(texts):,} lines, {size:,} bytes, {own_tokens:,} tokens; medians of {asked.turns} turns")
    for name, seconds in medians.items():
        print(f"{name:<12} {1e6 * seconds / len(texts):8.2f} us a line {size / seconds / 1e6:8.1f} MB/s")
    ratio = medians["tokenizers"] / medians["csrc/text"]
    print(f"ratio {ratio:.1f}")
    if asked.json:
        report = {"lines": len(texts), "bytes": size, "tokens": own_tokens, "seconds": figures, "ratio": ratio}
        asked.json.write_text(json.dumps(report, indent=1))


def read(file: Path, most: int) -> list[str]:
    """The first lines of the file."""
    with file.open(encoding="utf-8") as lines:
        raw = [line.rstrip("\n") for line, _ in zip(lines, range(most), strict=False)]
    return [str(json.loads(line)["text"]) if line.startswith("{") else line for line in raw]


def pack(text: str) -> bytes:
    """A text as tests/text/tokenize.cc reads it."""
    return struct.pack("<3I", 0, len(text.encode()), 0xFFFFFFFF) + text.encode()


def native(program: Path, tokenizer: Path, packed: bytes) -> tuple[float, int]:
    """(seconds, tokens) of the second of two passes."""
    command = [str(program), "time", str(tokenizer), "2"]
    spent, tokens = subprocess.run(command, input=packed, capture_output=True, check=True).stdout.split()[2:]
    return int(spent) / 1e9, int(tokens)


def by_library(library: tokenizers.Tokenizer, texts: list[str]) -> tuple[float, int]:
    """The same by the library."""
    library.encode_batch_fast(texts)
    begin = time.perf_counter()
    encodings = library.encode_batch_fast(texts)
    seconds = time.perf_counter() - begin
    return seconds, sum(len(encoding) for encoding in encodings)


if __name__ == "__main__":
    main()
