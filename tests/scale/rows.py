"""100,000 texts in Parquet files, their vectors by one process, and a run in which a worker dies."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

import numpy as np
import psutil
import pyarrow
import pyarrow.parquet

from mobilebert_rt import TextEmbedder
from tests.small_models.text import random_words

ROWS = 100_000
FILES = 50
SECONDS = 1200  # a loaded machine takes minutes


def make_texts() -> list[str | None]:
    """Short texts; some are empty, some null."""
    texts: list[str | None] = [random_words(1 + i % 8, i) for i in range(ROWS)]
    texts[5::97] = [None] * len(texts[5::97])
    texts[7::1009] = [""] * len(texts[7::1009])
    return texts


def write_source(folder: Path, texts: list[str | None]) -> Path:
    folder.mkdir()
    rows = ROWS // FILES
    for first in range(0, ROWS, rows):
        part = pyarrow.array(texts[first : first + rows], "string")
        table = pyarrow.table({"id": np.arange(first, first + rows), "text": part})
        pyarrow.parquet.write_table(table, folder / f"{first:06}.parquet")
    return folder


def vectors_in_one_process(texts: list[str | None]) -> np.ndarray:
    """[texts that are not null, H]."""
    return TextEmbedder()([text for text in texts if text is not None], progress=False)


def check_result(folder: Path, texts: list[str | None], vectors: np.ndarray) -> None:
    """Every row is there once, with the bits of `vectors`."""
    table = pyarrow.parquet.read_table(folder)
    assert sorted(table["id"].to_pylist()) == list(range(ROWS))
    table = table.sort_by("id")
    assert table["text"].to_pylist() == texts
    found = table["vector"].combine_chunks()
    np.testing.assert_array_equal(found.is_null().to_numpy(zero_copy_only=False), [text is None for text in texts])
    numbers = found.flatten().to_numpy()  # leaves nulls out
    assert numbers.dtype == np.float32
    np.testing.assert_array_equal(numbers.view(np.uint32), vectors.ravel().view(np.uint32))


def run_and_kill(write: Callable[[], object], is_under_way: Callable[[], bool], kill: Callable[[], None]) -> None:
    """Runs `write`; when it is under way, kills a worker; waits until `write` is done."""
    done: Future[object] = Future()

    def run() -> None:
        try:
            done.set_result(write())
        except BaseException as error:
            done.set_exception(error)

    threading.Thread(target=run, daemon=True).start()  # a run that hangs is not waited for
    end = time.monotonic() + SECONDS
    while not is_under_way():
        assert not done.done(), f"the run ended before a worker was killed: {done.exception()}"
        assert time.monotonic() < end, "the run makes no progress"
        time.sleep(0.05)
    assert not done.done()
    kill()
    done.result(SECONDS)


def kill_tree(process: psutil.Process) -> None:
    """SIGKILL to a process and all that it has started, as when a machine is lost. Waits until they are gone."""
    tree = [process, *process.children(recursive=True)]
    for one in tree:
        with contextlib.suppress(psutil.NoSuchProcess):
            one.kill()
    end = time.monotonic() + SECONDS
    while any(map(is_alive, tree)):
        assert time.monotonic() < end
        time.sleep(0.05)


def is_alive(process: psutil.Process) -> bool:
    """Whether a process runs: not after its end, though its parent may not have asked for its exit code."""
    try:
        return process.status() not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
    except psutil.NoSuchProcess:
        return False
