"""Options of the command line and of the environment, names of models, and errors before the server listens."""

from __future__ import annotations

import dataclasses
import socket
import subprocess
from pathlib import Path

import pytest

from mobilebert_rt.cli import UsageError, main
from mobilebert_rt.cli.serve import COMMAND
from mobilebert_rt.errors import InputError
from mobilebert_rt.server.models import split
from mobilebert_rt.server.settings import Settings, settings_of, variable
from tests import interpreter

VALUES = {
    "host": ("0.0.0.0", "0.0.0.0"),
    "port": ("9000", 9000),
    "api_key": ("secret", "secret"),
    "cors_origins": ("https://a.example, https://b.example", ("https://a.example", "https://b.example")),
    "auto_truncate": ("1", True),
    "timeout": ("1.5", 1.5),
    "body_timeout": ("2", 2.0),
    "grace": ("3", 3.0),
    "log_format": ("text", "text"),
    "log_level": ("error", "error"),
}


def settings(*words: str, **environment: str) -> Settings:
    return settings_of(COMMAND.parse("serve", list(words)), environment)


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(Settings)])
def test_every_option_is_a_flag_and_a_variable(name: str) -> None:
    text, value = VALUES.get(name, ("77", 77))
    flag = f"--{name.replace('_', '-')}"
    by_flag = settings(flag) if value is True else settings(flag, text)
    expected = dataclasses.replace(Settings(), **{name: value})
    assert by_flag == settings(**{variable(name): text}) == expected
    if value is not True:
        assert settings(flag, text, **{variable(name): "88" if value == 77 else text}) == expected


def test_server_listens_on_this_machine_only() -> None:
    assert settings().host == "127.0.0.1"
    assert settings().api_key is None
    assert settings().cors_origins == ()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", "65536"),
        ("port", "-1"),
        ("max_body", "0"),
        ("timeout", "0"),
        ("timeout", "nan"),
        ("auto_truncate", "yes"),
    ],
)
def test_wrong_variable_is_named(name: str, value: str) -> None:
    with pytest.raises(UsageError, match=f"^{variable(name)}: found '{value}'; expected "):
        settings(**{variable(name): value})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("default", ("default", "default")),
        ("a/b/sst2.safetensors", ("sst2", "a/b/sst2.safetensors")),
        ("x=a/b.safetensors", ("x", "a/b.safetensors")),
        ("x=a=b", ("x", "a=b")),
        ("a/folder-1.0", ("folder-1.0", "a/folder-1.0")),
    ],
)
def test_name_of_a_model(text: str, expected: tuple[str, str]) -> None:
    assert split(text) == expected


def test_path_with_an_equals_sign_is_a_path(tmp_path: Path) -> None:
    path = tmp_path / "a=b"
    path.touch()
    assert split(f"x={path}") == ("x", str(path))
    with pytest.raises(InputError, match="Write NAME=MODEL"):
        split(str(path))


@pytest.mark.parametrize("name", ["", "a b", "-a", "a/b", "x" * 65])
def test_name_that_no_path_can_hold_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="expected letters, digits"):
        split(f"{name}=default")


def test_errors_before_the_server_listens(capsys: pytest.CaptureFixture[str], models: dict[str, Path]) -> None:
    assert main(["serve", "no-such-file.safetensors"]) == 1
    assert "no-such-file.safetensors" in capsys.readouterr().err
    assert main(["serve", "x=default", f"x={models['embed']}"]) == 1
    assert "x: found two models of this name" in capsys.readouterr().err
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert main(["serve", "default", "--port", str(taken.getsockname()[1])]) == 1
    assert "cannot listen: Address already in use. Choose another --host or --port." in capsys.readouterr().err


@pytest.mark.parametrize("module", ["starlette", "uvicorn", "msgspec", "orjson", "prometheus_client", "httptools"])
def test_missing_package_is_named(module: str) -> None:
    code = f"import sys; sys.modules['{module}'] = None\nfrom mobilebert_rt.cli import main; sys.exit(main(['serve']))"
    done = interpreter.run(code)
    assert done.returncode == 1
    assert done.stderr.startswith("mbrt: serve: ")
    assert "pip install 'mobilebert-rt[server]'" in done.stderr


def test_other_commands_import_nothing_of_it() -> None:
    code = (
        "import sys; from mobilebert_rt.cli import main; main(['info']); main(['serve', '--help'])\n"
        "print([m for m in ('starlette', 'uvicorn', 'msgspec', 'orjson') if m in sys.modules])"
    )
    command = interpreter.command("-c", code.replace("main(['serve', '--help'])", "main(['--help'])"))
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
