"""Documents per second of one core, and the machines and the cost for many: `python benchmarks/scale --help`."""

from __future__ import annotations

import argparse
import datetime
import sys
from pathlib import Path

# The tree comes first, in this folder's place: see benchmarks/peers/__main__.py.
sys.path[0] = str(Path(__file__).resolve().parents[2])
from benchmarks.common import machine, markdown  # noqa: E402
from benchmarks.common.documents import provisional  # noqa: E402
from benchmarks.common.options import numbers  # noqa: E402
from benchmarks.scale import measure  # noqa: E402
from benchmarks.scale.sizing import Plan, size  # noqa: E402
from mobilebert_rt import TextEmbedder, active_isa  # noqa: E402
from scripts.common import exit_with, make_parser  # noqa: E402

DOCUMENTS = {"1 M": 1e6, "100 M": 1e8, "1 G": 1e9}
EXAMPLES = """\
examples:
  taskset -c 1 python benchmarks/scale                           measures this machine's core
  python benchmarks/scale --tokens 128 --rate 550 --price 0.03   only computes, from a rate that is known
"""


def parse_arguments() -> argparse.Namespace:
    parser = make_parser(__doc__, prog="python benchmarks/scale", epilog=EXAMPLES)
    add = parser.add_argument
    add("--model", default="default", metavar="MODEL", help="a folder or a model file of sentence vectors (default)")
    add("--tokens", type=numbers, default=[32, 128, 256], metavar="N,N", help="lengths of a document (32,128,256)")
    add("--rate", type=float, metavar="N", help="documents per second of a core, instead of measuring; for one length")
    add("--cores", type=int, default=16, metavar="N", help="cores of a machine (%(default)d)")
    add("--hours", type=float, default=24.0, metavar="N", help="hours in which the work must be done (%(default)g)")
    add("--price", type=float, default=0.05, metavar="N", help="of one core for one hour (%(default)g)")
    arguments = parser.parse_args()
    if arguments.rate is not None and len(arguments.tokens) != 1:
        parser.error("--rate: found several lengths; expected one, as in --tokens 128.")
    return arguments


def measured(arguments: argparse.Namespace) -> dict[int, float]:
    """Documents per second for each length; prints the table."""
    embedder = TextEmbedder.from_pretrained(arguments.model, num_threads=1)
    found = machine.describe(machine.allowed_cpus())
    rates = {tokens: measure.summary(measure.documents_per_second(embedder, tokens)) for tokens in arguments.tokens}
    date = datetime.datetime.now(datetime.timezone.utc).date()
    print(f"{found['processor']}, {active_isa()}, {date}; load average {found['load_average'][0]} at the start.")
    print(provisional(found, quick=False))
    rows = [
        [str(tokens), f"{rate:,.0f}", f"{spread:,.0f}", f"{rate * tokens:,.0f}"]
        for tokens, (rate, spread) in rates.items()
    ]
    header = ["tokens", "documents/s of a core", "half the interquartile range", "tokens/s"]
    print(f"\n{markdown.table(header, rows)}\n")
    return {tokens: rate for tokens, (rate, _) in rates.items()}


def row(tokens: int, name: str, rate: float, plan: Plan) -> list[str]:
    """One of DOCUMENTS, with its size and the cost of a million."""
    found, million = size(DOCUMENTS[name], rate, plan), size(1e6, rate, plan)
    shown = f"{found.core_hours:,.1f}", f"{found.hours:,.2f}", f"{found.machines}", f"{found.cost:,.2f}"
    return [str(tokens), name, *shown, f"{million.cost:.3f}"]


def main() -> int:
    arguments = parse_arguments()
    rates = measured(arguments) if arguments.rate is None else {arguments.tokens[0]: arguments.rate}
    plan = Plan(arguments.cores, arguments.hours, arguments.price)
    rows = [row(tokens, name, rate, plan) for tokens, rate in rates.items() for name in DOCUMENTS]
    header = ["tokens", "documents", "core-hours", "hours on one machine", f"machines for {plan.hours:g} h", "cost"]
    print(f"{plan.cores} cores per machine, {plan.price:g} per core and hour:\n")
    print(markdown.table([*header, "cost per million"], rows))
    return 0


if __name__ == "__main__":
    exit_with(main)
