"""Compare a model with Hugging Face's, layer by layer, on the same token ids.

The error of a row (a token's state, a pooled vector, a row of logits) is max |a - b| / max |b|, with b computed by
transformers and PyTorch in eager fp32. The table shows the maximum and the mean over all rows.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mobilebert_rt.cli import options, output
from mobilebert_rt.cli.command import Arguments, Command
from mobilebert_rt.cli.sequences import random_ids, text_ids, texts_of
from mobilebert_rt.conversion.layers import HEADS
from mobilebert_rt.errors import InputError, MobileBertError
from mobilebert_rt.model import Model, ModelOutput

Doubles = npt.NDArray[np.float64]

SAMPLES = (
    "The quick brown fox jumps over the lazy dog.",
    "In 1843 Ada Lovelace published the first program, for a machine that was never finished; "
    "its author added notes three times as long as the article that she translated.",
    "42",
)
OUTPUTS = ("pooler_output", "logits", "start_logits", "end_logits", "seq_relationship_logits")


def run(args: argparse.Namespace) -> int:
    folder = Path(args.against)
    if not (folder / "config.json").is_file():
        raise InputError(f"{folder}: found no config.json; expected a Hugging Face folder.")
    torch, transformers = _reference_packages()
    model = Model.from_pretrained(args.model, **options.model_options(args))
    sequences = _sequences(args, model)
    reference = _load_reference(transformers, model.config.head, folder, torch)
    errors: dict[str, list[Doubles]] = {}
    for ids, types in sequences:
        ours = model([ids], token_type_ids=types and [types], output_hidden_states=True)
        theirs = _run_reference(torch, reference, model.config.head, ids, types)
        for name, error in compare(ours, theirs).items():
            errors.setdefault(name, []).append(error)
    report = _report(model, sequences, {name: np.concatenate(parts) for name, parts in errors.items()})
    if args.json:
        output.write_json(report)
    else:
        print(_as_text(report))
    worst = max(row["max"] for row in report["rows"])
    return 1 if args.tolerance is not None and not worst <= args.tolerance else 0


def compare(ours: ModelOutput, theirs: Any) -> dict[str, Doubles]:
    """Row errors of one sequence by name: embeddings, layer i, outputs of the head. theirs: a batch of one."""
    found = {}
    states = ours.hidden_states or ()
    for i, (mine, other) in enumerate(zip(states, theirs.hidden_states, strict=True)):
        found["embeddings" if i == 0 else f"layer {i}"] = row_errors(mine[0], other[0].numpy())
    for name in OUTPUTS:
        mine = getattr(ours, name)
        renamed = name == "logits" and hasattr(theirs, "prediction_logits")  # the masked LM's, of pre-training models
        other = getattr(theirs, "prediction_logits" if renamed else name, None)
        if mine is not None and other is not None:
            found[name] = row_errors(mine[0], other.numpy()[0])
    return found


def row_errors(mine: npt.ArrayLike, other: npt.ArrayLike) -> Doubles:
    """max |a - b| / max |b| over the last axis, [rows] float64; 0 where both are 0."""
    a, b = np.atleast_2d(np.asarray(mine, np.float64)), np.atleast_2d(np.asarray(other, np.float64))
    if a.shape != b.shape:
        raise MobileBertError(f"outputs: found the shapes {a.shape} and {b.shape}; expected the same model twice.")
    difference, size = np.max(np.abs(a - b), axis=-1), np.max(np.abs(b), axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(difference == 0, 0.0, difference / size))


def _sequences(args: argparse.Namespace, model: Model) -> list[tuple[list[int], list[int] | None]]:
    """(ids, token types or None) of every sequence that is compared."""
    wants_texts = bool(args.texts or args.file)
    found: list[tuple[list[int], list[int]]] = []
    if wants_texts or not args.lengths:
        texts = texts_of(args) if wants_texts else SAMPLES
        found += text_ids(model, texts, args.tokenizer, truncate=not wants_texts)
    for length in args.lengths:
        found += [(ids, [0] * length) for ids in random_ids(model, 1, length, args.seed, "--lengths")]
    typed = model.config.type_vocab_size > 0
    return [(ids, types if typed else None) for ids, types in found]


def _reference_packages() -> tuple[Any, Any]:
    # Set before the import, which reads it: nothing but the folder is used.
    os.environ["HF_HUB_OFFLINE"] = "1"
    try:
        import torch  # noqa: PLC0415 - optional
        import transformers  # noqa: PLC0415 - optional
    except ImportError as error:
        raise MobileBertError(
            f"verify: {error}; expected PyTorch and transformers, to run Hugging Face's model. "
            "Install them: pip install 'torch>=2' 'transformers>=5,<6'"
        ) from error
    quiet: Any = transformers.logging
    quiet.set_verbosity_error()
    quiet.disable_progress_bar()
    return torch, transformers


def _load_reference(transformers: Any, head: str, folder: Path, torch: Any) -> Any:
    auto = getattr(transformers, f"AutoModel{HEADS[head].suffix.removeprefix('Model')}")
    try:
        loaded = auto.from_pretrained(folder, local_files_only=True, attn_implementation="eager", dtype=torch.float32)
    except (OSError, ValueError, RuntimeError) as error:
        raise MobileBertError(f"{folder}: transformers cannot load it with the head {head}: {error}") from error
    return loaded.eval()


def _run_reference(torch: Any, reference: Any, head: str, ids: list[int], types: list[int] | None) -> Any:
    shape = (1, 1, -1) if head == "multiple_choice" else (1, -1)
    given = {"input_ids": torch.tensor(ids).reshape(shape)}
    if types is not None:
        given["token_type_ids"] = torch.tensor(types).reshape(shape)
    with torch.no_grad():
        return reference(**given, output_hidden_states=True, return_dict=True)


def _report(model: Model, sequences: Sequence[tuple[list[int], Any]], errors: dict[str, Doubles]) -> dict[str, Any]:
    return {
        "path": str(model.path),
        "precision": model.config.precision,
        "isa": model.isa,
        "sequences": len(sequences),
        "tokens": sum(len(ids) for ids, _ in sequences),
        "rows": [
            {"name": name, "max": float(error.max()), "mean": float(error.mean())} for name, error in errors.items()
        ],
    }


def _as_text(report: dict[str, Any]) -> str:
    rows = [[row["name"], f"{row['max']:.2e}", f"{row['mean']:.2e}"] for row in report["rows"]]
    return "\n".join(
        [
            f"{report['path']} ({report['precision']}, {report['isa']}) against eager fp32: "
            f"relative error of a row, {report['sequences']} sequences, {report['tokens']:,} tokens",
            output.table(["", "max", "mean"], rows),
        ]
    )


ARGUMENTS: Arguments = {
    "--against": {"metavar": "HF_DIR", "required": True, "help": "the folder that the model came from"},
    "--lengths": options.COUNTS | {"default": [], "help": "add random ids of these lengths"},
    "--tolerance": {"type": float, "metavar": "E", "help": "exit with 1 when the maximum error is larger"},
}
COMMAND = Command(
    __doc__,
    'one JSON object: {"path", "precision", "isa", "sequences", "tokens", "rows": [{"name", "max", "mean"}]}',
    (
        "mbrt verify sst2.safetensors --against ./mobilebert-sst2",
        "mbrt verify ./mobilebert-sst2 --precision fp32 --against ./mobilebert-sst2 --tolerance 1e-5",
        "mbrt verify sst2.safetensors --against ./mobilebert-sst2 --lengths 1,8,128 --json",
    ),
    options.MODEL | options.TEXTS | options.LOADING | options.TOKENIZER | ARGUMENTS | options.SEED,
    run,
)
