"""Fixtures for the text tasks."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from scripts import published
from scripts.common import UnavailableError


@pytest.fixture(scope="session")
def minilm() -> Callable[[str], str]:
    """Reads a text file of the published all-MiniLM-L6-v2 folder; skips the test where it cannot be had."""

    def read(name: str) -> str:
        try:
            return published.minilm_text(name)
        except UnavailableError as error:
            pytest.skip(str(error))

    return read
