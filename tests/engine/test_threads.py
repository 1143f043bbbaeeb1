"""A model among threads and processes: shared, interrupted, forked, pickled, and quiet when idle."""

from __future__ import annotations

import hashlib
import os
import pickle
import resource
import signal
import sys
import sysconfig
import threading
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import mobilebert_rt as mbrt
from tests import interpreter
from tests.emulation import EMULATED
from tests.engine.support import LONG, Ids, digest, load, make_texts

TEXTS = make_texts([3, 20, 33, 64, 1, 90])

needs_a_real_kernel = pytest.mark.skipif(EMULATED, reason="[emulated] qemu-user forks no process with threads safely")
needs_real_memory = pytest.mark.skipif(EMULATED, reason="[emulated] memory and time are those of the emulator")


def long_batch(model: mbrt.Model, seconds: float) -> tuple[list[Ids], float]:
    """A batch that keeps the model busy for so long, and how long it took."""
    batch = make_texts([LONG] * 8)
    while True:
        began = time.perf_counter()
        model(batch)
        took = time.perf_counter() - began
        if took >= seconds:
            return batch, took
        batch = batch * max(2, int(1.3 * seconds / took) + 1)


@pytest.mark.parametrize("num_threads", [1, 3])
def test_many_threads_can_call_one_model(tmp_path: Path, num_threads: int) -> None:
    model = load(tmp_path, "mobilebert_int8", num_threads, max_positions=LONG)
    expected = [digest(model([text]), 0) for text in TEXTS]

    def call(first: int) -> list[str]:
        order = [(first + i) % len(TEXTS) for i in range(len(TEXTS))]
        output = model([TEXTS[i] for i in order])
        return [digest(output, order.index(i)) for i in range(len(TEXTS))]

    with ThreadPoolExecutor(8) as pool:
        for found in pool.map(call, range(6 if EMULATED else 48)):
            assert found == expected


FIRST_USE = """
import hashlib, sys, threading
import mobilebert_rt as mbrt

gil = sys._is_gil_enabled() if hasattr(sys, "_is_gil_enabled") else True
together = threading.Barrier(8)
found = []
def work():
    together.wait()
    embedder = mbrt.TextEmbedder()
    try:
        embedder([b"bytes"])
        raise AssertionError("no error")
    except mbrt.InputError:
        vectors = embedder(["A cat sleeps.", "A dog barks at the cat.", "Rain."] * 3)
    found.append(hashlib.sha256(vectors.tobytes()).hexdigest())
threads = [threading.Thread(target=work) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(gil, len(found), *set(found))
"""


def test_first_use_by_eight_threads_at_once_gives_the_same_bits() -> None:
    vectors = mbrt.TextEmbedder()(["A cat sleeps.", "A dog barks at the cat.", "Rain."] * 3)
    done = interpreter.run(FIRST_USE, MBRT_NUM_THREADS="2")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split()[1:] == ["8", hashlib.sha256(vectors.tobytes()).hexdigest()]


def test_import_does_not_enable_the_gil_of_a_free_threaded_python() -> None:
    has_gil = not sysconfig.get_config_var("Py_GIL_DISABLED")
    done = interpreter.run(FIRST_USE, PYTHON_GIL=None)
    assert (done.stdout.split()[0], done.stderr) == (str(has_gil), "")


@pytest.mark.serial
def test_other_python_threads_run_during_a_call(tmp_path: Path) -> None:
    model = load(tmp_path, "bert", 1, max_positions=LONG)
    batch, _ = long_batch(model, 0.4)
    thread = threading.Thread(target=model, args=(batch,))
    began = last = time.perf_counter()
    longest = 0.0
    thread.start()
    while thread.is_alive():
        time.sleep(0.001)
        now = time.perf_counter()
        longest, last = max(longest, now - last), now
    thread.join()
    assert longest < 0.5 * (last - began), "the call kept the interpreter's lock"


def stopped_after(call: Callable[[], object], error: type[Exception]) -> float:
    began = time.perf_counter()
    with pytest.raises(error):
        call()
    return time.perf_counter() - began


@pytest.mark.serial
@pytest.mark.parametrize("num_threads", [1, 2])
def test_timeout_and_cancel_stop_a_call_and_leave_the_model_usable(tmp_path: Path, num_threads: int) -> None:
    model = load(tmp_path, "bert", num_threads, max_positions=LONG)
    expected = digest(model(TEXTS), 2)
    batch, took = long_batch(model, 0.5)
    assert stopped_after(lambda: model(batch, timeout=0.02), mbrt.TimeoutError) < 0.5 * took
    assert digest(model(TEXTS), 2) == expected

    token = mbrt.CancelToken()
    assert not token.cancelled
    timer = threading.Timer(0.02, token.cancel)
    timer.start()
    assert stopped_after(lambda: model(batch, cancel=token), mbrt.CancelledError) < 0.5 * took
    timer.join()
    assert token.cancelled
    with pytest.raises(mbrt.CancelledError, match="cancelled by its caller"):
        model(TEXTS, cancel=token)
    assert digest(model(TEXTS), 2) == expected


def test_timeout_error_is_a_standard_timeout_error() -> None:
    assert issubclass(mbrt.TimeoutError, mbrt.MobileBertError)
    assert issubclass(mbrt.TimeoutError, TimeoutError)
    assert issubclass(mbrt.CancelledError, mbrt.MobileBertError)


@pytest.mark.parametrize("timeout", [3600.0, 1e18, 1e300, float("inf")])
def test_very_long_timeout_means_no_deadline(tmp_path: Path, timeout: float) -> None:
    model = load(tmp_path, "mobilebert_int8")
    assert digest(model([[1, 2]], timeout=timeout), 0) == digest(model([[1, 2]]), 0)


def test_passed_deadline_stops_the_call(tmp_path: Path) -> None:
    model = load(tmp_path, "mobilebert_int8")
    with pytest.raises(mbrt.TimeoutError, match="deadline"):
        model([[1, 2]], timeout=0.0)
    for timeout in (-1.0, float("-inf"), float("nan")):
        with pytest.raises(
            mbrt.InputError, match=rf"timeout: found {timeout}; expected a number of seconds, 0 or more"
        ):
            model([[1, 2]], timeout=timeout)


@pytest.mark.serial
@needs_real_memory
def test_idle_process_uses_no_cpu_time(tmp_path: Path) -> None:
    model = load(tmp_path, "mobilebert_int8", 3, max_positions=LONG)
    model(TEXTS)
    time.sleep(0.01)  # the workers may still be on their way to sleep
    before = time.process_time()
    time.sleep(0.3)
    assert time.process_time() - before < 0.005


def run_in_child(compute: Callable[[], bool], seconds: float = 30) -> int:
    """Forks; the child exits with 0 when compute() is true. The child's exit code, -1 if it hung."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # forking with threads: what is tested
        child = os.fork()
    if child == 0:
        code = 2
        try:
            code = 0 if compute() else 1
        finally:
            os._exit(code)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.005)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return -1


@needs_a_real_kernel
def test_forked_child_computes_the_same(tmp_path: Path) -> None:
    model = load(tmp_path, "mobilebert_int8", 3, max_positions=LONG)
    expected = digest(model(TEXTS), 2)
    assert run_in_child(lambda: digest(model(TEXTS), 2) == expected) == 0
    assert digest(model(TEXTS), 2) == expected


@needs_a_real_kernel
def test_fork_while_other_threads_run_calls(tmp_path: Path) -> None:
    model = load(tmp_path, "mobilebert_int8", 2, max_positions=LONG)
    expected = digest(model(TEXTS), 2)
    stop = threading.Event()

    def call_until_stopped() -> None:
        while not stop.is_set():
            model(TEXTS)

    callers = [threading.Thread(target=call_until_stopped) for _ in range(2)]
    for caller in callers:
        caller.start()
    try:
        codes = [run_in_child(lambda: digest(model(TEXTS), 2) == expected) for _ in range(5)]
    finally:
        stop.set()
        for caller in callers:
            caller.join()
    assert codes == [0] * 5


def test_pickle_keeps_file_and_options(tmp_path: Path) -> None:
    model = load(tmp_path, "mobilebert_int8", 2, isa="scalar")
    other = pickle.loads(pickle.dumps(model))
    assert (other.isa, other.num_threads, other.path) == ("scalar", 2, model.path.absolute())
    assert digest(other([[1, 2, 3]]), 0) == digest(model([[1, 2, 3]]), 0)


def test_trim_frees_the_workspace(tmp_path: Path) -> None:
    model = load(tmp_path, "bert_int8", 2, max_positions=LONG)
    assert model.memory["workspace"] == 0
    expected = digest(model(TEXTS), 2)
    kept = model.memory["workspace"]
    assert kept > 0
    assert model.trim() == kept
    assert model.memory["workspace"] == 0
    assert model.trim() == 0
    assert digest(model(TEXTS), 2) == expected


@needs_real_memory
def test_memory_does_not_grow_with_the_number_of_calls(tmp_path: Path) -> None:
    model = load(tmp_path, "mobilebert_int8", 2, max_positions=LONG)
    random = np.random.default_rng(1)
    largest = make_texts([LONG] * 12)

    def call() -> None:
        model(make_texts(random.integers(1, LONG + 1, random.integers(1, 13)).tolist()))

    def peak() -> float:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)

    model(largest)
    for _ in range(50):
        call()
    before, workspace = peak(), model.memory["workspace"]
    for _ in range(400):
        call()
    assert model.memory["workspace"] == workspace
    assert peak() - before < 4e6
