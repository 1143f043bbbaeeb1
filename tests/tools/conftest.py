from __future__ import annotations

from pathlib import Path

import pytest

from tests.tools.native import TARGETS, Tool, build


@pytest.fixture(scope="session")
def host() -> Tool:
    """The tool for this machine."""
    return build("host")


@pytest.fixture(scope="session", params=list(TARGETS))
def tool(request: pytest.FixtureRequest) -> Tool:
    """The tool of each architecture in turn."""
    return build(request.param)


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the models of tests/small_models/files.py."""
    return tmp_path_factory.mktemp("models")
