"""The commands `finetune`, `evaluate` and `export`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from mbrt_train.commands import Commands, add_command, add_encoding, parse_seeds
from mbrt_train.errors import TrainingError

if TYPE_CHECKING:
    from mbrt_train.tuning.task import TuningTask

OWN = "classification, multi-label, regression, token-classification"
PUBLISHED = "CoLA, SST-2, MRPC, STS-B, QQP, MNLI, QNLI, RTE, SQuAD, similarity, retrieval"


def _add_data(parser: argparse.ArgumentParser) -> None:
    """Options that say how the files of a task are read."""
    parser.add_argument("--text-column", metavar="NAME", help="the texts (default: text, sentence, ...)")
    parser.add_argument("--pair-column", metavar="NAME", help="second texts (default: text_pair, sentence2, ...)")
    parser.add_argument("--label-column", metavar="NAME", help="the labels (default: label, labels, class, ...)")
    parser.add_argument("--labels", metavar="LIST", help="all labels, separated by commas (default: from the data)")
    add_encoding(parser)


def _task(args: argparse.Namespace) -> TuningTask:
    from mbrt_train.tuning.names import task_by_name  # noqa: PLC0415
    from mbrt_train.tuning.own import Data  # noqa: PLC0415

    labels = None if args.labels is None else tuple(label.strip() for label in args.labels.split(","))
    if labels is not None and (len(set(labels)) < len(labels) or "" in labels):
        raise TrainingError(f"--labels is {args.labels!r}; expected different names, separated by commas.")
    data = Data(args.text_column, args.pair_column, args.label_column, labels, args.encoding)
    return task_by_name(args.task, data)


def add_finetune(commands: Commands[argparse.ArgumentParser]) -> None:
    text = """TASK for your own data:
  classification        one label for each text or pair: CSV or TSV with a header, JSON lines, Parquet
  multi-label           any number of labels for each: a list, or "a|b" in CSV, or a column of 0 and 1 for each label
                        (--label-column a,b,c)
  regression            a number for each
  token-classification  a label for each word: CoNLL, or JSON lines with tokens and ner_tags, or text and entities
Published tasks: CoLA, SST-2, MRPC, STS-B, QQP, MNLI, QNLI, RTE (TSV or CSV in GLUE's format), SQuAD (JSON, v1 or v2).
Tasks of sentence vectors, compared by cosine:
  similarity            human scores of pairs, in STS-B's files
  retrieval             from each question to its passage among all passages of a file in SQuAD's format

One model is trained per seed. The best one on the development file is written, with the mean and standard deviation of
all seeds in results.json. The same command resumes after an interruption, with the same results.

  mbrt-train finetune ./my-mobilebert --task classification --train reviews.csv --out reviews
  mbrt-train finetune ./my-mobilebert --task token-classification --train train.conll --dev dev.conll --out names
  mbrt-train finetune ./my-mobilebert --task SST-2 --train train.tsv --dev dev.tsv --out sst2 --seeds 0,1,2
  mbrt-train finetune ./my-mobilebert --task SQuAD --train train-v1.1.json --dev dev-v1.1.json --max-length 384 --out qa
  mbrt-train finetune ./my-mobilebert --task RTE --train train.tsv --dev dev.tsv --teacher ./bert-rte --out rte"""
    parser = add_command(
        commands, "finetune", "fine-tune a model for a task", text, _run_finetune, checkpoints=_unfinished
    )
    parser.add_argument("model", metavar="MODEL", type=Path, help='folder with its tokenizer, or "default"')
    parser.add_argument("--task", required=True, metavar="TASK", help=f"{OWN}, {PUBLISHED}")
    parser.add_argument("--train", required=True, type=Path, metavar="FILE")
    parser.add_argument("--dev", type=Path, metavar="FILE", help="default: a share of --train is held out")
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="must not exist")
    _add_data(parser)
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
    parser.add_argument("--quiet", action="store_true", help="no progress on standard error")


def _unfinished(out: Path) -> Path:
    from mbrt_train.tuning.keeper import unfinished  # noqa: PLC0415

    return unfinished(out)


def _run_finetune(args: argparse.Namespace) -> int:
    from mbrt_train.sources import trainable  # noqa: PLC0415
    from mbrt_train.tuning.finetune import Job, finetune  # noqa: PLC0415
    from mbrt_train.tuning.training import Options  # noqa: PLC0415

    names = ("epochs", "steps", "patience", "batch", "learning_rate", "max_length", "dev_share", "alpha", "pooler")
    seeds = parse_seeds(args.seeds)
    options = Options(seeds=seeds, quantised=args.quantised, **{name: getattr(args, name) for name in names})
    task = _task(args)
    model = trainable(args.model)
    result = finetune(Job(model, task, args.train, args.out, args.dev, args.teacher, options, args.quiet))
    for name, (mean, deviation) in result.mean_and_deviation().items():
        print(f"{task.name} {name}: {mean:.2f} +- {deviation:.2f} over {len(seeds)} seeds")
    print(f"{args.out}: the model of seed {result.kept}")
    return 0


def add_evaluate(commands: Commands[argparse.ArgumentParser]) -> None:
    text = """MODEL is a folder, run by PyTorch, or a model file or "default", run by the engine.

  mbrt-train evaluate ./sst2 --task SST-2 --data dev.tsv
  mbrt-train evaluate ./sst2-exported/model.int8.safetensors --task SST-2 --data dev.tsv
  mbrt-train evaluate default --task retrieval --data questions.json --max-length 256 --dimensions 128"""
    parser = add_command(commands, "evaluate", "compute a model's metrics in a task", text, _run_evaluate)
    parser.add_argument("model", metavar="MODEL", type=Path)
    parser.add_argument("--task", required=True, metavar="TASK", help="as for finetune")
    parser.add_argument("--data", required=True, type=Path, metavar="FILE")
    _add_data(parser)
    parser.add_argument(
        "--max-length", type=int, default=128, metavar="N", help="maximum tokens per text (default: 128)"
    )
    parser.add_argument(
        "--dimensions", type=int, default=0, metavar="N", help="first numbers of a vector that are used (default: all)"
    )


def _run_evaluate(args: argparse.Namespace) -> int:
    from mbrt_train.tuning.evaluate import Exam, evaluate  # noqa: PLC0415
    from mbrt_train.tuning.names import shortened  # noqa: PLC0415
    from mobilebert_rt.loading import find_model  # noqa: PLC0415

    exam = Exam(shortened(_task(args), args.dimensions), args.data, args.max_length)
    for name, value in evaluate(find_model(args.model), exam).items():
        print(f"{exam.task.name} {name}: {value:.2f}")
    return 0


def add_export(commands: Commands[argparse.ArgumentParser]) -> None:
    text = """RUN is a folder of `train` (its newest valid checkpoint is used) or `finetune`. OUT is a Hugging Face
folder that also holds the engine's int8 file. Before it is written, the engine is run at fp32 and int8 on text (of
--corpus, --texts or --data) and compared with PyTorch; a model that does not match is not written.

  mbrt-train export run ./my-mobilebert --corpus corpus
  mbrt-train export sst2 ./my-sst2 --task SST-2 --data dev.tsv"""
    parser = add_command(commands, "export", "write a model for the engine, after comparing both", text, _run_export)
    parser.add_argument("run_folder", metavar="RUN", type=Path)
    parser.add_argument("out", metavar="OUT", type=Path, help="must not exist")
    given = parser.add_mutually_exclusive_group()
    given.add_argument("--corpus", type=Path, metavar="DIR", help="compare on the corpus's held-out text")
    given.add_argument("--texts", type=Path, metavar="FILE", help="compare on the lines of a file")
    parser.add_argument("--task", metavar="TASK", help="compare the metrics of a task as well; requires --data")
    parser.add_argument("--data", type=Path, metavar="FILE", help="development file of --task")
    _add_data(parser)
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
    from mbrt_train.data.files import read_text  # noqa: PLC0415
    from mbrt_train.export import Bars, export  # noqa: PLC0415
    from mbrt_train.tuning.evaluate import Exam  # noqa: PLC0415

    if (args.task is None) != (args.data is None):
        raise TrainingError("--task and --data must be given together.")
    exam = None if args.task is None else Exam(_task(args), args.data)
    lines = [] if args.texts is None else read_text(args.texts, args.encoding).splitlines()
    texts = [line for line in lines if line.strip()]
    if args.texts is not None and not texts:
        raise TrainingError(f"{args.texts}: the file has no text.")
    bars = Bars(args.tolerance, args.cosine, args.agreement)
    reports = export(args.run_folder, args.out, args.corpus, texts, exam=exam, bars=bars, max_tokens=args.max_tokens)
    for report in reports:
        print(f"{report}\n")
    print(f"{args.out} written")
    return 0
