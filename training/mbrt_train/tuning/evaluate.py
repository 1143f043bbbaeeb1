"""Metrics of a PyTorch model or of the engine on a task's file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import mobilebert_rt as mbrt
from mbrt_train.data.tokenizer import load_tokenizer
from mbrt_train.errors import TrainingError
from mbrt_train.heads import AnyModel, load_model
from mbrt_train.tuning.predict import AsAlone, check_head, with_engine, with_torch
from mbrt_train.tuning.task import Predict, TuningTask


@dataclass(frozen=True)
class Exam:
    """A task, its file, and the maximum number of tokens per text."""

    task: TuningTask
    data: Path
    max_length: int = 128


def evaluate(model: Path, exam: Exam) -> dict[str, float]:
    """Metrics of a folder (run by PyTorch) or of a model file (run by the engine). Raises TrainingError."""
    if model.is_dir():
        return grade(exam, load_model(model), model)
    try:
        engine = mbrt.Model.from_pretrained(model)
    except mbrt.MobileBertError as error:
        raise TrainingError(str(error)) from error
    return grade(exam, engine, model.parent)


def grade(exam: Exam, model: AnyModel | mbrt.Model, tokenizer_folder: Path) -> dict[str, float]:
    """Metrics in percent. Raises TrainingError for a model without the task's head."""
    task = exam.task
    if isinstance(model, mbrt.Model):
        predict: Predict = with_engine(model)
        positions = model.config.max_positions
    else:
        if not check_head(task, model):
            raise TrainingError(
                f"{tokenizer_folder}: the model does not have the head of {task.name}. Fine-tune it first."
            )
        predict = with_torch(task, AsAlone(model).eval())
        positions = model.config.max_position_embeddings
    tokenizer = load_tokenizer(tokenizer_folder)
    examples = task.read(exam.data, tokenizer, min(exam.max_length, positions), training=False)
    return task.evaluate(predict, examples)
