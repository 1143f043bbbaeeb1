"""Whether tests run on an emulated processor (scripts/arm, scripts/x86), and what they skip there."""

from __future__ import annotations

import os
from typing import Any

import pytest

# Emulation is twenty times slower: tests run fewer cases.
EMULATED = "QEMU_CPU" in os.environ or "MBRT_EMULATED" in os.environ


def import_on_host(name: str) -> Any:
    """Import a module that only the host has, such as torch; under emulation skip the test, or the file."""
    if EMULATED:
        pytest.skip(f"[emulated] {name} stays on the host", allow_module_level=True)
    return pytest.importorskip(name)
