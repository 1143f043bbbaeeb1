"""Writes sbom.cdx.json (CycloneDX 1.6) and SHA256SUMS for the files of a release.

    python -m scripts.packages.sbom FOLDER

The bill of materials names each file with its digest, what is compiled into them, and what they need at run time.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from scripts.common import REPOSITORY, ScriptError, exit_with, make_parser, say
from scripts.packages.machines import version
from scripts.packages.release import SUMS, digest

BILL = "sbom.cdx.json"
KINDS = ("*.whl", "*.tar.gz", "*.tgz")
# Compiled into some of the files: name, licence, and where its version or requirement stands.
INCLUDED = {
    "pybind11": ("BSD-3-Clause", "Python extension: headers"),
    "musl": ("MIT", "WebAssembly modules: the C library of wasi-libc"),
    "libc++": ("Apache-2.0 WITH LLVM-exception", "WebAssembly modules, macOS and Windows builds: the C++ library"),
    "glibc": ("LGPL-2.1-or-later", "the static mbrt for Linux"),
    "libstdc++": ("GPL-3.0-or-later WITH GCC-exception-3.1", "the static mbrt for Linux"),
}


def requirements() -> list[str]:
    """What the Python package needs at run time, without extras."""
    text = (REPOSITORY / "pyproject.toml").read_text("utf-8")
    found = re.search(r"^dependencies = \[(.*?)\]", text, re.MULTILINE | re.DOTALL)
    return re.findall(r'"([^"]+)"', found[1]) if found else []


def bill_of(files: list[Path]) -> dict[str, Any]:
    """The bill of materials of the files."""
    product = {"type": "library", "name": "mobilebert_rt", "version": version(), "bom-ref": "mobilebert_rt"}
    product["purl"] = f"pkg:pypi/mobilebert-rt@{version()}"

    def component(kind: str, name: str, **fields: Any) -> dict[str, Any]:
        return {"type": kind, "bom-ref": name, "name": name, **fields}

    packed = [component("file", file.name, hashes=[{"alg": "SHA-256", "content": digest(file)}]) for file in files]
    compiled = [
        component("library", name, description=where, licenses=[{"expression": licence}])
        for name, (licence, where) in INCLUDED.items()
    ]
    needed = [
        component("library", re.split(r"[<>=!~ ]", text)[0], description=f"run-time requirement: {text}")
        for text in requirements()
    ]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {**product, "licenses": [{"license": {"id": "Apache-2.0"}}]}},
        "components": [*packed, *compiled, *needed],
        "dependencies": [{"ref": "mobilebert_rt", "dependsOn": [part["bom-ref"] for part in (*compiled, *needed)]}],
    }


def main() -> int:
    parser = make_parser(__doc__)
    parser.add_argument("folder", type=Path, help="the files of a release")
    folder = parser.parse_args().folder
    files = sorted(file for kind in KINDS for file in folder.glob(kind))
    if not files:
        raise ScriptError(f"{folder}: holds none of {', '.join(KINDS)}. Build the packages first.")
    (folder / BILL).write_text(json.dumps(bill_of(files), indent=2) + "\n", "utf-8")
    listed = [*files, folder / BILL]
    (folder / SUMS).write_text("".join(f"{digest(file)}  {file.name}\n" for file in listed), "utf-8")
    say(f"{folder / SUMS}: {len(listed)} files")
    return 0


if __name__ == "__main__":
    exit_with(main)
