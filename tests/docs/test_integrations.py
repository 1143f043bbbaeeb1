"""The table of docs/integrations.md names what its recipes were tested with."""

from __future__ import annotations

from tests.integrations.versions import libraries, recorded


def test_table_has_a_version_of_each_library() -> None:
    assert list(recorded()) == ["Python", *libraries()]
