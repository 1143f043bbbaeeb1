"""Export of a run: a Hugging Face folder with the engine's file, written only if both give the same results."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

import mobilebert_rt as mbrt
from mbrt_train import checkpoints
from mbrt_train.data.corpus import Corpus
from mbrt_train.data.tokenizer import FILES, copy_tokenizer, load_tokenizer, pieces, vocabulary
from mbrt_train.errors import TrainingError
from mbrt_train.heads import AnyModel, load_model, save_model, write_pooling
from mbrt_train.models import PreTraining
from mbrt_train.parity import Report, compare
from mbrt_train.sources import tokenizer_source, weights_folder
from mbrt_train.tuning.evaluate import Exam, exam_examples, grade

ENGINE_FILE = "model.int8.safetensors"
MAX_TEXTS = 64


@dataclass(frozen=True)
class Bars:
    """Limits that a model must meet to be written.

    fp32: maximum relative error of a row of any hidden state. For int8: cosine, the minimum mean cosine of the last
    hidden state and of the sentence vectors; agreement, the minimum share of decisions equal to PyTorch's; metric, the
    maximum loss of a task's metric in points.
    """

    fp32: float = 1e-5
    cosine: float = 0.95
    agreement: float = 0.9
    metric: float = 2.0


def export(
    source: Path,
    target: Path,
    corpus: Path | None = None,
    texts: Sequence[str] = (),
    *,
    exam: Exam | None = None,
    bars: Bars | None = None,
    max_tokens: int | None = None,
) -> list[Report]:
    """Write `target` from a run, or from a folder that `finetune` wrote; returns the comparisons.

    Both are run on `texts`, on the corpus's held-out ones, or on those of the exam, a task whose metrics are compared.
    max_tokens: the maximum length of a text for a model of sentence vectors (default: that of training). Raises
    TrainingError, with nothing written, if the target exists, the tokenizer does not match, or the results differ.
    """
    if target.exists():
        raise TrainingError(f"{target} exists. Remove it or choose another folder.")
    model, extra, longest = _read(source)
    tokenizer_folder = tokenizer_source(source)
    if max_tokens is not None:
        _check_longest(max_tokens, longest, model.config.max_position_embeddings)
        longest = max_tokens
    tokenizer = load_tokenizer(tokenizer_folder)
    if len(pieces(tokenizer)) != model.config.vocab_size:
        raise TrainingError(
            f"{tokenizer_folder} has {len(pieces(tokenizer)):,} pieces; the model has {model.config.vocab_size:,}."
        )
    if texts or corpus is not None or exam is None:
        ids = heldout_ids(tokenizer, corpus, texts, model.config.max_position_embeddings)
    else:
        ids = [example.sequences[0].ids for example in exam_examples(exam, model, source)[1][:MAX_TEXTS]]
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        save_model(model, partial, extra)
        copy_tokenizer(tokenizer_folder, partial)
        if longest is not None:
            write_pooling(partial, model.config.hidden_size, longest)
        reports = _compare(model, partial, ids, exam)
        _judge(reports, bars or Bars())
        (partial / "parity.txt").write_text("\n\n".join(map(str, reports)) + "\n")
        partial.rename(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return reports


def _read(source: Path) -> tuple[AnyModel, dict[str, Any], int | None]:
    """Model, further keys of config.json, and a sentence-vector model's maximum length."""
    folder = weights_folder(source)
    if folder != source:
        recipe = checkpoints.read_checkpoint(folder).recipe
        model = load_model(folder)
        sentence = recipe["objective"] in ("sentence", "vectors")
        if sentence and isinstance(model, PreTraining):
            model = model.body  # its heads are not trained
        return model.eval(), {}, recipe["data"]["max_length"] if sentence else None
    if not (source / "config.json").is_file():
        raise TrainingError(f"{source}: neither a run nor a saved model.")
    if not any((source / name).is_file() for name in FILES[:2]):
        raise TrainingError(f"{source}: no tokenizer in the folder of the model.")
    raw = json.loads((source / "config.json").read_text())
    model = load_model(source)
    known = asdict(model.config)
    extra = {key: value for key, value in raw.items() if key not in known and key != "architectures"}
    limits = source / "sentence_bert_config.json"
    return model, extra, json.loads(limits.read_text())["max_seq_length"] if limits.is_file() else None


def _check_longest(wanted: int, trained: int | None, positions: int) -> None:
    if trained is None:
        raise TrainingError("max_tokens applies only to models of sentence vectors; omit it.")
    if not 2 < wanted <= positions:
        raise TrainingError(f"max_tokens is {wanted}; the model supports 3 to {positions}.")


def heldout_ids(tokenizer: Tokenizer, corpus: Path | None, texts: Sequence[str], longest: int) -> list[list[int]]:
    """Up to MAX_TEXTS texts as ids with [CLS] and [SEP]. Raises TrainingError for another tokenizer or without text."""
    if texts:
        found = [tokenizer.encode(text).ids for text in texts[:MAX_TEXTS]]
    elif corpus is not None:
        part = Corpus(corpus, "heldout")
        if pieces(part.tokenizer()) != pieces(tokenizer):
            raise TrainingError(f"{corpus}: prepared with another tokenizer than the model's.")
        words = vocabulary(tokenizer)
        rows = range(min(MAX_TEXTS, len(part)))
        found = [[words.cls, *part[row].ids.tolist(), words.sep] for row in rows]
    else:
        raise TrainingError("export: nothing to compare on. Give --corpus, --texts, or --task with --data.")
    return [ids if len(ids) <= longest else [*ids[: longest - 1], ids[-1]] for ids in found]


def _compare(model: AnyModel, folder: Path, ids: list[list[int]], exam: Exam | None) -> list[Report]:
    try:
        mbrt.convert(folder, folder / ENGINE_FILE, "int8")
        engines = [mbrt.Model.from_pretrained(folder, "fp32"), mbrt.Model.from_pretrained(folder / ENGINE_FILE)]
    except mbrt.MobileBertError as error:
        raise TrainingError(f"the engine cannot load the model: {error}") from error
    reports = [compare(model, engine, ids) for engine in engines]
    if exam is not None:
        wanted = grade(exam, model, folder)
        for report, engine in zip(reports, engines, strict=True):
            report.metrics = {name: (wanted[name], value) for name, value in grade(exam, engine, folder).items()}
    return reports


def _judge(reports: list[Report], bars: Bars) -> None:
    fp32, int8 = reports
    last = [name for name in int8.rows if name.startswith("layer")][-1]
    wrong = [
        f"fp32 {name} has a relative error of {row.worst:.1e} (limit {bars.fp32:g})"
        for name, row in fp32.rows.items()
        if not row.worst <= bars.fp32 and name != "logits"
    ]
    for name in (last, "sentence"):
        mean = int8.rows[name].cosines[0]
        if not mean >= bars.cosine:
            wrong.append(f"int8 {name} has a mean cosine of {mean:.4f} (limit {bars.cosine:g})")
    if not int8.agreement >= bars.agreement:
        wrong.append(
            f"int8 agrees on {100 * int8.agreement:.1f} % of {int8.decision} (limit {100 * bars.agreement:g} %)"
        )
    for name, (wanted, found) in int8.metrics.items():
        if not wanted - found <= bars.metric:
            wrong.append(f"int8 has {name} {found:.2f} where PyTorch has {wanted:.2f} (limit {bars.metric:g} points)")
    if wrong:
        table = "\n\n".join(map(str, reports))
        raise TrainingError(f"the engine does not match PyTorch, nothing was written: {'; '.join(wrong)}.\n{table}")
