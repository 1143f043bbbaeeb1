"""Download a model from the Hugging Face Hub: safetensors weights, configuration and tokenizer, nothing else.

Prints its folder, which every command takes as MODEL; the resolved revision goes to standard error. A second call
downloads what has changed. HF_HOME, HF_HUB_OFFLINE and HF_ENDPOINT apply. Needs the library huggingface_hub.
"""

from __future__ import annotations

import argparse
import sys

from mobilebert_rt.cli import options, output
from mobilebert_rt.cli.command import Arguments, Command
from mobilebert_rt.hub import fetch


def run(args: argparse.Namespace) -> int:
    found = fetch(args.name, args.revision, progress=not args.quiet)
    if args.json:
        output.write_json({"name": args.name, "commit": found.commit, "folder": found.folder})
    else:
        print(f"{args.name}: revision {found.commit}", file=sys.stderr)
        print(found.folder)
    return 0


ARGUMENTS: Arguments = {
    "name": {"metavar": "NAME", "help": "the model, such as google/mobilebert-uncased"},
    "--revision": {"metavar": "R", "help": "a branch, a tag or a commit hash (default: main)"},
}
COMMAND = Command(
    __doc__,
    'one JSON object: {"name", "commit", "folder"}',
    (
        "mbrt download sentence-transformers/all-MiniLM-L6-v2",
        'mbrt convert "$(mbrt download sentence-transformers/all-MiniLM-L6-v2)" minilm.safetensors',
    ),
    ARGUMENTS | options.QUIET,
    run,
)
