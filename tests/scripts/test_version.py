"""One version everywhere, and a changelog that a release can be made of."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

import mobilebert_rt
from scripts import version
from scripts.common import REPOSITORY, ScriptError

CHANGES = "# Changelog\n\n## [Unreleased]\n\n* Something.\n\n## [0.1.0] - 2026-12-01\n\n* The first release.\n"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The files that name the version, and a changelog with one release."""
    for name in version.PLACES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / name, tmp_path / name)
    version.set_version(tmp_path, "0.1.0")
    (tmp_path / "CHANGELOG.md").write_text(CHANGES)
    return tmp_path


def test_every_file_names_one_version() -> None:
    version.check(REPOSITORY)
    stated = re.search(r"VERSION (\d+\.\d+\.\d+)", (REPOSITORY / "CMakeLists.txt").read_text())
    assert stated is not None
    assert mobilebert_rt.__version__ == stated[1]


def test_set_writes_every_file(tree: Path) -> None:
    version.set_version(tree, "1.20.3")
    assert version.found_in(tree) == {name: {"1.20.3"} for name in version.PLACES}
    assert '"esbuild": "1.20.3"' not in (tree / "js/package-lock.json").read_text()


@pytest.mark.parametrize("name", [name for name in version.PLACES if name != "CMakeLists.txt"])
def test_a_file_with_another_version_is_named(tree: Path, name: str) -> None:
    file = tree / name
    file.write_text(re.sub(r"0\.1\.0", "0.1.1", file.read_text(), count=1))
    with pytest.raises(ScriptError, match=re.escape(name)):
        version.check(tree)


def test_a_tag_needs_its_version_and_its_section(tree: Path) -> None:
    version.check_tag(tree, "v0.1.0")
    with pytest.raises(ScriptError, match=r"expected the tag v0\.1\.0"):
        version.check_tag(tree, "v0.2.0")
    version.set_version(tree, "0.2.0")
    version.check(tree)
    with pytest.raises(ScriptError, match=r"no section for v0\.2\.0"):
        version.check_tag(tree, "v0.2.0")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("## [0.1.0] - 2026-12-01", "## [0.1.0] - 2026-13-01", "date"),
        ("## [0.1.0] - 2026-12-01", "## 0.1.0", "heading"),
        ("* The first release.\n", "", "empty"),
        ("## [Unreleased]", "## [0.0.9] - 2026-01-01", "first"),
        ("## [0.1.0]", "## [0.0.1] - 2026-01-01\n\n* a\n\n## [0.1.0]", "newest first"),
    ],
)
def test_a_damaged_changelog_is_an_error(tree: Path, old: str, new: str, message: str) -> None:
    file = tree / "CHANGELOG.md"
    file.write_text(CHANGES.replace(old, new))
    with pytest.raises(ScriptError, match=message):
        version.check(tree)


def test_notes_are_the_section_of_the_version(tree: Path) -> None:
    assert version.sections(tree) == {
        "Unreleased": ("", "* Something."),
        "0.1.0": ("2026-12-01", "* The first release."),
    }
