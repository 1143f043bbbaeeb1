"""What an emulated processor (scripts/arm, scripts/x86) is spared."""

from __future__ import annotations

import os
from typing import Any

import pytest

# An emulated processor takes twenty times as long: fewer cases.
EMULATED = "QEMU_CPU" in os.environ or "MBRT_EMULATED" in os.environ


def import_on_host(name: str) -> Any:
    """A module that only the host has, PyTorch and what needs it; emulated, the test or its whole file is skipped."""
    if EMULATED:
        pytest.skip(f"[emulated] {name} stays on the host", allow_module_level=True)
    return pytest.importorskip(name)
