"""Write a Hugging Face folder as one model file: configuration, packed weights, tokenizer and labels.

The file is mapped, not read, so it loads at once; it gives the same results on every CPU.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from mobilebert_rt import _core
from mobilebert_rt.cli import options, output
from mobilebert_rt.cli.command import Arguments, Command
from mobilebert_rt.conversion import convert
from mobilebert_rt.errors import InputError
from mobilebert_rt.model import Model
from mobilebert_rt.text.progress import progress_bar


def run(args: argparse.Namespace) -> int:
    source, target = Path(args.source), Path(args.target)
    if not source.is_dir():
        raise InputError(f"{source}: found no folder; expected one with config.json and model.safetensors.")
    if target.exists() and not args.force:
        raise InputError(f"{target}: exists already. --force replaces it.")
    with progress_bar(None, False if args.quiet else None, unit="steps") as bar:
        show_step = None if bar is None else lambda what, done, total: bar.update()
        convert(source, target, precision=args.precision, force=args.force, progress=show_step)
    size = target.stat().st_size
    metadata = dict(Model.from_pretrained(target).metadata)
    has_tokenizer = "tokenizer.json" in metadata or "vocab.txt" in metadata
    problem = _core.tasks.native_tokenizer_problem(metadata) if has_tokenizer else None
    if args.json:
        report = {"source": str(source), "target": str(target), "precision": args.precision, "bytes": size}
        output.write_json(report | {"native_text_problem": problem})
    else:
        print(f"{target}: {args.precision}, {output.megabytes(size)}")
        if problem is not None:
            print(f"Native programs run this file with token ids only. {problem}")
    return 0


ARGUMENTS: Arguments = {
    "source": {"metavar": "SOURCE", "help": "folder with config.json, model.safetensors, tokenizer"},
    "target": {"metavar": "TARGET", "help": "the file to write, such as model.safetensors"},
    "--precision": {"choices": ("int8", "fp32"), "default": "int8", "help": "of the weights (default: int8)"},
    "--force": options.FLAG | {"help": "replace TARGET if it exists"},
}
COMMAND = Command(
    __doc__,
    'one JSON object: {"source", "target", "precision", "bytes", "native_text_problem"}, the last null or why native '
    "programs cannot read its tokenizer",
    ("mbrt convert ./mobilebert-sst2 sst2.safetensors", "mbrt inspect sst2.safetensors"),
    ARGUMENTS | options.QUIET,
    run,
)
