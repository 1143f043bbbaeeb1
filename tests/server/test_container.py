"""The container's recipe, read without a container engine: no root, nothing written, a health check, any processor."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from mobilebert_rt.server.routes import ROUTES
from mobilebert_rt.server.settings import Settings, variable

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "scripts/container/Containerfile"


@pytest.fixture(scope="module")
def steps() -> list[tuple[str, str]]:
    """(instruction, rest) of each line, with continued lines joined."""
    text = re.sub(r"^#.*\n", "", FILE.read_text(encoding="utf-8"), flags=re.MULTILINE).replace("\\\n", " ")
    found = [line.strip().partition(" ") for line in text.splitlines() if line.strip()]
    return [(name, rest.strip()) for name, _, rest in found]


def values(steps: list[tuple[str, str]], name: str) -> list[str]:
    return [rest for instruction, rest in steps if instruction == name]


def test_last_stage_runs_without_root(steps: list[tuple[str, str]]) -> None:
    last = max(i for i, (name, _) in enumerate(steps) if name == "FROM")
    assert values(steps[last:], "USER") == ["65532:65532"]
    user = next(i for i, (name, _) in enumerate(steps) if name == "USER")
    assert not {"RUN", "COPY", "ADD"} & {name for name, _ in steps[user:]}
    assert not values(steps[last:], "RUN")


def test_images_have_versions_and_no_processor(steps: list[tuple[str, str]]) -> None:
    for image in values(steps, "FROM"):
        assert re.fullmatch(r"docker\.io/library/python:3\.\d+-slim-bookworm( AS \w+)?", image)
    assert not re.search(r"x86|amd64|aarch64|arm64|--platform", "\n".join(rest for _, rest in steps))


def test_copied_files_exist_and_are_enough_for_the_wheel(steps: list[tuple[str, str]]) -> None:
    copied = [words.split() for words in values(steps, "COPY") if not words.startswith("--from")]
    names = [name for words in copied for name in words[:-1]]
    assert [name for name in names if not (ROOT / name).exists()] == []
    assert {"CMakeLists.txt", "pyproject.toml", "README.md", "csrc", "cmake", "mobilebert_rt"} <= set(names)


def test_commands_are_lists_and_the_health_check_asks_a_route(steps: list[tuple[str, str]]) -> None:
    assert json.loads(values(steps, "ENTRYPOINT")[0]) == ["mbrt", "serve"]
    [check] = values(steps, "HEALTHCHECK")
    program = json.loads(check.partition("CMD ")[2])
    compile(program[2], "health", "exec")
    path = re.search(r"127\.0\.0\.1:8080(/\w+)'", program[2])
    assert path is not None
    assert path[1] in [route.path for route in ROUTES if route.is_public]


def test_variables_are_options_of_the_server(steps: list[tuple[str, str]]) -> None:
    names = re.findall(r"MBRT_SERVE_\w+", FILE.read_text(encoding="utf-8"))
    assert set(names) <= {variable(name) for name in Settings.__dataclass_fields__}
    assert values(steps, "EXPOSE") == ["8080"]
    assert "MBRT_SERVE_PORT=8080" in values(steps, "ENV")[0]
