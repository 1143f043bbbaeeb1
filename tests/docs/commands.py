"""Commands of shell blocks: `mbrt` runs, others are compared with what the repository has."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from tests.docs import serving
from tests.docs.pages import ROOT, make_targets

# Programs that the repository does not provide. What they are asked to do is not checked.
FOREIGN = {"adb", "cc", "cp", "export", "git", "podman", "scp", "ssh", "tar"}
SECONDS = 120


def commands(text: str) -> list[str]:
    """The commands of a block, with continued lines joined."""
    joined = text.replace("\\\n", " ")
    return [line.strip() for line in joined.splitlines() if line.strip() and not line.startswith("#")]


def check(command: str, folder: Path) -> str | None:
    """None when the command works, else why not. `mbrt` runs in `folder`."""
    words = _program_and_arguments(command)
    program, arguments = words[0], words[1:]
    if program in FOREIGN:
        return None
    checks = {
        "mbrt": lambda: _run(command, arguments, folder),
        "make": lambda: _make(arguments),
        "pip": lambda: _pip(arguments),
        "python": lambda: _python(arguments),
        ".venv/bin/python": lambda: _python(arguments),
        "cmake": lambda: _cmake(arguments),
        "curl": lambda: serving.problem_of_curl(arguments),
        "mbrt-train": lambda: _training(command, arguments, folder),
    }
    if program not in checks:
        return f"{program!r} is not a command of this project; expected one of {sorted(FOREIGN | set(checks))}"
    return checks[program]()


def _program_and_arguments(command: str) -> list[str]:
    """The words of the last program of a pipeline, without variables before it, taskset and redirection."""
    words = shlex.split(command.rpartition(" | ")[2].partition(" > ")[0])
    while "=" in words[0]:
        words.pop(0)
    return words[3:] if words[:2] == ["taskset", "-c"] else words


def _run(command: str, arguments: list[str], folder: Path) -> str | None:
    """Runs a command line of `mbrt`. The file that it writes is removed before; nothing is downloaded."""
    if "mbrt download" in command:
        return None
    if arguments[0] == "serve":
        return serving.problem_of_serve(arguments[1:])
    if arguments[0] == "verify" and not all(map(importlib.util.find_spec, ("torch", "transformers"))):
        return None
    if arguments[0] == "convert":
        (folder / arguments[2]).unlink(missing_ok=True)
    if "--output" in arguments:
        (folder / arguments[arguments.index("--output") + 1]).unlink(missing_ok=True)
    programs = folder / "bin"
    programs.mkdir(exist_ok=True)
    mbrt = programs / "mbrt"
    mbrt.write_text(
        f"#!{sys.executable}\nimport sys\nfrom mobilebert_rt.cli import main\nsys.exit(main())\n", encoding="utf-8"
    )
    mbrt.chmod(0o755)
    done = subprocess.run(
        ["bash", "-c", re.sub(r"\btaskset -c \S+ ", "", command)],
        cwd=folder,
        env=os.environ | {"PATH": f"{programs}:{os.environ['PATH']}"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    return None if done.returncode == 0 else f"exit code {done.returncode}: {done.stdout}{done.stderr}"


def _make(targets: list[str]) -> str | None:
    missing = [target for target in targets if "=" not in target and target not in make_targets()]
    missing += [word for word in targets if word.startswith("TEST=") and not (ROOT / word[5:]).exists()]
    return f"the Makefile has no target {missing}" if missing else None


def _pip(arguments: list[str]) -> str | None:
    if arguments[0] != "install":
        return "only `pip install` is known"
    for argument in arguments[1:]:
        path, _, extras = argument.rstrip("]").partition("[")
        if path.startswith(".") and not (ROOT / path / "pyproject.toml").is_file():
            return f"{path} has no pyproject.toml"
        if path == "." and (unknown := set(filter(None, extras.split(","))) - _extras()):
            return f"pyproject.toml has no extra {unknown}"
    return None


def _extras() -> set[str]:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    table = text.partition("[project.optional-dependencies]")[2].partition("\n[")[0]
    return set(re.findall(r"^(\w+) = ", table, re.MULTILINE))


def _python(arguments: list[str]) -> str | None:
    """Scripts, modules and tests must exist, and their sources name each option."""
    if arguments[:2] == ["-m", "pytest"]:
        missing = [path for path in arguments[2:] if not path.startswith("-") and not (ROOT / path).exists()]
        return f"there is no {missing}" if missing else None
    module = arguments[0] == "-m"
    program = ROOT / (arguments[1].replace(".", "/") if module else arguments[0])
    if program.is_dir():
        if not (program / "__main__.py").is_file():
            return f"{program.relative_to(ROOT)} has no __main__.py"
        return _unknown_options(ROOT / program.relative_to(ROOT).parts[0], arguments)
    return None if program.is_file() else f"there is no {program.relative_to(ROOT)}"


def _unknown_options(folder: Path, arguments: list[str]) -> str | None:
    source = "".join(path.read_text(encoding="utf-8") for path in folder.rglob("*.py"))
    unknown = [word for word in arguments if word.startswith("--") and f'"{word}"' not in source]
    return f"{folder.name} has no option {unknown}" if unknown else None


def _cmake(arguments: list[str]) -> str | None:
    presets = json.loads((ROOT / "CMakePresets.json").read_text(encoding="utf-8"))["configurePresets"]
    names = [preset["name"] for preset in presets]
    if "--preset" in arguments and arguments[arguments.index("--preset") + 1] not in names:
        return f"CMakePresets.json has none of that name, only {names}"
    options = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")
    unknown = [word for word in re.findall(r"-D(MBRT_\w+)", " ".join(arguments)) if word not in options]
    return f"CMakeLists.txt has no option {unknown}" if unknown else None


def _training(command: str, arguments: list[str], folder: Path) -> str | None:
    """Runs fine-tuning and what follows it; others take hours. The folder that `export` writes is removed before."""
    installed = all(map(importlib.util.find_spec, ("torch", "tokenizers", "scipy", "sklearn", "pyarrow")))
    if installed and arguments[0] in ("finetune", "evaluate", "export"):
        from mbrt_train.cli import main  # noqa: PLC0415

        if arguments[0] == "export":
            shutil.rmtree(folder / arguments[2], ignore_errors=True)
        code = main(arguments)
        return None if code == 0 else f"{command}: exit code {code}"
    package = ROOT / "training" / "mbrt_train"
    sources = "".join(path.read_text(encoding="utf-8") for path in package.glob("cli*.py"))
    if f'"{arguments[0]}"' not in sources:
        return f"mbrt-train has no command {arguments[0]}"
    return _unknown_options(package, arguments)
