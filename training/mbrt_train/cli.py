"""The command line `mbrt-train`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from mbrt_train.errors import TrainingError
from mobilebert_rt.errors import MobileBertError

Run = Callable[[argparse.Namespace], int]
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
    for add in (_recipes, _prepare, _train, _ablation, _finetune, _evaluate, _export):
        add(commands)
    args = parser.parse_args(argv)
    run: Run = args.run
    try:
        return run(args)
    except KeyboardInterrupt:
        print("mbrt-train: interrupted; run the same command again to resume from the last checkpoint", file=sys.stderr)
        return EXIT_INTERRUPTED
    except (TrainingError, MobileBertError, OSError) as error:
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
    text = "Without NAME, lists the shipped recipes. With NAME, prints the recipe's file and its stages."
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
The result is a folder of memory-mapped shards and the tokenizer. Tokens are masked anew in every epoch.

  mbrt-train prepare wiki.parquet books/ --tokenizer ./bert-base-uncased --max-tokens 512 --out corpus
  mbrt-train prepare zeitung.jsonl --field body --new-vocabulary 30000 --cased --out corpus"""
    parser = _command(commands, "prepare", "convert text to a corpus", text, _run_prepare)
    parser.add_argument("sources", nargs="+", metavar="SOURCE", type=Path)
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
        "--heldout",
        type=float,
        default=0.01,
        metavar="P",
        help="share of documents held out for evaluation (default: 0.01)",
    )
    parser.add_argument("--field", default="text", help="text column of .jsonl and .parquet (default: text)")
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
        f"tokens for training, {m['segments']['heldout']:,} segments held out, {m['vocab_size']:,} pieces"
    )
    return 0


def _train(commands: Commands[argparse.ArgumentParser]) -> None:
    text = """RECIPE is a file or the name of a shipped recipe (`mbrt-train recipes`). The same command resumes an
interrupted run, with the same results. A different configuration for an existing run is refused.

  mbrt-train train test_teacher --corpus corpus --out teacher_run
  mbrt-train train minilm --corpus corpus --teacher ./minilm --out run --stop-after 30
  torchrun --nproc-per-node 8 -m mbrt_train.cli train paper_student --corpus corpus --teacher ./ib-bert --out run"""
    parser = _command(commands, "train", "pre-train a teacher or distil a student", text, _run_train)
    parser.add_argument("recipe", metavar="RECIPE")
    parser.add_argument("--corpus", required=True, type=Path, metavar="DIR", help="from `mbrt-train prepare`")
    parser.add_argument(
        "--out", required=True, type=Path, metavar="DIR", help="folder of the run: checkpoints and logs"
    )
    parser.add_argument("--teacher", type=Path, metavar="DIR", help="Hugging Face folder of a BERT or (IB-)MobileBERT")
    # Not --start: torchrun would take it as an abbreviation of its own --start-method.
    parser.add_argument(
        "--from", dest="start", type=Path, metavar="DIR", help="run whose last weights the student is initialised with"
    )
    parser.add_argument("--stop-after", type=float, metavar="MIN", help="write a checkpoint and stop after MIN minutes")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")


def _run_train(args: argparse.Namespace) -> int:
    from mbrt_train.recipes import load_recipe  # noqa: PLC0415
    from mbrt_train.run import Request, train  # noqa: PLC0415

    seconds = None if args.stop_after is None else 60 * args.stop_after
    recipe = load_recipe(args.recipe)
    position = train(Request(recipe, args.corpus, args.out, args.teacher, args.start, seconds, args.quiet))
    total = sum(stage.steps for stage in recipe.stages())
    print(f"{args.out}: step {position.step:,} of {total:,}")
    return 0


def _ablation(commands: Commands[argparse.ArgumentParser]) -> None:
    text = """Trains the paper's three strategies, and the recipe without each of its losses, with the same number of
steps and several seeds, and grades them on sentence pairs that are not in the training data. RECIPE must train
sentence vectors. The same command resumes after an interruption.

  mbrt-train ablation minilm --corpus corpus --teacher ./minilm --data dev.csv --steps 150 --out ablation"""
    parser = _command(commands, "ablation", "compare strategies and losses", text, _run_ablation)
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
    from mbrt_train.tuning.finetune import task_by_name  # noqa: PLC0415

    exam = Exam(task_by_name("similarity"), args.data)
    seeds = _seeds(args.seeds)
    job = ablation.Ablation(load_recipe(args.recipe), args.corpus, args.teacher, exam, args.steps, seeds)
    grades = ablation.run(job, args.out, print)
    (args.out / "grades.json").write_text(json.dumps(grades, indent=2) + "\n")
    (args.out / "table.md").write_text(ablation.table(grades, seeds))
    if args.plot:
        ablation.plot(grades, exam.task.main_metric, args.out / "grades.svg")
    print(f"\n{ablation.table(grades, seeds)}")
    return 0


def _seeds(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(seed) for seed in text.split(","))
    except ValueError:
        raise TrainingError(f"--seeds is {text!r}; expected numbers such as 0,1,2.") from None


def _finetune(commands: Commands[argparse.ArgumentParser]) -> None:
    text = """TASK is CoLA, SST-2, MRPC, STS-B, QQP, MNLI, QNLI, RTE (TSV or CSV in GLUE's format), SQuAD (JSON, v1 or
v2) or similarity (STS-B's files; vectors are compared by cosine). One model is trained per seed. The best one on the
development file is written, with the mean and standard deviation of all seeds in results.json.

  mbrt-train finetune ./my-mobilebert --task SST-2 --train train.tsv --dev dev.tsv --out sst2 --seeds 0,1,2
  mbrt-train finetune ./my-mobilebert --task SQuAD --train train-v1.1.json --dev dev-v1.1.json --max-length 384 --out qa
  mbrt-train finetune ./my-mobilebert --task RTE --train train.tsv --dev dev.tsv --teacher ./bert-rte --out rte"""
    parser = _command(commands, "finetune", "fine-tune a model for a task", text, _run_finetune)
    parser.add_argument("model", metavar="MODEL", type=Path, help="Hugging Face folder, with its tokenizer")
    parser.add_argument("--task", required=True, metavar="TASK")
    parser.add_argument("--train", required=True, type=Path, metavar="FILE")
    parser.add_argument("--dev", type=Path, metavar="FILE", help="default: a share of --train is held out")
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="must not exist")
    parser.add_argument("--teacher", type=Path, metavar="DIR", help="distil from a model fine-tuned for the same task")
    parser.add_argument(
        "--alpha", type=float, default=0.5, metavar="A", help="weight of the true labels with --teacher (default: 0.5)"
    )
    parser.add_argument("--seeds", default="0", metavar="LIST", help="comma-separated seeds (default: 0)")
    parser.add_argument("--epochs", type=int, default=5, metavar="N", help="maximum number of epochs (default: 5)")
    parser.add_argument("--steps", type=int, default=0, metavar="N", help="maximum steps per seed (default: no limit)")
    parser.add_argument(
        "--patience", type=int, default=2, metavar="N", help="stop after N epochs without improvement (default: 2)"
    )
    parser.add_argument("--batch", type=int, default=32, metavar="N", help="batch size (default: 32)")
    parser.add_argument("--learning-rate", type=float, default=4e-5, metavar="R", help="peak rate (default: 4e-5)")
    parser.add_argument(
        "--max-length", type=int, default=128, metavar="N", help="maximum tokens per text (default: 128)"
    )
    parser.add_argument(
        "--dev-share", type=float, default=0.1, metavar="P", help="share held out without --dev (default: 0.1)"
    )
    parser.add_argument("--pooler", action="store_true", help="add a tanh pooler to a model without one")
    parser.add_argument("--quantised", action="store_true", help="train through the engine's int8 arithmetic")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")


def _run_finetune(args: argparse.Namespace) -> int:
    from mbrt_train.tuning.finetune import Job, Options, finetune, task_by_name  # noqa: PLC0415

    seeds = _seeds(args.seeds)
    names = ("epochs", "steps", "patience", "batch", "learning_rate", "max_length", "dev_share", "alpha", "pooler")
    options = Options(seeds=seeds, quantised=args.quantised, **{name: getattr(args, name) for name in names})
    task = task_by_name(args.task)
    job = Job(args.model, task, args.train, args.out, args.dev, args.teacher, options, args.quiet)
    result = finetune(job)
    for name, (mean, deviation) in result.mean_and_deviation().items():
        print(f"{task.name} {name}: {mean:.2f} +- {deviation:.2f} over {len(seeds)} seeds")
    print(f"{args.out}: the model of seed {result.kept}")
    return 0


def _evaluate(commands: Commands[argparse.ArgumentParser]) -> None:
    text = """MODEL is a folder, run by PyTorch, or a model file, run by the engine. Its folder has the tokenizer.

  mbrt-train evaluate ./sst2 --task SST-2 --data dev.tsv
  mbrt-train evaluate ./sst2-exported/model.int8.safetensors --task SST-2 --data dev.tsv"""
    parser = _command(commands, "evaluate", "compute a model's metrics in a task", text, _run_evaluate)
    parser.add_argument("model", metavar="MODEL", type=Path)
    parser.add_argument("--task", required=True, metavar="TASK", help="as for finetune")
    parser.add_argument("--data", required=True, type=Path, metavar="FILE")
    parser.add_argument(
        "--max-length", type=int, default=128, metavar="N", help="maximum tokens per text (default: 128)"
    )


def _run_evaluate(args: argparse.Namespace) -> int:
    from mbrt_train.tuning.evaluate import Exam, evaluate  # noqa: PLC0415
    from mbrt_train.tuning.finetune import task_by_name  # noqa: PLC0415

    exam = Exam(task_by_name(args.task), args.data, args.max_length)
    for name, value in evaluate(args.model, exam).items():
        print(f"{exam.task.name} {name}: {value:.2f}")
    return 0


def _export(commands: Commands[argparse.ArgumentParser]) -> None:
    text = """RUN is a folder of `train` (its newest valid checkpoint is used) or `finetune`. OUT is a Hugging Face
folder that also holds the engine's int8 file. Before it is written, the engine is run at fp32 and int8 on held-out text
and compared with PyTorch; a model that does not match is not written.

  mbrt-train export run ./my-mobilebert --corpus corpus
  mbrt-train export sst2 ./my-sst2 --texts dev.txt"""
    parser = _command(commands, "export", "write a model for the engine, after comparing both", text, _run_export)
    parser.add_argument("run_folder", metavar="RUN", type=Path)
    parser.add_argument("out", metavar="OUT", type=Path, help="must not exist")
    given = parser.add_mutually_exclusive_group(required=True)
    given.add_argument("--corpus", type=Path, metavar="DIR", help="compare on the corpus's held-out text")
    given.add_argument("--texts", type=Path, metavar="FILE", help="compare on the lines of a file")
    parser.add_argument("--task", metavar="TASK", help="compare the metrics of a task as well; requires --data")
    parser.add_argument("--data", type=Path, metavar="FILE", help="development file of --task")
    parser.add_argument(
        "--max-tokens",
        type=int,
        metavar="N",
        help="maximum tokens per text of a sentence-vector model (default: as trained)",
    )
    parser.add_argument(
        "--tolerance", type=float, default=1e-5, metavar="E", help="fp32: maximum relative error (default: 1e-5)"
    )
    parser.add_argument(
        "--cosine", type=float, default=0.95, metavar="C", help="int8: minimum mean cosine (default: 0.95)"
    )
    parser.add_argument(
        "--agreement", type=float, default=0.9, metavar="P", help="int8: minimum agreement (default: 0.9)"
    )


def _run_export(args: argparse.Namespace) -> int:
    from mbrt_train.export import Bars, export  # noqa: PLC0415
    from mbrt_train.tuning.evaluate import Exam  # noqa: PLC0415
    from mbrt_train.tuning.finetune import task_by_name  # noqa: PLC0415

    if (args.task is None) != (args.data is None):
        raise TrainingError("--task and --data must be given together.")
    exam = None if args.task is None else Exam(task_by_name(args.task), args.data)

    texts = [] if args.texts is None else [line for line in args.texts.read_text().splitlines() if line.strip()]
    if args.texts is not None and not texts:
        raise TrainingError(f"{args.texts}: the file has no text.")
    bars = Bars(args.tolerance, args.cosine, args.agreement)
    reports = export(args.run_folder, args.out, args.corpus, texts, exam=exam, bars=bars, max_tokens=args.max_tokens)
    for report in reports:
        print(f"{report}\n")
    print(f"{args.out} written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
