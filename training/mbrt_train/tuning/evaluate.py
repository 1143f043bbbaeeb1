"""Metrics of a PyTorch model or of the engine on a task's file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import mobilebert_rt as mbrt
from mbrt_train.data.tokenizer import load_tokenizer
from mbrt_train.errors import TrainingError
from mbrt_train.heads import AnyModel, load_model
from mbrt_train.sources import read_labels, tokenizer_source, weights_folder
from mbrt_train.tuning.own import OwnTask
from mbrt_train.tuning.predict import AsAlone, check_head, with_engine, with_torch
from mbrt_train.tuning.task import Example, Predict, TuningTask
from mobilebert_rt.config import EngineConfig


@dataclass(frozen=True)
class Exam:
    """A task, its file, and the maximum number of tokens per text."""

    task: TuningTask
    data: Path
    max_length: int = 128


def evaluate(model: Path, exam: Exam) -> dict[str, float]:
    """Metrics of a folder or run (by PyTorch) or of a model file (by the engine). Raises TrainingError."""
    return grade(exam, read_model(model), model)


def read_model(model: Path) -> AnyModel | mbrt.Model:
    """A PyTorch model from a folder or run, the engine's from a model file. Raises TrainingError."""
    if model.is_dir():
        return load_model(weights_folder(model))
    try:
        return mbrt.Model.from_pretrained(model)
    except mbrt.MobileBertError as error:
        raise TrainingError(str(error)) from error


def predictor(task: TuningTask, model: AnyModel | mbrt.Model) -> Predict:
    """The predictions of either kind of model."""
    return with_engine(model) if isinstance(model, mbrt.Model) else with_torch(task, AsAlone(model).eval())


def max_positions(model: AnyModel | mbrt.Model) -> int:
    config = model.config
    return config.max_positions if isinstance(config, EngineConfig) else config.max_position_embeddings


def grade(exam: Exam, model: AnyModel | mbrt.Model, source: Path) -> dict[str, float]:
    """Metrics in percent. source: the folder, run or file with the model's tokenizer and labels.

    Raises TrainingError for a model without the task's head.
    """
    task, examples = exam_examples(exam, model, source)
    if not isinstance(model, mbrt.Model) and not check_head(task, model):
        raise TrainingError(f"{source}: the model does not have the head of {task.name}. Fine-tune it first.")
    return task.evaluate(predictor(task, model), examples)


def exam_examples(exam: Exam, model: AnyModel | mbrt.Model, source: Path) -> tuple[TuningTask, list[Example]]:
    """The task, with the model's labels if it is one on own data, and the examples of its file."""
    task = exam.task
    if isinstance(task, OwnTask):
        labels = read_labels(source)
        given = task.data.labels
        if given is not None and len(given) != len(labels):
            raise TrainingError(f"--labels names {len(given)} labels; {source} has {len(labels)}. Name each of them.")
        task = task.labelled(labels, source)
    length = min(exam.max_length, max_positions(model))
    return task, task.read(exam.data, load_tokenizer(tokenizer_source(source)), length, training=False)
