"""Answer questions from a text (the context), with a question answering model.

The context is --context, the whole of --file, or standard input; it may be of any length.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict

from mobilebert_rt.cli import options, streams
from mobilebert_rt.errors import InputError
from mobilebert_rt.text import QuestionAnswerer


def configure(parser: argparse.ArgumentParser) -> None:
    options.add_model(parser, offer_default=False)
    parser.add_argument("questions", metavar="QUESTION", nargs="+", help="asked of the same context")
    parser.add_argument("-c", "--context", metavar="TEXT", help="the text that holds the answers")
    parser.add_argument("-f", "--file", metavar="PATH", help="the file that holds the context; - is standard input")
    parser.add_argument("-n", "--n-best", type=int, default=1, metavar="N", help="answers a question (default: 1)")
    parser.add_argument("--max-answer-length", type=int, default=30, metavar="N", help="tokens (default: 30)")
    parser.add_argument("--allow-no-answer", action="store_true", help="an empty answer may win (SQuAD 2.0 models)")
    options.add_text_limits(parser, "384, or all the model takes")
    options.add_json(parser, 'a JSON object a line: {"question", "answers": [{"text", "score", "start", "end"}]}')
    options.add_quiet(parser)
    options.example(
        parser,
        'mbrt answer squad.safetensors "Who wrote it?" --context "It was written by Ada Lovelace."',
        'mbrt answer squad.safetensors "When was it built?" "By whom?" --file article.txt --n-best 3 --json',
    )


def run(args: argparse.Namespace) -> int:
    if args.context is not None and args.file is not None:
        raise InputError("the context was given by --context and by --file; choose one.")
    context = args.context if args.context is not None else streams.whole_text(args.file)
    if not context.strip():
        raise InputError("the context is empty; there is nothing to answer from.")
    answerer = QuestionAnswerer.from_pretrained(args.model, **options.task_options(args, stride="doc_stride"))
    results = answerer.stream(
        ((question, context) for question in args.questions),
        n_best=args.n_best,
        max_answer_length=args.max_answer_length,
        allow_no_answer=args.allow_no_answer,
        progress=options.progress(args),
    )
    for question, answers in zip(args.questions, results, strict=False):
        if args.json:
            streams.write_json({"question": question, "answers": [asdict(answer) for answer in answers]})
            continue
        if len(args.questions) > 1:
            print(question)
        for found in answers:
            text = streams.one_line(found.text) or "(no answer)"
            print(f"{found.score:7.4f}  {f'{found.start}-{found.end}':<12} {text}")
    return 0
