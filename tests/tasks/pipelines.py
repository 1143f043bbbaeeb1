"""transformers' pipelines on the folders of tests.small_models: the oracle of the text tasks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.emulation import import_on_host

torch = import_on_host("torch")
transformers = import_on_host("transformers")

torch.set_num_threads(1)
transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()

CLASSES = {
    "zero-shot-classification": "AutoModelForSequenceClassification",
    "text-classification": "AutoModelForSequenceClassification",
    "token-classification": "AutoModelForTokenClassification",
    "question-answering": "AutoModelForQuestionAnswering",
    "fill-mask": "AutoModelForMaskedLM",
}


def pipeline(task: str, folder: Path, **options: Any) -> Any:
    """The pipeline of a task with the model of a folder."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, model_max_length=40)
    model = getattr(transformers, CLASSES[task]).from_pretrained(folder, attn_implementation="eager").eval()
    return transformers.pipeline(task, model=model, tokenizer=tokenizer, device="cpu", **options)
