"""The version of the project: CMakeLists.txt has it; other files that must name it are compared with it.

python -m scripts.version                   prints it
python -m scripts.version --set 0.2.0       writes it everywhere
python -m scripts.version --tag v0.2.0      fails unless this tree can be released under the tag
python -m scripts.version --notes           prints the changelog's section of the version
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from scripts.common import REPOSITORY, ScriptError, exit_with, make_parser, say
from scripts.packages.machines import version

NUMBER = r"[0-9]+\.[0-9]+\.[0-9]+"
JSON = rf'"version": "({NUMBER})"'
# C++ and the C API take the version from CMakeLists.txt when they are compiled, the Python package when it is built.
PLACES: Mapping[str, str] = {
    "CMakeLists.txt": rf"project\(mobilebert_rt VERSION ({NUMBER})",
    "training/pyproject.toml": rf'^version = "({NUMBER})"',
    "js/package.json": JSON,
    "js/package-lock.json": rf'"name": "mobilebert-rt",\s+{JSON}',
    "js/model/package.json": JSON,
    "js/examples/extension/manifest.json": JSON,
    "docs/native.md": rf"\bmbrt-({NUMBER})-linux",
    "docs/mobile.md": rf"\bmobilebert-rt-(?:model-)?({NUMBER})\.jar",
    "docs/boards.md": rf"\bmbrt-({NUMBER})-linux",
}
HEADING = re.compile(rf"^## \[(Unreleased|{NUMBER})\](?: - (\d{{4}}-\d{{2}}-\d{{2}}))?$", re.MULTILINE)


def found_in(root: Path) -> dict[str, set[str]]:
    """The versions that each file names. ScriptError for a file that names none."""
    found = {}
    for name, pattern in PLACES.items():
        found[name] = set(re.findall(pattern, (root / name).read_text("utf-8"), re.MULTILINE))
        if not found[name]:
            raise ScriptError(f"{name}: found no version; expected {pattern}")
    return found


def set_version(root: Path, new: str) -> None:
    """Writes the version into every file."""
    if not re.fullmatch(NUMBER, new):
        raise ScriptError(f"--set: found {new!r}; expected a version such as 0.2.0")
    for name, pattern in PLACES.items():
        text = (root / name).read_text("utf-8")
        changed = re.sub(pattern, lambda match: match[0].replace(match[1], new), text, flags=re.MULTILINE)
        (root / name).write_text(changed, "utf-8")


def sections(root: Path) -> dict[str, tuple[str, str]]:
    """Date and text of each section of the changelog, by its version; "Unreleased" has no date."""
    text = (root / "CHANGELOG.md").read_text("utf-8")
    headings = list(HEADING.finditer(text))
    if len(headings) != len(re.findall(r"^## ", text, re.MULTILINE)):
        raise ScriptError('CHANGELOG.md: a heading is neither "## [Unreleased]" nor "## [1.2.3] - 2026-12-31"')
    ends = [heading.start() for heading in headings[1:]] + [len(text)]
    return {
        heading[1]: (heading[2] or "", text[heading.end() : end].strip())
        for heading, end in zip(headings, ends, strict=True)
    }


def check(root: Path) -> None:
    """Every file names one version; the changelog begins with "Unreleased" or this version, newest first."""
    current = version(root)
    if wrong := {name: sorted(found) for name, found in found_in(root).items() if found != {current}}:
        raise ScriptError(f"CMakeLists.txt has version {current}, but {wrong}. Write it with --set {current}.")
    changes = sections(root)
    numbers = [name for name in changes if name != "Unreleased"]
    if next(iter(changes), "") not in ("Unreleased", current):
        raise ScriptError(f'CHANGELOG.md: expected "## [Unreleased]" or "## [{current}]" first')
    if numbers != sorted(numbers, key=lambda name: tuple(map(int, name.split("."))), reverse=True):
        raise ScriptError(f"CHANGELOG.md: found the versions {numbers}; expected the newest first")
    for name in numbers:
        day, text = changes[name]
        if not text:
            raise ScriptError(f"CHANGELOG.md: the section {name} is empty")
        try:
            date.fromisoformat(day)
        except ValueError as error:
            raise ScriptError(f"CHANGELOG.md: the section {name} has the date {day!r}; expected YYYY-MM-DD") from error


def check_tag(root: Path, tag: str) -> None:
    """The tree is that of the tag: same version, and the changelog has its section with a date."""
    check(root)
    if tag != f"v{version(root)}":
        raise ScriptError(f"tag {tag}: the tree has version {version(root)}; expected the tag v{version(root)}")
    if version(root) not in sections(root):
        raise ScriptError(f'CHANGELOG.md: no section for {tag}; expected "## [{version(root)}] - DATE" (RELEASE.md)')


def main() -> int:
    parser = make_parser(__doc__)
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--set", metavar="VERSION", help="write this version everywhere")
    action.add_argument("--tag", metavar="TAG", help="check that this tree can be released under the tag")
    action.add_argument("--notes", action="store_true", help="print the changelog's section of the version")
    arguments = parser.parse_args()
    if arguments.set:
        set_version(REPOSITORY, arguments.set)
    elif arguments.tag:
        check_tag(REPOSITORY, arguments.tag)
    elif arguments.notes:
        changes = sections(REPOSITORY)
        say(changes.get(version(), changes.get("Unreleased", ("", "")))[1])
        return 0
    check(REPOSITORY)
    say(version())
    return 0


if __name__ == "__main__":
    exit_with(main)
