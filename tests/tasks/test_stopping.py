"""Calls that end early: at a time limit while long texts are tokenised, and with the process."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import interpreter
from tests.emulation import EMULATED
from tests.small_models import save_folder

# Prints the error, the seconds that the call took, and the peak of the process's memory in MB.
CALL = """
import re, sys, time
import mobilebert_rt as mbrt

embedder = mbrt.TextEmbedder(on_overflow=sys.argv[2])
texts = eval(sys.argv[1])
began = time.perf_counter()
try:
    embedder(texts, timeout=float(sys.argv[3]))
    error = "none"
except mbrt.TimeoutError:
    error = "TimeoutError"
seconds = time.perf_counter() - began
status = open("/proc/self/status").read()  # getrusage has the peak of the process that started this one
print(error, seconds, int(re.search(r"VmHWM:\\s*(\\d+)", status)[1]) / 1024)
"""

DAEMONS = """
import threading, time
import mobilebert_rt as mbrt

embedder = mbrt.TextEmbedder()
def work():
    while True:
        embedder(["a text of a few words"] * 50, progress=False)
for _ in range(2):
    threading.Thread(target=work, daemon=True).start()
time.sleep(0.2)
"""


@pytest.mark.serial
@pytest.mark.skipif(EMULATED, reason="[emulated] measures time")
@pytest.mark.parametrize("on_overflow", ["truncate", "stride"])
@pytest.mark.parametrize(
    ("texts", "timeout", "error"),
    [
        ("'!' * 4_000_000", 0.02, "TimeoutError"),
        ("'\\u00e9 ' * 2_000_000", 0.02, "TimeoutError"),
        ("'a' * 1_000_000", 5, "none"),  # one unknown word
        ("['hello world'] * 100_000", 0.02, "TimeoutError"),
    ],
)
def test_timeout_stops_a_call_with_long_texts_in_bounded_memory(
    texts: str, timeout: float, error: str, on_overflow: str
) -> None:
    done = interpreter.run(CALL, texts, on_overflow, str(timeout), MBRT_NUM_THREADS="2")
    assert done.returncode == 0, done.stderr
    found, seconds, megabytes = done.stdout.split()
    assert found == error
    assert float(seconds) < 1  # on an idle machine 10 ms after the timeout
    assert float(megabytes) < 300


def test_daemon_threads_in_a_call_do_not_abort_the_exit() -> None:
    for _ in range(2 if EMULATED else 8):
        done = interpreter.run(DAEMONS)
        assert (done.returncode, done.stderr) == (0, "")


def test_process_ends_with_a_model_of_a_folder_in_a_module(tmp_path: Path) -> None:
    program = "import sys, mobilebert_rt as mbrt\nmodel = mbrt.Model.from_pretrained(sys.argv[1])"
    done = interpreter.run(program, str(save_folder(tmp_path / "m")))
    assert (done.returncode, done.stderr) == (0, "")
