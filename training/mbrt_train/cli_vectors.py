"""The commands `vectors` and `agreement`."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from mbrt_train.commands import Commands, add_command, add_reading


def add_vectors(commands: Commands[argparse.ArgumentParser]) -> None:
    text = """MODEL is any model of sentence vectors that the engine runs. SOURCES, --lines, --field and --encoding are
those of `prepare --whole`. The file has one row for each document, in float16. Vectors of another
program can be used as well: numpy.save of an array [documents, width], float16 or float32. The same command goes on
after an interruption.

  mbrt-train vectors ./minilm texts/ --lines --out vectors.npy
  mbrt-train prepare texts/ --lines --whole --max-tokens 256 --tokenizer ./minilm --out corpus
  mbrt-train train minilm_vectors --corpus corpus --teacher-vectors vectors.npy --out run"""
    parser = add_command(
        commands, "vectors", "compute a teacher's vectors once, for training", text, _run_vectors, resumes=True
    )
    parser.add_argument("model", metavar="MODEL", type=Path)
    add_reading(parser)
    parser.add_argument("--out", required=True, type=Path, metavar="FILE", help="the .npy file; must not exist")
    parser.add_argument(
        "--max-length", type=int, metavar="N", help="maximum tokens per text (default: the model's limit)"
    )
    parser.add_argument(
        "--precision",
        choices=("fp32", "int8"),
        default="fp32",
        help="int8 takes a third of the time; all-MiniLM-L6-v2's vectors then have a mean cosine of 0.998 to fp32's",
    )
    parser.add_argument("--quiet", action="store_true", help="no progress on standard error")


def _run_vectors(args: argparse.Namespace) -> int:
    from mbrt_train.data.texts import Reading  # noqa: PLC0415
    from mbrt_train.data.vectors import Request, write_vectors  # noqa: PLC0415

    reading = Reading(args.field, args.lines, args.encoding)
    request = Request(args.model, args.sources, args.out, reading, args.max_length, args.precision)
    rows, width = write_vectors(request, args.quiet)
    print(f"{args.out}: {rows:,} vectors of {width} numbers")
    return 0


def add_agreement(commands: Commands[argparse.ArgumentParser]) -> None:
    text = """The mean cosine of a model's sentence vectors to the teacher's on the corpus's held-out text, for each
source, for each range of lengths and for questions. MODEL is a run or a folder, run by PyTorch, or a model file or
"default", run by the engine. So is the teacher, unless its vectors are in a file.

  mbrt-train agreement run --corpus corpus --teacher-vectors vectors.npy
  mbrt-train agreement ./my-model/model.int8.safetensors --corpus corpus --teacher ./minilm --json"""
    parser = add_command(commands, "agreement", "compare a model's vectors with its teacher's", text, _run_agreement)
    parser.add_argument("model", metavar="MODEL", type=Path)
    parser.add_argument("--corpus", required=True, type=Path, metavar="DIR", help="from `mbrt-train prepare --whole`")
    teacher = parser.add_mutually_exclusive_group(required=True)
    teacher.add_argument("--teacher-vectors", type=Path, metavar="FILE", help="from `mbrt-train vectors`")
    teacher.add_argument("--teacher", type=Path, metavar="MODEL", help="the teacher itself")
    parser.add_argument("--texts", type=int, default=0, metavar="N", help="at most N of each source (default: all)")
    parser.add_argument("--json", action="store_true", help="print JSON")


def _run_agreement(args: argparse.Namespace) -> int:
    from mbrt_train.agreement import agreement  # noqa: PLC0415
    from mobilebert_rt.loading import find_model  # noqa: PLC0415

    teacher = args.teacher_vectors or find_model(args.teacher)
    found = agreement(find_model(args.model), args.corpus, teacher, args.texts)
    if args.json:
        print(json.dumps(asdict(found), indent=2))
        return 0
    groups = found.sources | {f"{name} tokens": value for name, value in found.lengths.items()}
    if found.questions is not None:
        groups["questions"] = found.questions
    for name, value in groups.items():
        print(f"{value:.4f}  {name}")
    print(f"{found.mean_of_sources:.4f}  mean of the sources")
    print(f"{found.mean:.4f}  mean of {found.texts:,} texts")
    return 0
