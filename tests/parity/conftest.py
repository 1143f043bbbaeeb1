"""Where golden files go."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.golden.files import folder


@pytest.fixture(scope="session")
def golden(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """$MBRT_GOLDEN, made if need be; a temporary folder where it is not set."""
    chosen = folder() or tmp_path_factory.mktemp("golden")
    chosen.mkdir(parents=True, exist_ok=True)
    return chosen
