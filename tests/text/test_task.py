from __future__ import annotations

import io
import logging
import pickle
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from mobilebert_rt.errors import InputError, TimeoutError
from mobilebert_rt.model import Model
from mobilebert_rt.text import FillMask, QuestionAnswerer, TextClassifier, TextEmbedder, TokenClassifier, task
from mobilebert_rt.text.progress import progress_bar
from tests import interpreter
from tests.text.fake_model import FakeModel
from tests.text.test_windows import words


def test_from_pretrained_hands_the_options_on(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {}

    class Loader:
        @staticmethod
        def from_pretrained(path: str, **options: object) -> FakeModel:
            asked.update(options, path=path)
            return FakeModel()

    monkeypatch.setattr(task, "Model", Loader)
    embedder = TextEmbedder.from_pretrained("x", precision="fp32", num_threads=2, isa="scalar", max_length=9)
    assert asked == {"path": "x", "precision": "fp32", "num_threads": 2, "isa": "scalar"}
    assert embedder.limits.max_length == 9


@pytest.mark.parametrize("kind", [TextEmbedder, TextClassifier, TokenClassifier, QuestionAnswerer, FillMask])
def test_a_path_in_a_models_place_is_told_what_to_do(kind: type[task.TextTask]) -> None:
    for path in ("model.safetensors", Path("model.safetensors")):
        with pytest.raises(InputError, match=rf"{kind.__name__}\.from_pretrained\('model.safetensors'\)"):
            kind(path)  # type: ignore[arg-type]
        with pytest.raises(InputError, match=r"Model\.from_pretrained\('model.safetensors'\)"):
            Model(path)


def test_batches_keep_to_the_token_budget() -> None:
    model = FakeModel()
    TextEmbedder(model, max_batch_tokens=40)([words(int(n), 1) for n in np.arange(60) % 25])
    sizes = [sum(map(len, call["ids"])) for call in model.calls]
    assert max(sizes) <= 40
    assert np.mean(sizes) > 25


def test_models_without_token_types_get_none() -> None:
    model = FakeModel(type_vocab_size=0)
    TextEmbedder(model)("a cat")
    assert model.calls[0]["types"] is None


def test_stream_reads_and_holds_a_few_batches_only() -> None:
    read = 0

    def texts() -> Iterator[str]:
        nonlocal read
        for _ in range(10_000):
            read += 1
            yield "the cat was good"

    stream = TextEmbedder(FakeModel(), max_batch_tokens=64).stream(texts())
    next(stream)
    assert read < 300


def test_errors_of_a_stream_count_from_its_first_text() -> None:
    stream = TextEmbedder(FakeModel(), max_batch_tokens=8).stream(["the cat was good"] * 500 + [words(60)])
    with pytest.raises(InputError, match="input 500 has"):
        list(stream)


def test_timeout_is_for_the_whole_call() -> None:
    class Slow(FakeModel):
        def __call__(self, *args: object, **options: object) -> object:
            time.sleep(0.03)
            return super().__call__(*args, **options)

    model = Slow()
    with pytest.raises(TimeoutError):
        TextEmbedder(model, max_batch_tokens=8)([words(5, n) for n in range(100)], timeout=0.1)
    given = [call["timeout"] for call in model.calls]
    assert 1 <= len(given) < 10
    assert given == sorted(given, reverse=True)


def test_cancel_token_reaches_the_model() -> None:
    model, token = FakeModel(), object()
    TextEmbedder(model)("a cat", cancel=token)
    assert model.calls[0]["cancel"] is token


def test_count_tokens_counts_what_a_sequence_needs() -> None:
    embedder = TextEmbedder(FakeModel())
    assert embedder.count_tokens("ada lovelace") == 5
    assert embedder.count_tokens(["a", ("a", "b"), words(100)]) == [3, 5, 102]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_length": 33}, "max_length is 33; fake.safetensors takes at most 32"),
        ({"max_batch_tokens": 0}, "max_batch_tokens is 0"),
        ({"on_overflow": "ignore"}, "on_overflow is 'ignore'; it can be error, truncate, stride"),
    ],
)
def test_limits_are_checked_at_once(options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        TextEmbedder(FakeModel(), **options)


@pytest.mark.parametrize("given", [None, 3])
def test_what_is_no_text_at_all_is_refused(given: object) -> None:
    with pytest.raises(InputError, match="give a str, a pair"):
        TextEmbedder(FakeModel())(given)


def test_truncation_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="mobilebert_rt"):
        TextEmbedder(FakeModel(), on_overflow="truncate")(["the", words(50)])
    assert caplog.messages == ["input 1: 52 tokens cut to 32"]


def test_tasks_pickle_with_their_model() -> None:
    embedder = TextEmbedder(FakeModel(), normalize=True)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(embedder))("a cat"), embedder("a cat"))


def test_threads_share_a_task() -> None:
    embedder = TextEmbedder(FakeModel(), max_batch_tokens=16)
    texts = [words(n % 20 + 1, n) for n in range(40)]
    expected = embedder(texts)
    wrong = []

    def work() -> None:
        if not np.array_equal(embedder(texts), expected):
            wrong.append(threading.get_ident())

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_nothing_is_printed_where_there_is_no_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    TextEmbedder(FakeModel())([words(5, n) for n in range(50)])
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("terminal", "asked", "shown"),
    [(True, None, True), (True, False, False), (False, None, False), (False, True, True)],
)
def test_a_bar_is_for_terminals_unless_told_otherwise(
    monkeypatch: pytest.MonkeyPatch, terminal: bool, asked: bool | None, shown: bool
) -> None:
    pytest.importorskip("tqdm")
    stream = io.StringIO()
    monkeypatch.setattr(stream, "isatty", lambda: terminal)
    monkeypatch.setattr(sys, "stderr", stream)
    bar = progress_bar(10, asked)
    assert (type(bar).__name__ == "tqdm") is shown
    bar.close()


def test_a_bar_counts_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = []
    monkeypatch.setattr(task, "progress_bar", lambda total, progress: _Recorder(counted, total))
    TextEmbedder(FakeModel(), max_batch_tokens=20, on_overflow="stride", stride=4)([words(n) for n in (3, 70, 5)])
    assert sum(counted[1:]) == counted[0] == 3


def test_without_tqdm_there_is_silence(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("mobilebert_rt.text.progress.tqdm", None)
    progress_bar(10, True).update(3)
    assert capfd.readouterr() == ("", "")


class _Recorder:
    def __init__(self, counted: list[int], total: int) -> None:
        self.counted = counted
        counted.append(total)

    def update(self, n: int) -> None:
        self.counted.append(n)

    def close(self) -> None:
        pass


def test_importing_the_package_loads_no_tokenizer() -> None:
    code = "import sys, mobilebert_rt; print([m for m in ('tokenizers', 'tqdm', 'torch') if m in sys.modules])"
    done = interpreter.run(code)
    assert done.stdout.strip() == "[]", done.stderr
