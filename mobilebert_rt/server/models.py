"""The models of a server by name, and what each can do."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mobilebert_rt as mbrt
from mobilebert_rt.errors import InputError, UnsupportedModelError
from mobilebert_rt.server.batcher import Batcher, Operation
from mobilebert_rt.server.errors import ServerError
from mobilebert_rt.server.metrics import Metrics
from mobilebert_rt.server.settings import Settings
from mobilebert_rt.text.results import Answer
from mobilebert_rt.text.task import TextTask

# What a route needs: the class of the task, and a phrase for messages.
KINDS: dict[str, tuple[Callable[..., TextTask[Any]], str]] = {
    "embed": (mbrt.TextEmbedder, "embed texts"),
    "predict": (mbrt.TextClassifier, "classify texts"),
    "rerank": (mbrt.Reranker, "rank texts"),
    "zero-shot": (mbrt.ZeroShotClassifier, "classify with labels of the caller"),
    "answer": (mbrt.QuestionAnswerer, "answer questions"),
    "tag": (mbrt.TokenClassifier, "tag words"),
    "fill": (mbrt.FillMask, "fill masks"),
}
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
# Texts with fewer characters in all are counted in the event loop: that is faster than to change the thread.
FEW_CHARACTERS = 20_000
# Calls at once: while the threads of one wait for each other, the other one runs. 10 % more requests/s on two cores.
MOST_WORKERS = 2


@dataclass(frozen=True)
class Answers:
    """Answers of (question, context) pairs, as the batcher calls tasks."""

    answerer: mbrt.QuestionAnswerer

    def __call__(self, pairs: list[tuple[str, str]], **options: Any) -> list[list[Answer]]:
        questions, contexts = zip(*pairs, strict=True)
        return self.answerer(list(questions), list(contexts), **options)


class ServedModel:
    """A model under its name: the tasks that its head allows, and the worker that runs them."""

    def __init__(self, name: str, model: mbrt.Model, settings: Settings, metrics: Metrics) -> None:
        self.name = name
        self.model = model
        self.settings = settings
        self.tasks: dict[str, Any] = {}
        for kind, (task, _) in KINDS.items():
            # Answers come from windows over the whole context. Other texts that are too long were refused before.
            overflow = "stride" if kind == "answer" else "truncate"
            try:
                self.tasks[kind] = task(model, max_batch_tokens=settings.max_batch_tokens, on_overflow=overflow)
            except UnsupportedModelError:
                continue
        workers = min(MOST_WORKERS, model.num_threads)
        self.batcher = Batcher(name, settings.max_batch_tokens, metrics.observer(name), workers)

    @property
    def main_kind(self) -> str:
        """The task that the model was made for: the last one of KINDS that is not a special case of another."""
        order = ("answer", "tag", "fill", "rerank", "zero-shot", "predict", "embed")
        return next((kind for kind in order if kind in self.tasks), "none")

    async def count(self, kind: str, inputs: list[Any], truncate: bool | None) -> list[int]:
        """Tokens of each input. Raises ServerError for a longer one than the model takes, unless it is truncated."""
        task = self.tasks[kind]
        limit = self.settings.max_text_length
        texts = [text for given in inputs for text in ((given,) if isinstance(given, str) else given)]
        if any(len(text) > limit for text in texts):
            longest = max(map(len, texts))
            raise ServerError("too_large", f"text: found {longest} characters; expected at most {limit}. Shorten it.")
        try:
            if sum(map(len, texts)) <= FEW_CHARACTERS:
                counts: list[int] = task.count_tokens(inputs)
            else:
                counts = await asyncio.to_thread(task.count_tokens, inputs)
        except InputError as error:
            raise ServerError("tokenizer", str(error)) from None
        if kind == "answer":
            return counts
        longest = task.limits.max_length
        for index, tokens in enumerate(counts):
            if tokens > longest and not self.truncates(truncate):
                raise ServerError(
                    "tokenizer",
                    f"input {index}: found {tokens} tokens; expected at most {longest}. Shorten it, or truncate it "
                    'by "truncate": true or the server\'s --auto-truncate.',
                )
        return [min(tokens, longest) for tokens in counts]

    def truncates(self, asked: bool | None) -> bool:
        return self.settings.auto_truncate if asked is None else asked

    async def run(
        self, kind: str, inputs: list[Any], *, truncate: bool | None = None, weight: int = 1, **options: Any
    ) -> tuple[list[Any], int]:
        """Results of the inputs and their tokens. weight: how often each input runs; options: of the task's call."""
        self.check_count(inputs)
        counts = await self.count(kind, inputs, truncate)
        given = {name: value for name, value in options.items() if value is not None}
        task = self.tasks[kind]
        operation = Operation(Answers(task) if kind == "answer" else task, tuple(given.items()))
        return await self.batcher.submit(operation, inputs, [n * weight for n in counts]), sum(counts)

    def check_count(self, inputs: Sequence[Any]) -> None:
        limit = self.settings.max_texts
        if len(inputs) > limit:
            raise ServerError(
                "too_large", f"inputs: found {len(inputs)}; expected at most {limit}. Send fewer at once."
            )
        if not inputs:
            raise ServerError("validation", "inputs: found an empty list; expected at least one.")


class Models:
    """All models of a server, in the order of the command line."""

    def __init__(self, models: Sequence[ServedModel]) -> None:
        self._models = {model.name: model for model in models}

    def __iter__(self) -> Iterator[ServedModel]:
        return iter(self._models.values())

    @property
    def names(self) -> list[str]:
        return list(self._models)

    def named(self, name: str | None) -> ServedModel:
        """The model of that name, None for the first. Raises ServerError."""
        if name is None:
            return next(iter(self))
        if name not in self._models:
            raise ServerError(
                "model_not_found", f"model: found {name[:80]!r}; expected one of {', '.join(self.names)}."
            )
        return self._models[name]

    def find(self, kind: str, name: str | None = None) -> ServedModel:
        """The model of that name, or the first one for a kind of task. Raises ServerError when it cannot do that."""
        able = [model for model in self if kind in model.tasks]
        able.sort(key=lambda model: model.main_kind != kind)
        found = self.named(name) if name is not None else next(iter(able), self.named(None))
        if kind not in found.tasks:
            others = f" {', '.join(model.name for model in able)} can." if able else ""
            raise ServerError("backend", f"model {found.name}: cannot {KINDS[kind][1]}.{others}")
        return found


def load(specifications: Sequence[str], settings: Settings, metrics: Metrics, **options: Any) -> Models:
    """The models of the command line: PATH, or NAME=PATH. options: of Model.from_pretrained."""
    found: dict[str, str] = {}
    for specification in specifications:
        name, path = split(specification)
        if name in found:
            raise InputError(f"{name}: found two models of this name; expected different ones. Write NAME={path}.")
        found[name] = path
    return Models(
        [
            ServedModel(name, mbrt.Model.from_pretrained(path, **options), settings, metrics)
            for name, path in found.items()
        ]
    )


def split(specification: str) -> tuple[str, str]:
    """Name and path. By default the name is that of the file or folder, without .safetensors."""
    name, sign, path = specification.partition("=")
    if not sign or Path(specification).exists():
        name, path = Path(specification).name.removesuffix(".safetensors"), specification
    if not NAME.fullmatch(name):
        raise InputError(
            f"{specification}: found {name!r} as the model's name; expected letters, digits, dots, - and _. "
            "Write NAME=MODEL."
        )
    return name, path
