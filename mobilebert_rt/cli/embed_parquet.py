"""Write the vectors of a Parquet file's texts to a folder of Parquet files, with the source's other columns.

The folder gets one file for each 16,384 rows of a row group, and `_SUCCESS` at the end. Killed at any moment, the
command goes on where it was when it is run again. One row group is in memory at a time. Needs the library pyarrow.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any

from mobilebert_rt.cli import options, output
from mobilebert_rt.cli.command import Arguments, Command


def run(args: argparse.Namespace) -> int:
    from mobilebert_rt.parquet import embed_parquet  # noqa: PLC0415 - imports numpy and the tasks
    from mobilebert_rt.text import TextEmbedder  # noqa: PLC0415

    chosen: dict[str, Any] = {
        "on_overflow": args.on_overflow,
        "max_length": args.max_length,
        "prompt_name": args.prompt_name,
        "truncate_dim": args.truncate_dim,
    }
    embedder = TextEmbedder.from_pretrained(args.model, **options.model_options(args), **chosen)
    progress = False if args.quiet else None
    began = time.monotonic()
    keep = None if args.keep is None else [name for name in args.keep.split(",") if name]
    done = embed_parquet(embedder, args.parquet, args.out, column=args.column, keep=keep, progress=progress)
    seconds = time.monotonic() - began
    if args.json:
        report = {"out": args.out, "texts": done.texts, "made": done.made, "nulls": done.nulls}
        output.write_json(report | {"seconds": round(seconds, 3)})
    else:
        rate = f", {done.made / seconds:,.0f} texts/s" if done.made > 0 else ""
        earlier = f", {done.texts - done.made:,} of them before" if done.made < done.texts else ""
        print(f"mbrt: {args.out}: {done.texts:,} texts{earlier}{rate}", file=sys.stderr)
    return 0


ARGUMENTS: Arguments = {
    "--parquet": options.PATH | {"required": True, "help": "a Parquet file, or a folder of them"},
    "--out": options.PATH | {"required": True, "help": "the folder of the result, or one of an interrupted run"},
    "--column": {"metavar": "NAME", "default": "text", "help": "the column of the texts (default: text)"},
    "--keep": {"metavar": "LIST", "help": "other columns to copy, such as id,url (default: all)"},
    "--on-overflow": {
        "choices": ("truncate", "error", "stride"),
        "default": "truncate",
        "help": "what happens to a text of more than --max-length tokens (default: truncate)",
    },
    "--max-length": options.COUNT | {"help": "tokens of a text (default: what the model says)"},
    "--prompt-name": {"metavar": "NAME", "help": "one of the model's prompts, such as document"},
    "--truncate-dim": options.COUNT | {"help": "keep the first N dimensions only"},
}
COMMAND = Command(
    __doc__,
    'one JSON object: {"out", "texts", "made", "nulls", "seconds"}; made: texts of this run',
    (
        "mbrt embed default --parquet documents.parquet --out vectors",
        "mbrt embed minilm.safetensors --parquet documents --out vectors --column body --keep id,url --threads 8",
    ),
    options.MODEL | ARGUMENTS | options.LOADING | options.QUIET,
    run,
)
