from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
from pathlib import Path

import pytest

from mobilebert_rt import __version__, _core, loading
from mobilebert_rt.cli import COMMANDS, main
from mobilebert_rt.model import Model
from tests import interpreter
from tests.cli.conftest import Mbrt
from tests.emulation import import_on_host
from tests.small_models.files import write_model


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_an_example_and_json(mbrt: Mbrt, command: str) -> None:
    shown = mbrt(command, "--help")
    assert shown.code == 0
    assert f"  mbrt {command} " in shown.out.partition("example")[2]
    assert "--json" in shown.out
    assert shown.err == ""


def test_help_lists_every_command(mbrt: Mbrt) -> None:
    for spelling in ("--help", "-h", "help"):
        shown = mbrt(spelling)
        assert shown.code == 0
        assert all(f"  {command}" in shown.out for command in COMMANDS)


def test_no_command_is_a_usage_error(mbrt: Mbrt) -> None:
    shown = mbrt()
    assert (shown.code, shown.out) == (2, "")
    assert "usage: mbrt COMMAND" in shown.err


def test_unknown_command_is_a_usage_error(mbrt: Mbrt) -> None:
    shown = mbrt("clasify", "x")
    assert (shown.code, shown.out, shown.err) == (2, "", "mbrt: clasify: no such command. `mbrt --help` lists them.\n")


def test_version(mbrt: Mbrt) -> None:
    assert mbrt("--version").out == f"mbrt {__version__}\n"


def test_wrong_option_exits_with_2(mbrt: Mbrt) -> None:
    shown = mbrt("embed", "model", "text", "--on-overflow", "ignore")
    assert shown.code == 2
    assert "--on-overflow: found 'ignore'; expected one of error|truncate|stride" in shown.err


def test_missing_model_is_an_error_without_traceback(mbrt: Mbrt, tmp_path: Path) -> None:
    shown = mbrt("embed", tmp_path / "none.safetensors", "text")
    assert (shown.code, shown.out) == (1, "")
    assert shown.err.startswith("mbrt: ")
    assert "none.safetensors" in shown.err
    assert "Traceback" not in shown.err


@pytest.mark.parametrize(("options", "code"), [(["--isa", "nonsense"], 1), (["--threads", "0"], 2)])
def test_wrong_model_options_are_errors(mbrt: Mbrt, folder: Path, options: list[str], code: int) -> None:
    shown = mbrt("embed", folder, "the cat", *options)
    assert (shown.code, shown.out) == (code, "")
    assert options[1] in shown.err


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_that_need_no_head_offer_the_default_model(mbrt: Mbrt, command: str) -> None:
    offered = command in ("bench", "embed", "inspect", "profile", "verify")
    assert ('"default", the model that comes' in " ".join(mbrt(command, "--help").out.split())) == offered


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            'choose on_overflow "truncate" (keep it) or "stride".',
            'choose --on-overflow truncate (keep it) or "stride".',
        ),
        ("Pass on_overflow='truncate'.", "Pass --on-overflow truncate."),
        ("max_length is 41; a smaller max_length.", "--max-length is 41; a smaller --max-length."),
        ("num_threads: found 0", "--threads: found 0"),
        ("/a/max_length/x: top_k.txt, my_top_k", "/a/max_length/x: top_k.txt, my_top_k"),
        ('on_overflow "', '--on-overflow "'),
        ("max_length", "--max-length"),
        ("", ""),
    ],
)
def test_messages_name_options_in_place_of_keywords(message: str, expected: str) -> None:
    assert _core.on_command_line(message) == expected


def test_slow_conversion_is_reported(mbrt: Mbrt, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "SLOW", 0.0)
    shown = mbrt("embed", folder, "the cat", "--json")
    assert (shown.code, len(shown.lines)) == (0, 1)
    line = f"mbrt: {folder}: converted to int8 in .* s; `mbrt convert` writes a file that loads at once.\n"
    assert re.fullmatch(line, shown.err)


@pytest.mark.parametrize("option", ["--file", "--output"])
def test_error_names_the_file_and_the_reason(mbrt: Mbrt, folder: Path, option: str) -> None:
    texts = [] if option == "--file" else ["the cat"]
    shown = mbrt("embed", folder, *texts, option, "/nonexistent/file")
    assert shown.code == 1
    assert re.fullmatch("mbrt: /nonexistent/file: (cannot write: )?No such file or directory.\n", shown.err)


def test_interrupt_ends_loading(mbrt: Mbrt, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*arguments: object, **options: object) -> None:
        signal.raise_signal(signal.SIGINT)
        pytest.fail("Python code runs on")

    monkeypatch.setattr(Model, "from_pretrained", interrupt)
    shown = mbrt("embed", "model", "text")
    assert (shown.code, shown.out, shown.err) == (130, "", "mbrt: interrupted\n")


def test_interrupt_ends_loading_beside_another_librarys_handler() -> None:
    import_on_host("polars")  # its handler takes the three arguments of SA_SIGINFO
    code = """
import signal, sys
import polars
from mobilebert_rt.cli import main
from mobilebert_rt.model import Model

def interrupt(*arguments, **options):
    signal.raise_signal(signal.SIGINT)
    sys.exit("Python code runs on")

Model.from_pretrained = interrupt
sys.exit(main(["embed", "model", "text"]))
"""
    done = interpreter.run(code)
    assert (done.returncode, done.stderr) == (130, "mbrt: interrupted\n")


@pytest.mark.parametrize("busy", [False, True], ids=["reading", "running"])
def test_interrupt_ends_reading_and_running(busy: bool, models: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """And then Python handles interrupts as before."""
    model = str(write_model(models, "deep" if busy else "embed", "fp32"))
    words = ["bench", model, "--lengths", "512", "--repeats", "9999", "--seconds", "99"] if busy else ["embed", model]
    own, (source, sink) = os.dup(0), os.pipe()
    os.dup2(source, 0)
    timer = threading.Timer(0.5, os.kill, [os.getpid(), signal.SIGINT])
    try:
        timer.start()
        assert main(words) == 130
    finally:
        timer.join()
        os.dup2(own, 0)
        for descriptor in (own, source, sink):
            os.close(descriptor)
    assert capfd.readouterr() == ("", "mbrt: interrupted\n")
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_other_threads_run_during_a_command(mbrt: Mbrt) -> None:
    ticks = []
    timer = threading.Timer(0.1, ticks.append, ["run"])
    timer.start()
    shown = mbrt("bench", "default", "--lengths", "64", "--repeats", "999999", "--seconds", "0.5")
    assert shown.code == 0
    assert ticks == ["run"]


def test_closed_output_is_no_error(models: Path) -> None:
    model = write_model(models, "embed")  # a folder's conversion is reported when it takes long
    process = subprocess.Popen(
        interpreter.command("-m", "mobilebert_rt", "embed", str(model), "--file", "-", "--json"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    process.stdin.write(b"the cat\n" * 2000)
    process.stdin.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(timeout=120) == 141


def test_help_imports_no_heavy_module() -> None:
    code = """
import sys
from mobilebert_rt.cli import main
main(["--help"])
heavy = ("tokenizers", "tqdm", "torch", "mobilebert_rt.conversion")
print([module for module in heavy if module in sys.modules], file=sys.stderr)
"""
    done = interpreter.run(code)
    assert done.returncode == 0, done.stderr
    assert done.stderr.strip() == "[]"
