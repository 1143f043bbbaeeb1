"""The command line `mbrt-train`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from mbrt_train.errors import TrainingError

Run = Callable[[argparse.Namespace], int]
EXIT_ERROR = 2
EXIT_INTERRUPTED = 130

OVERVIEW = """Distil, fine-tune and export models of the MobileBERT family. Nothing is ever downloaded.

From text to the engine:
  mbrt-train prepare books/ --tokenizer ./minilm --out corpus
  mbrt-train train minilm --corpus corpus --teacher ./minilm --out run
  mbrt-train export run model --corpus corpus

On many machines, under torchrun or accelerate launch:
  torchrun --nnodes 8 --nproc-per-node 8 ... -m mbrt_train.cli train paper_student --corpus ... --out ...
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command. Returns 0, 1 (a check that failed) or 2 (an error, told on standard error)."""
    parser = argparse.ArgumentParser(
        prog="mbrt-train",
        description=OVERVIEW,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for add in (_recipes, _prepare, _train, _export):
        add(commands)
    args = parser.parse_args(argv)
    run: Run = args.run
    try:
        return run(args)
    except KeyboardInterrupt:
        print("mbrt-train: interrupted; the same command goes on from the last checkpoint", file=sys.stderr)
        return EXIT_INTERRUPTED
    except (TrainingError, OSError) as error:
        print(f"mbrt-train: {error}", file=sys.stderr)
        return EXIT_ERROR


Commands = argparse._SubParsersAction  # the type has no public name


def _command(
    commands: Commands[argparse.ArgumentParser], name: str, summary: str, text: str, run: Run
) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.\n\n{text}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(run=run)
    return parser


def _recipes(commands: Commands[argparse.ArgumentParser]) -> None:
    text = "Without NAME: the shipped recipes. With it: its file, to be copied and changed, and what it will do."
    parser = _command(commands, "recipes", "list the shipped recipes, or show one", text, _run_recipes)
    parser.add_argument("name", nargs="?", metavar="NAME", help="a shipped recipe, or a file")


def _run_recipes(args: argparse.Namespace) -> int:
    from mbrt_train.recipes import load_recipe, shipped  # noqa: PLC0415

    if args.name is None:
        for name in shipped():
            print(f"{name:<16}{load_recipe(name).title}")
        return 0
    recipe = load_recipe(args.name)
    print((shipped().get(args.name) or Path(args.name)).read_text())
    for stage in recipe.stages():
        print(f"# {stage.name}: {stage.steps:,} steps, learning rate {stage.learning_rate:g}")
    return 0


def _prepare(commands: Commands[argparse.ArgumentParser]) -> None:
    text = """Sources are .txt (blank lines between documents), .jsonl and .parquet (a column of text), or folders.
The result is a folder of memory-mapped shards with the tokenizer beside them; masks are drawn anew in every epoch.

  mbrt-train prepare wiki.parquet books/ --tokenizer ./bert-base-uncased --max-tokens 512 --out corpus
  mbrt-train prepare zeitung.jsonl --field body --new-vocabulary 30000 --cased --out corpus"""
    parser = _command(commands, "prepare", "turn text into a corpus", text, _run_prepare)
    parser.add_argument("sources", nargs="+", metavar="SOURCE", type=Path)
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="the corpus; must not exist")
    given = parser.add_mutually_exclusive_group(required=True)
    given.add_argument("--tokenizer", type=Path, metavar="DIR", help="folder with tokenizer.json or vocab.txt")
    given.add_argument("--new-vocabulary", type=int, metavar="N", help="learn a WordPiece vocabulary of N pieces")
    parser.add_argument("--cased", action="store_true", help="a new vocabulary keeps upper case")
    parser.add_argument("--max-tokens", type=int, default=128, metavar="N", help="of a segment (default: 128)")
    parser.add_argument("--short", type=float, default=0.1, metavar="P", help="share of shorter segments (0.1)")
    parser.add_argument("--heldout", type=float, default=0.01, metavar="P", help="share of documents kept back (0.01)")
    parser.add_argument("--field", default="text", help="column of .jsonl and .parquet (default: text)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quiet", action="store_true", help="no progress bar")


def _run_prepare(args: argparse.Namespace) -> int:
    from mbrt_train.data.corpus import read_manifest  # noqa: PLC0415
    from mbrt_train.data.prepare import Preparation, prepare  # noqa: PLC0415

    options = Preparation(
        tokenizer=args.tokenizer,
        new_vocabulary=args.new_vocabulary,
        lower_case=not args.cased,
        max_tokens=args.max_tokens,
        short=args.short,
        heldout=args.heldout,
        field=args.field,
        seed=args.seed,
    )
    prepare(args.sources, args.out, options, quiet=args.quiet)
    m = read_manifest(args.out)
    print(
        f"{args.out}: {m['documents']:,} documents, {m['segments']['train']:,} segments and {m['tokens']['train']:,} "
        f"tokens to train on, {m['segments']['heldout']:,} segments held out, {m['vocab_size']:,} pieces"
    )
    return 0


def _train(commands: Commands[argparse.ArgumentParser]) -> None:
    text = """RECIPE is a file or a shipped name (`mbrt-train recipes`). The same command goes on with a run that was
interrupted, killed or stopped, to the same numbers. A recipe with another configuration is refused.

  mbrt-train train test_teacher --corpus corpus --out teacher_run
  mbrt-train train minilm --corpus corpus --teacher ./minilm --out run --stop-after 30
  torchrun --nproc-per-node 8 -m mbrt_train.cli train paper_student --corpus corpus --teacher ./ib-bert --out run"""
    parser = _command(commands, "train", "pre-train a teacher or distil a student", text, _run_train)
    parser.add_argument("recipe", metavar="RECIPE")
    parser.add_argument("--corpus", required=True, type=Path, metavar="DIR", help="from `mbrt-train prepare`")
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="the run: checkpoints and logs")
    parser.add_argument("--teacher", type=Path, metavar="DIR", help="Hugging Face folder of a BERT or (IB-)MobileBERT")
    parser.add_argument("--stop-after", type=float, metavar="MIN", help="minutes, then a checkpoint and the end")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")


def _run_train(args: argparse.Namespace) -> int:
    from mbrt_train.recipes import load_recipe  # noqa: PLC0415
    from mbrt_train.run import Request, train  # noqa: PLC0415

    seconds = None if args.stop_after is None else 60 * args.stop_after
    recipe = load_recipe(args.recipe)
    position = train(Request(recipe, args.corpus, args.out, args.teacher, seconds, args.quiet))
    total = sum(stage.steps for stage in recipe.stages())
    print(f"{args.out}: step {position.step:,} of {total:,}")
    return 0


def _export(commands: Commands[argparse.ArgumentParser]) -> None:
    text = """RUN is a folder of `train` (its newest whole checkpoint counts) or of `finetune`. OUT gets a Hugging Face
folder and the engine's int8 file beside it, after both engines, fp32 and int8, were run on held-out text and compared
with PyTorch. A model that does not match is not written.

  mbrt-train export run ./my-mobilebert --corpus corpus
  mbrt-train export sst2 ./my-sst2 --texts dev.txt"""
    parser = _command(commands, "export", "write a model for the engine, and prove that it matches", text, _run_export)
    parser.add_argument("run_folder", metavar="RUN", type=Path)
    parser.add_argument("out", metavar="OUT", type=Path, help="must not exist")
    given = parser.add_mutually_exclusive_group(required=True)
    given.add_argument("--corpus", type=Path, metavar="DIR", help="compare on its held-out text")
    given.add_argument("--texts", type=Path, metavar="FILE", help="compare on the lines of a file")
    parser.add_argument("--tolerance", type=float, default=1e-5, metavar="E", help="fp32: worst relative error (1e-5)")
    parser.add_argument("--cosine", type=float, default=0.95, metavar="C", help="int8: least mean cosine (0.95)")
    parser.add_argument("--agreement", type=float, default=0.9, metavar="P", help="int8: least agreement (0.9)")


def _run_export(args: argparse.Namespace) -> int:
    from mbrt_train.export import Bars, export  # noqa: PLC0415

    texts = [] if args.texts is None else [line for line in args.texts.read_text().splitlines() if line.strip()]
    if args.texts is not None and not texts:
        raise TrainingError(f"{args.texts} has no text to compare on.")
    bars = Bars(args.tolerance, args.cosine, args.agreement)
    for report in export(args.run_folder, args.out, args.corpus, texts, bars):
        print(f"{report}\n")
    print(f"{args.out} written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
