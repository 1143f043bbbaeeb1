"""The command line `mbrt-train`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mbrt_train.cli_tuning import add_evaluate, add_export, add_finetune
from mbrt_train.cli_vectors import add_agreement, add_vectors
from mbrt_train.commands import Commands, Run, add_command, add_reading, interrupted, one_line_warnings, parse_seeds
from mbrt_train.errors import TrainingError
from mobilebert_rt.errors import MobileBertError

if TYPE_CHECKING:
    from mbrt_train.tuning.evaluate import Exam

EXIT_ERROR = 2
EXIT_INTERRUPTED = 130

OVERVIEW = """Distil, fine-tune and export models of the MobileBERT family. Nothing is ever downloaded.

From text to a model for the engine:
  mbrt-train prepare books/ --tokenizer ./minilm --out corpus
  mbrt-train train minilm --corpus corpus --teacher ./minilm --out run
  mbrt-train export run model --corpus corpus

On several machines, with torchrun or accelerate launch:
  torchrun --nnodes 8 --nproc-per-node 8 ... -m mbrt_train.cli train paper_student --corpus ... --out ...
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command. Returns 0, 2 (error, printed on standard error) or 130 (interrupted)."""
    parser = argparse.ArgumentParser(
        prog="mbrt-train",
        description=OVERVIEW,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for add in (
        _recipes,
        _prepare,
        add_vectors,
        _train,
        add_agreement,
        _ablation,
        add_finetune,
        add_evaluate,
        add_export,
    ):
        add(commands)
    args = parser.parse_args(argv)
    run: Run = args.run
    try:
        with one_line_warnings():
            return run(args)
    except KeyboardInterrupt:
        print(f"mbrt-train: {interrupted(args)}", file=sys.stderr)
        return EXIT_INTERRUPTED
    except (TrainingError, MobileBertError, OSError) as error:
        print(f"mbrt-train: {error}", file=sys.stderr)
        return EXIT_ERROR


def _recipes(commands: Commands[argparse.ArgumentParser]) -> None:
    text = "Without NAME, lists the shipped recipes. With NAME, prints the recipe's file and its stages."
    parser = add_command(commands, "recipes", "list the shipped recipes, or show one", text, _run_recipes)
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
    text = """Sources are .txt (blank lines between documents; with --lines each line is one), .jsonl and .parquet (a
column of text), or folders. The result is a folder of memory-mapped shards and the tokenizer. Tokens are masked anew in
every epoch.

  mbrt-train prepare wiki.parquet books/ --tokenizer ./bert-base-uncased --max-tokens 512 --out corpus
  mbrt-train prepare zeitung.jsonl --field body --new-vocabulary 30000 --cased --out corpus"""
    parser = add_command(commands, "prepare", "convert text to a corpus", text, _run_prepare)
    add_reading(parser)
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="folder of the corpus; must not exist")
    given = parser.add_mutually_exclusive_group(required=True)
    given.add_argument("--tokenizer", type=Path, metavar="DIR", help="folder with tokenizer.json or vocab.txt")
    given.add_argument("--new-vocabulary", type=int, metavar="N", help="learn a WordPiece vocabulary of N pieces")
    parser.add_argument("--cased", action="store_true", help="keep upper case in a new vocabulary")
    parser.add_argument(
        "--max-tokens", type=int, default=128, metavar="N", help="maximum tokens per segment (default: 128)"
    )
    parser.add_argument(
        "--short",
        type=float,
        default=0.1,
        metavar="P",
        help="share of segments with a random smaller size (default: 0.1)",
    )
    parser.add_argument(
        "--whole", action="store_true", help="each document is one segment, cut to --max-tokens; for --teacher-vectors"
    )
    parser.add_argument(
        "--heldout",
        type=float,
        default=0.01,
        metavar="P",
        help="share of documents held out for evaluation (default: 0.01)",
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quiet", action="store_true", help="no progress on standard error")


def _run_prepare(args: argparse.Namespace) -> int:
    from mbrt_train.data.corpus import read_manifest  # noqa: PLC0415
    from mbrt_train.data.prepare import Preparation, prepare  # noqa: PLC0415
    from mbrt_train.data.texts import Reading  # noqa: PLC0415

    options = Preparation(
        tokenizer=args.tokenizer,
        new_vocabulary=args.new_vocabulary,
        lower_case=not args.cased,
        max_tokens=args.max_tokens,
        short=args.short,
        whole=args.whole,
        heldout=args.heldout,
        reading=Reading(args.field, args.lines, args.encoding),
        seed=args.seed,
    )
    prepare(args.sources, args.out, options, quiet=args.quiet)
    m = read_manifest(args.out)
    print(
        f"{args.out}: {m['documents']:,} documents, {m['segments']['train']:,} segments and {m['tokens']['train']:,} "
        f"tokens for training, {m['segments']['heldout']:,} segments held out, {m['vocab_size']:,} pieces"
    )
    return 0


def _train(commands: Commands[argparse.ArgumentParser]) -> None:
    text = """RECIPE is a file or the name of a shipped recipe (`mbrt-train recipes`). The same command resumes an
interrupted run, with the same results. A different configuration for an existing run is refused.

  mbrt-train train test_teacher --corpus corpus --out teacher_run
  mbrt-train train minilm --corpus corpus --teacher ./minilm --out run --stop-after 30
  torchrun --nproc-per-node 8 -m mbrt_train.cli train paper_student --corpus corpus --teacher ./ib-bert --out run"""
    parser = add_command(
        commands, "train", "pre-train a teacher or distil a student", text, _run_train, checkpoints=Path
    )
    parser.add_argument("recipe", metavar="RECIPE")
    parser.add_argument("--corpus", required=True, type=Path, metavar="DIR", help="from `mbrt-train prepare`")
    parser.add_argument(
        "--out", required=True, type=Path, metavar="DIR", help="folder of the run: checkpoints and logs"
    )
    parser.add_argument("--teacher", type=Path, metavar="DIR", help="Hugging Face folder of a BERT or (IB-)MobileBERT")
    parser.add_argument(
        "--teacher-vectors",
        type=Path,
        metavar="FILE",
        help='from `mbrt-train vectors`, for recipes with objective = "vectors"; --teacher is then optional and only '
        "initialises the embeddings",
    )
    # Not --start: torchrun would take it as an abbreviation of its own --start-method.
    parser.add_argument(
        "--from", dest="start", type=Path, metavar="DIR", help="run whose last weights the student is initialised with"
    )
    parser.add_argument(
        "--evaluate",
        metavar="TASK:FILE",
        help="log the metrics of sentence similarity with every checkpoint, such as STS-B:dev.csv",
    )
    parser.add_argument("--stop-after", type=float, metavar="MIN", help="write a checkpoint and stop after MIN minutes")
    parser.add_argument("--quiet", action="store_true", help="no progress on standard error")


def _run_train(args: argparse.Namespace) -> int:
    from mbrt_train.recipes import load_recipe  # noqa: PLC0415
    from mbrt_train.run import Request, train  # noqa: PLC0415

    seconds = None if args.stop_after is None else 60 * args.stop_after
    recipe = load_recipe(args.recipe)
    exam = None if args.evaluate is None else _exam(args.evaluate, recipe.data.max_length)
    request = Request(
        recipe,
        args.corpus,
        args.out,
        args.teacher,
        args.start,
        stop_after=seconds,
        quiet=args.quiet,
        exam=exam,
        vectors=args.teacher_vectors,
    )
    position = train(request)
    total = sum(stage.steps for stage in recipe.stages())
    print(f"{args.out}: step {position.step:,} of {total:,}")
    return 0


def _exam(text: str, max_length: int) -> Exam:
    from mbrt_train.tuning.evaluate import Exam  # noqa: PLC0415
    from mbrt_train.tuning.names import task_by_name  # noqa: PLC0415

    name, colon, file = text.partition(":")
    if name.lower() not in ("sts-b", "similarity") or not colon:
        raise TrainingError(
            f"--evaluate is {text!r}; expected STS-B:FILE: a model in training has sentence vectors and no task's head."
        )
    return Exam(task_by_name("similarity"), Path(file), max_length)


def _ablation(commands: Commands[argparse.ArgumentParser]) -> None:
    text = """Trains the paper's three strategies, and the recipe without each of its losses, with the same number of
steps and several seeds, and grades them on sentence pairs that are not in the training data. RECIPE must train
sentence vectors. The same command resumes after an interruption.

  mbrt-train ablation minilm --corpus corpus --teacher ./minilm --data dev.csv --steps 150 --out ablation"""
    parser = add_command(commands, "ablation", "compare strategies and losses", text, _run_ablation, resumes=True)
    parser.add_argument("recipe", metavar="RECIPE")
    parser.add_argument("--corpus", required=True, type=Path, metavar="DIR", help="from `mbrt-train prepare`")
    parser.add_argument("--teacher", required=True, type=Path, metavar="DIR")
    parser.add_argument(
        "--data", required=True, type=Path, metavar="FILE", help="sentence pairs with scores, in STS-B's format"
    )
    parser.add_argument("--steps", required=True, type=int, metavar="N", help="steps of each run")
    parser.add_argument("--seeds", default="0,1,2", metavar="LIST", help="comma-separated seeds (default: 0,1,2)")
    parser.add_argument(
        "--out", required=True, type=Path, metavar="DIR", help="folder for the runs, table.md and grades.json"
    )
    parser.add_argument("--plot", action="store_true", help="write grades.svg as well; requires matplotlib")


def _run_ablation(args: argparse.Namespace) -> int:
    from mbrt_train import ablation  # noqa: PLC0415
    from mbrt_train.recipes import load_recipe  # noqa: PLC0415
    from mbrt_train.tuning.evaluate import Exam  # noqa: PLC0415
    from mbrt_train.tuning.names import task_by_name  # noqa: PLC0415

    exam = Exam(task_by_name("similarity"), args.data)
    seeds = parse_seeds(args.seeds)
    job = ablation.Ablation(load_recipe(args.recipe), args.corpus, args.teacher, exam, args.steps, seeds)
    grades = ablation.run(job, args.out, print)
    (args.out / "grades.json").write_text(json.dumps(grades, indent=2) + "\n")
    (args.out / "table.md").write_text(ablation.table(grades, seeds))
    if args.plot:
        ablation.plot(grades, exam.task.main_metric, args.out / "grades.svg")
    print(f"\n{ablation.table(grades, seeds)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
