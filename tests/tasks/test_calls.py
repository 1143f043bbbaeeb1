"""What all tasks share: threads, streams, progress, time limits, pickling, imports."""

from __future__ import annotations

import importlib
import io
import logging
import pickle
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from mobilebert_rt import (
    CancelledError,
    CancelToken,
    FillMask,
    InputError,
    Model,
    QuestionAnswerer,
    TextClassifier,
    TextEmbedder,
    TimeoutError,
    TokenClassifier,
)
from mobilebert_rt.text import Answer, Classification, Entity, Fill
from mobilebert_rt.text import task as task_module
from mobilebert_rt.text.progress import progress_bar
from mobilebert_rt.text.task import TextTask
from mobilebert_rt.text.tokenizer import Encoding
from tests import interpreter
from tests.emulation import EMULATED
from tests.small_models.text import VOCAB_SIZE, random_words
from tests.tasks.conftest import Make

ODD = ["", " ", "\u5317\u4eac \U0001f600", "e\u0301\u0323 ada", "\x00\x1b\u200d", "\U0010ffff", "a" * 120]


@pytest.mark.parametrize("kind", [TextEmbedder, TextClassifier, TokenClassifier, QuestionAnswerer, FillMask])
def test_path_instead_of_a_model_is_refused_with_the_fix(kind: type[TextTask[Any]]) -> None:
    for path in ("model.safetensors", Path("model.safetensors")):
        with pytest.raises(InputError, match=rf"{kind.__name__}\.from_pretrained\('model.safetensors'\)"):
            kind(path)
        with pytest.raises(InputError, match=r"Model\.from_pretrained\('model.safetensors'\)"):
            Model(path)


def test_results_do_not_depend_on_threads_or_batches(random_model: Make) -> None:
    model = random_model()
    texts = [*ODD, *(random_words(n % 30, n) for n in range(60 if EMULATED else 600))]
    expected = TextEmbedder(model)(texts)
    for threads in (1, 2, 5):
        other = Model(model._core, model.path, {"num_threads": threads})
        for batch in (30, 4096):
            np.testing.assert_array_equal(TextEmbedder(other, max_batch_tokens=batch)(texts), expected)


def test_four_threads_share_a_task(random_model: Make) -> None:
    embedder = TextEmbedder(random_model(), max_batch_tokens=64)
    texts = [random_words(n % 20 + 1, n) for n in range(20 if EMULATED else 200)]
    expected = embedder(texts)
    wrong = []

    def work() -> None:
        for _ in range(5):
            if not np.array_equal(embedder(texts), expected):
                wrong.append(threading.get_ident())

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert not any(thread.is_alive() for thread in threads)
    assert not wrong


def test_gil_is_free_during_a_call(random_model: Make) -> None:
    # With a switch interval of an hour another thread runs only when the call lets it.
    embedder = TextEmbedder(random_model())
    texts = [random_words(30, n) for n in range(300)]
    during = threading.Event()
    before = sys.getswitchinterval()

    def count() -> None:
        while not done.is_set():
            during.set()
            time.sleep(0)

    done = threading.Event()
    thread = threading.Thread(target=count)
    sys.setswitchinterval(3600)
    try:
        thread.start()
        during.clear()
        embedder(texts)
        ran = during.is_set()
    finally:
        sys.setswitchinterval(before)
        done.set()
        thread.join()
    assert ran


def test_stream_reads_and_holds_a_few_batches_only(random_model: Make) -> None:
    read = 0

    def texts() -> Iterator[str]:
        nonlocal read
        for _ in range(10_000):
            read += 1
            yield "the cat was good"

    next(TextEmbedder(random_model(), max_batch_tokens=64).stream(texts()))
    assert read < 300


def test_errors_of_a_stream_count_from_its_first_text(random_model: Make) -> None:
    embedder = TextEmbedder(random_model(), max_batch_tokens=8, on_overflow="error")
    stream = embedder.stream(["the cat was good"] * 500 + [random_words(60)])
    with pytest.raises(InputError, match="input 500 has"):
        list(stream)


def test_timeout_is_for_the_whole_call(random_model: Make) -> None:
    embedder = TextEmbedder(random_model(), max_batch_tokens=8)
    texts = [random_words(5, n) for n in range(100)]
    with pytest.raises(TimeoutError):
        embedder(texts, timeout=0)
    assert embedder(texts, timeout=1e9).shape[0] == 100
    stream = embedder.stream(texts * 20, timeout=0.2)
    next(stream)
    time.sleep(0.25)
    with pytest.raises(TimeoutError):
        list(stream)


def test_cancel_stops_a_call_between_batches(random_model: Make) -> None:
    token = CancelToken()
    embedder = TextEmbedder(random_model(), max_batch_tokens=8)
    seen = 0

    def progress(texts: int) -> None:
        nonlocal seen
        seen += texts
        if seen >= 10:
            token.cancel()

    texts = tuple(random_words(5, n) for n in range(100))
    with pytest.raises(CancelledError):
        embedder._task.embed(texts, cancel=token, progress=progress)
    assert seen == 10
    with pytest.raises(CancelledError):
        embedder(list(texts), cancel=token)


def test_exception_of_a_progress_callback_reaches_the_caller(random_model: Make) -> None:
    def progress(texts: int) -> None:
        raise KeyError(texts)

    with pytest.raises(KeyError):
        TextEmbedder(random_model())._task.embed(("a",), progress=progress)


def test_ctrl_c_stops_a_call(random_model: Make) -> None:
    embedder = TextEmbedder(random_model(), max_batch_tokens=200)
    texts = [random_words(30, n) for n in range(200)] * 100
    timer = threading.Timer(0.2, lambda: signal.raise_signal(signal.SIGINT))

    def run_for_long() -> None:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            embedder(texts)

    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            run_for_long()
    finally:
        timer.join()


def test_count_tokens_counts_what_a_sequence_needs(random_model: Make) -> None:
    embedder = TextEmbedder(random_model())
    assert embedder.count_tokens("ada lovelace") == 5
    assert embedder.count_tokens(["a", ("a", "b"), random_words(100)]) == [3, 5, 102]


@pytest.mark.parametrize("given", [None, 3])
def test_input_that_is_no_text_is_refused(random_model: Make, given: Any) -> None:
    with pytest.raises(InputError, match="expected a str, a pair"):
        TextEmbedder(random_model())(given)


def test_truncation_is_logged(random_model: Make, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="mobilebert_rt"):
        TextEmbedder(random_model(), on_overflow="truncate")(["the", random_words(50)])
    assert caplog.messages == ["input 1: 52 tokens cut to 40"]


@pytest.mark.parametrize(
    ("kind", "head", "options", "given"),
    [
        (TextEmbedder, "Model", {"pooling": "cls", "max_length": 9}, ("a cat",)),
        (TextClassifier, "ForSequenceClassification", {"function_to_apply": "sigmoid"}, ("a cat",)),
        (TokenClassifier, "ForTokenClassification", {"aggregation": "none"}, ("a cat",)),
        (QuestionAnswerer, "ForQuestionAnswering", {"doc_stride": 7, "whole_words": False}, ("who", "a cat")),
        (FillMask, "ForMaskedLM", {}, ("a [MASK]",)),
    ],
)
def test_tasks_pickle_with_their_options(
    random_model: Make, kind: type[TextTask[Any]], head: str, options: dict[str, Any], given: tuple[str, ...]
) -> None:
    task: Any = kind(random_model(head), **options)
    copy = pickle.loads(pickle.dumps(task))
    np.testing.assert_array_equal(copy(*given), task(*given))
    assert (copy.limits.max_length, copy.limits.stride) == (task.limits.max_length, task.limits.stride)


def test_nothing_is_printed_without_a_terminal(random_model: Make, capfd: pytest.CaptureFixture[str]) -> None:
    TextEmbedder(random_model())([random_words(5, n) for n in range(50)])
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("terminal", "asked", "shown"),
    [(True, None, True), (True, False, False), (False, None, False), (False, True, True)],
)
def test_bar_is_shown_on_terminals_by_default(
    monkeypatch: pytest.MonkeyPatch, terminal: bool, asked: bool | None, shown: bool
) -> None:
    pytest.importorskip("tqdm")
    stream = io.StringIO()
    monkeypatch.setattr(stream, "isatty", lambda: terminal)
    monkeypatch.setattr(sys, "stderr", stream)
    with progress_bar(10, asked) as bar:
        assert (bar is not None) is shown


def test_bar_is_shown_in_notebooks(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("tqdm")
    stream = type("OutStream", (io.StringIO,), {"__module__": "ipykernel.iostream"})()
    monkeypatch.setattr(sys, "stderr", stream)
    with progress_bar(10, None) as bar:
        assert bar is not None
    assert importlib.import_module("tqdm.auto").tqdm in type(bar).__mro__


def test_bar_counts_texts(random_model: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[int] = []

    @contextmanager
    def recorder(total: int, progress: bool | None) -> Iterator[Any]:
        counted.append(total)
        yield SimpleNamespace(update=counted.append)
        counted.append(-1)

    monkeypatch.setattr(task_module, "progress_bar", recorder)
    embedder = TextEmbedder(random_model(), max_batch_tokens=20, max_length=12, on_overflow="stride", stride=4)
    embedder([random_words(n) for n in (3, 70, 5)])
    assert counted[0] == 3
    assert counted[-1] == -1
    assert sum(counted[1:-1]) == 3


def test_without_tqdm_there_is_no_bar(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    with progress_bar(10, True) as bar:
        assert bar is None
    assert capfd.readouterr() == ("", "")


BLOCKER = """
import sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("tokenizers", "tqdm", "torch", "transformers"):
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Blocker())
import mobilebert_rt
"""


def test_numpy_is_the_only_requirement() -> None:
    done = interpreter.run(BLOCKER + "print(mobilebert_rt.TextEmbedder()(['A cat sleeps.'], progress=True).shape)")
    assert done.stdout.strip() == "(1, 384)", done.stderr


def test_other_tokenizers_name_the_extra_to_install(tmp_path: Path) -> None:
    file = tmp_path / "tokenizer.json"
    file.write_text('{"version": "1.0", "model": {"type": "Unigram", "unk_id": 0, "vocab": [["<unk>", 0.0]]}}')
    code = BLOCKER + "from mobilebert_rt.text import TextTokenizer; TextTokenizer(sys.argv[1])"
    done = interpreter.run(code, str(file))
    assert "UnsupportedModelError" in done.stderr
    assert 'its model is "Unigram"' in done.stderr
    assert "pip install 'mobilebert-rt[tokenizers]'" in done.stderr


def test_importing_the_package_loads_no_optional_library() -> None:
    code = "import sys, mobilebert_rt; print([m for m in ('tokenizers', 'tqdm', 'torch') if m in sys.modules])"
    done = interpreter.run(code)
    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.parametrize(
    ("kind", "head"),
    [
        (TextEmbedder, "Model"),
        (TextClassifier, "ForSequenceClassification"),
        (TokenClassifier, "ForTokenClassification"),
        (QuestionAnswerer, "ForQuestionAnswering"),
        (FillMask, "ForMaskedLM"),
    ],
)
def test_tasks_print_their_model_and_settings(random_model: Make, kind: type[TextTask[Any]], head: str) -> None:
    model = random_model(head)
    task = kind(model, max_length=9, on_overflow="truncate", batch_size=2)
    settings = "max_length=9, on_overflow='truncate', batch_size=2, max_batch_tokens=18"
    assert repr(task) == f"<{kind.__name__} {model.path.name!r}: {settings}>"
    assert repr(task.tokenizer) == f"<TextTokenizer: {VOCAB_SIZE} pieces>"


def test_results_print_shortly() -> None:
    assert repr(Classification("GOOD", 0.98765432)) == "Classification(label='GOOD', score=0.9877)"
    assert repr(Entity("Ada", "PER", 1 / 3, 0, 3)) == "Entity(text='Ada', label='PER', score=0.3333, start=0, end=3)"
    assert repr(Answer("word " * 90, 0.5, 0, 450)).startswith("Answer(text='word word ")
    assert len(repr(Fill("a", 7, 0.5, "word " * 900))) < 160
    assert repr(Encoding([2, 7, 3], [0] * 3, [(0, 0)] * 3, [None] * 3, [None] * 3)) == "Encoding(3 ids: [2, 7, 3])"
    assert len(repr(Encoding(list(range(512)), [], [], [], []))) < 100
