"""Show what a model contains: configuration, tensors, sizes, scales, and the kernels chosen on this CPU."""

from __future__ import annotations

import argparse
import json
import textwrap
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt

from mobilebert_rt.cli import options, output
from mobilebert_rt.cli.command import Command
from mobilebert_rt.conversion import build
from mobilebert_rt.conversion.checkpoint import map_file, parse_safetensors
from mobilebert_rt.model import Model

WIDTH = 100  # of wrapped lines


def run(args: argparse.Namespace) -> int:
    report = describe(Model.from_pretrained(args.model, **options.model_options(args)))
    if args.json:
        output.write_json(report)
    else:
        print(_as_text(report))
    return 0


def describe(model: Model) -> dict[str, Any]:
    """What the command shows, as JSON values."""
    ranges = scale_ranges(model)
    tensors = [
        {
            "name": t.name,
            "dtype": t.dtype,
            "shape": list(t.shape),
            "bytes": t.nbytes,
            "scale": ranges.get(t.name),
        }
        for t in model.tensors()
    ]
    metadata = model.metadata
    return {
        "path": str(model.path),
        "config": asdict(model.config),
        "metadata": {
            "labels": model.labels,
            "problem_type": metadata.get("problem_type"),
            "pooling": json.loads(metadata["pooling"]) if "pooling" in metadata else None,
            "tokenizer": next((name for name in ("tokenizer.json", "vocab.txt") if name in metadata), None),
        },
        "cpu": {"isa": model.isa, "threads": model.num_threads, "kernels": model.kernels},
        "memory": model.memory,
        "tensors": tensors,
    }


def scale_ranges(model: Model) -> dict[str, list[float]]:
    """Weight's name -> [min, max] of its int8 scales without the padding; {} for an fp32 model."""
    if model.config.precision != "int8":
        return {}
    ranges = {}
    for name, values in _scales(model).items():
        real = values[values > 0]
        if len(real):
            ranges[f"{name.removesuffix('.scale')}.weight"] = [float(real.min()), float(real.max())]
    return ranges


def _scales(model: Model) -> dict[str, npt.NDArray[np.float32]]:
    """Every tensor named `.scale`, read from the file."""
    path = model.path
    data = np.frombuffer(build(path, model.config.precision), np.uint8) if path.is_dir() else map_file(path)
    _, entries = parse_safetensors(path, data)
    return {name: entry.float32(name) for name, entry in entries.items() if name.endswith(".scale")}


def _as_text(report: dict[str, Any]) -> str:
    config = textwrap.wrap(", ".join(f"{key} {value}" for key, value in report["config"].items()), WIDTH)
    metadata = report["metadata"]
    labels = metadata["labels"]
    facts = {
        "labels": f"{len(labels)}: {', '.join(labels[:12])}{' ...' if len(labels) > 12 else ''}" if labels else None,
        "problem": metadata["problem_type"],
        "pooling": json.dumps(metadata["pooling"]) if metadata["pooling"] else None,
        "tokenizer": metadata["tokenizer"] or "none",
        "kernels": ", ".join(f"{operation} {kernel}" for operation, kernel in report["cpu"]["kernels"].items()),
        "runs on": f"{report['cpu']['isa']}, {report['cpu']['threads']} threads",
        "memory": ", ".join(f"{name} {output.megabytes(size)}" for name, size in report["memory"].items()),
    }
    rows = [
        [
            tensor["name"],
            tensor["dtype"],
            " x ".join(map(str, tensor["shape"])),
            f"{tensor['bytes']:,}",
            "{:.3g} .. {:.3g}".format(*tensor["scale"]) if tensor["scale"] else "",
        ]
        for tensor in report["tensors"]
    ]
    total = sum(tensor["bytes"] for tensor in report["tensors"])
    return "\n".join(
        [
            report["path"],
            f"  config     {config[0]}",
            *(" " * 13 + line for line in config[1:]),
            *(f"  {name:<9}  {value}" for name, value in facts.items() if value),
            "",
            output.table(["tensor", "dtype", "packed shape", "bytes", "scales"], rows, right=False),
            f"{len(rows)} tensors, {output.megabytes(total)}",
        ]
    )


COMMAND = Command(
    __doc__,
    'one JSON object: {"path", "config", "metadata", "cpu", "memory", "tensors"}',
    ("mbrt inspect sst2.safetensors", "mbrt inspect ./mobilebert-sst2 --precision fp32 --json"),
    options.MODEL | options.LOADING,
    run,
)
