"""The commands that read texts: each is a task of the Python API, its options, and how a result looks."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import tee
from pathlib import Path
from typing import Any

import numpy as np

import mobilebert_rt
from mobilebert_rt.cli import options, streams
from mobilebert_rt.cli.command import Arguments, Command, UsageError
from mobilebert_rt.cli.options import COUNT, FLAG, PATH
from mobilebert_rt.errors import InputError

Keywords = Callable[[argparse.Namespace], dict[str, Any]]


@dataclass(frozen=True)
class Task:
    """A task as a command.

    task: the class; key: the JSON field of its results; arguments: in addition to those of all text commands.
    inputs: what the task reads. made, called: keywords of the task and of a call; None keeps the task's default.
    """

    task: str
    key: str
    about: str
    json: str
    examples: tuple[str, ...]
    arguments: Arguments
    inputs: Callable[[argparse.Namespace], Iterable[Any]] = streams.texts_of
    made: Keywords = lambda args: {"stride": args.stride}
    called: Keywords = lambda args: {}


def run(task: Task, args: argparse.Namespace) -> int:
    inputs, shown = tee(task.inputs(args))
    limits = {
        "on_overflow": args.on_overflow,
        "max_length": args.max_length,
        "max_batch_tokens": args.max_batch_tokens,
        "tokenizer": args.tokenizer,
    }
    made = options.model_options(args) | limits | task.made(args)
    loaded = getattr(mobilebert_rt, task.task).from_pretrained(args.model, **made)
    results = loaded.stream(inputs, timeout=args.timeout, progress=options.progress(args), **task.called(args))
    if task is TASKS["embed"] and args.output:
        write_array(args.output, list(results), loaded.dimension)
        return 0
    for number, (source, result) in enumerate(zip(shown, results, strict=False), start=1):
        if args.json:
            shown_input = {"question": source[0]} if task is TASKS["answer"] else {"text": source}
            streams.write_json(shown_input | {task.key: plain(result)})
        else:
            for line in lines_of(str(number), plain(result)):
                print(line)
    return 0


def questions_of(args: argparse.Namespace) -> list[tuple[str, str]]:
    """Each question with the context."""
    if args.context is not None and args.file is not None:
        raise UsageError("--context: found --file too. Give one of the two.")
    context: str = args.context if args.context is not None else streams.whole_text(args.file)
    if not context.strip():
        raise InputError("context: found no text; expected some.")
    return [(question, context) for question in args.questions]


def plain(result: Any) -> Any:
    """As JSON values. Nine digits tell every float32 from its neighbours."""
    if isinstance(result, np.ndarray):
        return [float(f"{x:.9g}") for x in result.tolist()]
    return [plain(one) for one in result] if isinstance(result, list) else asdict(result)


def lines_of(prefix: str, result: Any) -> Iterator[str]:
    """One line per result behind the prefix. Lists in a list are numbered; a vector is shortened."""
    if isinstance(result, dict):
        yield "  ".join([prefix, *map(_cell, result.values())])
    elif result and isinstance(result[0], float):
        yield "  ".join([prefix, *map(_cell, result[:4]), f"... ({len(result)} numbers)"])
    else:
        for number, one in enumerate(result, start=1):
            yield from lines_of(f"{prefix}  {number}" if isinstance(one, list) else prefix, one)


def _cell(value: object) -> str:
    if isinstance(value, str):
        return f"{streams.one_line(value):<12}"
    return f"{value:7.4f}" if isinstance(value, float) else str(value)


def write_array(path: str, rows: Sequence[Any], width: int) -> None:
    array = np.stack(rows) if rows else np.zeros((0, width), dtype=np.float32)
    with Path(path).open("wb") as file:  # np.save on a path would add .npy to other names
        np.save(file, array)


TASKS = {
    "embed": Task(
        "TextEmbedder",
        "embedding",
        """Turn each text into a vector.

Pooling and normalisation default to the settings of the model's sentence-transformers folder, else to the mean over
the tokens.""",
        '{"text", "embedding"}',
        (
            'mbrt embed default "a query" "a passage" --json',
            "mbrt embed minilm.safetensors --file passages.txt --output passages.npy",
        ),
        {
            "--pooling": {"choices": ("mean", "cls"), "help": "how the vectors of the tokens become one"},
            "--normalize": {"action": argparse.BooleanOptionalAction, "help": "scale the vectors to length 1"},
            "-o --output": {"metavar": "FILE.npy", "help": "write a float32 array [texts, width] for numpy"},
        },
        made=lambda args: {"stride": args.stride, "pooling": args.pooling, "normalize": args.normalize},
    ),
    "classify": Task(
        "TextClassifier",
        "labels",
        """Label texts, or pairs of texts, with a sequence classification model.

Scores are probabilities (softmax; sigmoid for multi-label models); a regression model gives its output.""",
        '{"text", "labels": [{"label", "score"}]}',
        (
            'mbrt classify sst2.safetensors "a warm, funny film"',
            'mbrt classify mrpc.safetensors --pairs "He left." "He went away."',
            "mbrt classify sst2.safetensors --file reviews.txt --on-overflow truncate --json",
        ),
        {
            "--pairs": FLAG | {"help": "classify pairs: two arguments each, or lines TEXT<tab>TEXT"},
            "-k --top-k": COUNT | {"help": "number of labels shown (default: 1; all with --json)"},
        },
        inputs=lambda args: streams.pairs_of(args) if args.pairs else streams.texts_of(args),
        called=lambda args: {"top_k": args.top_k or (None if args.json else 1)},
    ),
    "tag": Task(
        "TokenClassifier",
        "entities",
        """Find names, places and other entities in texts, with a token classification model.

Offsets count characters. --aggregation: none, each token by itself; simple, join adjacent tokens of one type; first
or max, label each word by its first or its most certain token before joining.""",
        '{"text", "entities": [{"text", "label", "score", "start", "end"}]}',
        (
            'mbrt tag ner.safetensors "Ada Lovelace lived in London."',
            "mbrt tag ner.safetensors --file letters.txt --on-overflow stride --json",
        ),
        {
            "--aggregation": {
                "choices": ("none", "simple", "first", "max"),
                "help": "how tokens become entities (default: simple)",
            },
        },
        called=lambda args: {"aggregation": args.aggregation},
    ),
    "answer": Task(
        "QuestionAnswerer",
        "answers",
        """Answer questions from a text, the context, with a question answering model.

The context is --context, the content of --file, or standard input; it may have any length.""",
        '{"question", "answers": [{"text", "score", "start", "end"}]}',
        (
            'mbrt answer squad.safetensors "Who wrote it?" --context "It was written by Ada Lovelace."',
            'mbrt answer squad.safetensors "When was it built?" "By whom?" --file article.txt --n-best 3 --json',
        ),
        {
            "-c --context": {"metavar": "TEXT", "help": "the text that contains the answers"},
            "-f --file": PATH | {"help": "the file that contains them; - is standard input"},
            "-n --n-best": COUNT | {"help": "number of answers per question (default: 1)"},
            "--max-answer-length": COUNT | {"help": "maximum tokens per answer (default: 30)"},
            "--allow-no-answer": FLAG | {"help": "allow an empty answer (SQuAD 2.0 models)"},
        },
        inputs=questions_of,
        made=lambda args: {"doc_stride": args.stride},
        called=lambda args: {
            "n_best": args.n_best,
            "max_answer_length": args.max_answer_length,
            "allow_no_answer": args.allow_no_answer,
        },
    ),
    "fill": Task(
        "FillMask",
        "masks",
        "Propose words for each [MASK] of a text, with a masked language model.",
        '{"text", "masks": [[{"token", "token_id", "score", "sequence"}]]}',
        (
            'mbrt fill mobilebert.safetensors "Paris is the [MASK] of France."',
            'echo "The [MASK] barked." | mbrt fill mobilebert.safetensors --top-k 3 --json',
        ),
        {"-k --top-k": COUNT | {"help": "number of proposals per mask (default: 5)"}},
        called=lambda args: {"top_k": args.top_k},
    ),
}
COMMON = (
    options.LOADING
    | {"--timeout": options.SECONDS | {"help": "fail when the command takes longer (default: never)"}}
    | options.LIMITS
)
QUESTIONS = {"questions": {"metavar": "QUESTION", "nargs": "+", "help": "one or more, about the same context"}}
COMMANDS = {
    name: Command(
        task.about,
        f"one JSON object per line: {task.json}",
        task.examples,
        (options.MODEL_OR_DEFAULT if name == "embed" else options.MODEL)
        | (QUESTIONS if name == "answer" else options.TEXTS)
        | COMMON
        | task.arguments
        | options.QUIET,
        partial(run, task),
    )
    for name, task in TASKS.items()
}
