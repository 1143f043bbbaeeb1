"""Encoders with a task head, under transformers' names; reading and writing of model folders."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from mbrt_train import models
from mbrt_train.config import Config
from mbrt_train.errors import TrainingError
from mbrt_train.models import Encoder, Output, PreTraining, WithBody, initialise, stored
from mbrt_train.teachers import read_config, read_tensors


class SequenceClassifier(WithBody):
    """Pooled first token to n logits: one per class, or one score. transformers' ...ForSequenceClassification.

    multi: any number of the labels can be right; a label is, where its logit is above 0.
    """

    head = "ForSequenceClassification"

    def __init__(self, config: Config, labels: int, multi: bool = False) -> None:
        super().__init__()
        self.config, self.labels, self.multi = config, labels, multi
        self.add_module(config.model_type, Encoder(config))
        self.dropout = nn.Dropout(config.hidden_dropout_prob)
        self.classifier = nn.Linear(config.hidden_size, labels)
        initialise(self, config)
        # Zero: [CLS] of a MobileBERT reaches 1e7, so that the usual initialisation gives losses of a million.
        nn.init.zeros_(self.classifier.weight)

    def forward(self, ids: Tensor, mask: Tensor, types: Tensor) -> tuple[Tensor, Output]:
        """ids, mask, types [B, S] -> logits [B, n] and the encoder's output."""
        out: Output = self.body(ids, mask, types, alone=True)
        assert out.pooled is not None
        return self.classifier(self.dropout(out.pooled)), out


class TokenClassifier(WithBody):
    """Each token to n logits. transformers' ...ForTokenClassification."""

    head = "ForTokenClassification"

    def __init__(self, config: Config, labels: int) -> None:
        super().__init__()
        self.config, self.labels = config, labels
        self.add_module(config.model_type, Encoder(config, pooling=False))
        self.dropout = nn.Dropout(config.hidden_dropout_prob)
        self.classifier = nn.Linear(config.hidden_size, labels)
        initialise(self, config)
        nn.init.zeros_(self.classifier.weight)  # as above

    def forward(self, ids: Tensor, mask: Tensor, types: Tensor) -> tuple[Tensor, Output]:
        """ids, mask, types [B, S] -> logits [B, S, n] and the encoder's output."""
        out: Output = self.body(ids, mask, types, alone=True)
        return self.classifier(self.dropout(out.last_hidden_state)), out


class QuestionAnswering(WithBody):
    """Each token to the logits of the answer's start and end. transformers' ...ForQuestionAnswering."""

    head = "ForQuestionAnswering"

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.add_module(config.model_type, Encoder(config, pooling=False))
        self.qa_outputs = nn.Linear(config.hidden_size, 2)
        initialise(self, config)

    def forward(self, ids: Tensor, mask: Tensor, types: Tensor) -> tuple[Tensor, Output]:
        """ids, mask, types [B, S] -> logits [B, S, 2] and the encoder's output."""
        out: Output = self.body(ids, mask, types, alone=True)
        return self.qa_outputs(out.last_hidden_state), out


AnyModel = Encoder | PreTraining | SequenceClassifier | TokenClassifier | QuestionAnswering


def save_model(model: AnyModel, folder: Path, extra: Mapping[str, Any] | None = None) -> None:
    """config.json, with `extra` keys, and model.safetensors, as transformers reads them."""
    if isinstance(model, (Encoder, PreTraining)):
        models.save(model, folder)
    else:
        folder.mkdir(parents=True, exist_ok=True)
        family = {"mobilebert": "MobileBert", "bert": "Bert"}[model.config.model_type]
        text = asdict(model.config) | {"architectures": [family + model.head], **(extra or {})}
        (folder / "config.json").write_text(json.dumps(text, indent=2) + "\n")
        save_file(stored(model.state_dict()), folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "model.safetensors").chmod(0o644)  # save_file makes files readable only by their owner


def write_pooling(folder: Path, hidden_size: int, longest: int) -> None:
    """Write mean pooling and normalisation as sentence-transformers and the engine's TextEmbedder read them.

    longest: maximum number of tokens per text.
    """
    kinds = [("Transformer", ""), ("Pooling", "1_Pooling"), ("Normalize", "2_Normalize")]
    listed = [
        {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for i, (kind, path) in enumerate(kinds)
    ]
    for _, path in kinds[1:]:
        (folder / path).mkdir()
    pooling = {"word_embedding_dimension": hidden_size, "pooling_mode_mean_tokens": True}
    files: dict[str, Any] = {
        "modules.json": listed,
        "1_Pooling/config.json": pooling,
        "sentence_bert_config.json": {"max_seq_length": longest, "do_lower_case": False},
    }
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content, indent=2) + "\n")


def load_model(folder: Path) -> AnyModel:
    """A model of this package or of transformers, with the head that config.json names. Raises TrainingError."""
    config = read_config(folder)
    raw = json.loads((folder / "config.json").read_text())
    architecture = str((raw.get("architectures") or ["Model"])[0])
    tensors = {name.removeprefix(config.model_type + "."): t.float() for name, t in read_tensors(folder).items()}
    model: AnyModel
    outputs = len(tensors.get("classifier.bias", torch.zeros(1)))
    if architecture.endswith(SequenceClassifier.head):
        model = SequenceClassifier(config, outputs, multi=raw.get("problem_type") == "multi_label_classification")
    elif architecture.endswith(TokenClassifier.head):
        model = TokenClassifier(config, outputs)
    elif architecture.endswith(QuestionAnswering.head):
        model = QuestionAnswering(config)
    elif architecture.endswith("ForPreTraining"):
        model = PreTraining(config)
    elif architecture.endswith("Model"):
        model = Encoder(config, pooling="pooler.dense.weight" in tensors or not config.classifier_activation)
    else:
        raise TrainingError(
            f"{folder}: {architecture} is not supported; expected the base model, ForPreTraining, "
            f"{SequenceClassifier.head}, {TokenClassifier.head} and {QuestionAnswering.head}."
        )
    own = {name for name in model.state_dict() if ".decoder." not in name}
    wanted = {name: name.removeprefix(config.model_type + ".") for name in own}
    missing = sorted(name for name, key in wanted.items() if key not in tensors)
    if missing:
        raise TrainingError(f"{folder}: tensors missing: {', '.join(missing[:3])}; config.json requires them.")
    model.load_state_dict({name: tensors[key] for name, key in wanted.items()}, strict=False)
    return model.eval()
