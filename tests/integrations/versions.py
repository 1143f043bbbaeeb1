"""The table of versions in docs/integrations.md.

python -m tests.integrations.versions            print the table of what is installed
python -m tests.integrations.versions --write    and write it into the page
"""

from __future__ import annotations

import importlib.metadata
import platform
import re
import sys

from tests.docs.pages import INTEGRATIONS, ROOT

REQUIREMENTS = ROOT / "scripts" / "requirements-integrations.txt"
_HEAD = "| library | version |\n|---|---|\n"
_ROW = re.compile(r"^\| (\S+) \| (\S+) \|$", re.MULTILINE)


def libraries() -> list[str]:
    """The names in the list of requirements, in its order."""
    return re.findall(r"^[a-z][a-z0-9-]*", REQUIREMENTS.read_text(encoding="utf-8"), re.MULTILINE)


def recorded() -> dict[str, str]:
    """The rows of the page's table."""
    text = INTEGRATIONS.read_text(encoding="utf-8")
    return dict(_ROW.findall(text.partition(_HEAD)[2]))


def main(arguments: list[str]) -> int:
    found = {"Python": platform.python_version()} | {name: importlib.metadata.version(name) for name in libraries()}
    table = _HEAD + "".join(f"| {name} | {version} |\n" for name, version in found.items())
    print(table)
    if "--write" in arguments:
        before = INTEGRATIONS.read_text(encoding="utf-8").partition(_HEAD)[0]
        INTEGRATIONS.write_text(before + table, encoding="utf-8")
    elif found != recorded():
        print(f"{INTEGRATIONS.relative_to(ROOT)} has other versions. To write these into it, add --write.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
