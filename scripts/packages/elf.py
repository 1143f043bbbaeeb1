"""Checks of compiled files: machine, page size, shared libraries; and the platform tag of a wheel."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.dynamic import DynamicSegment
from elftools.elf.elffile import ELFFile

from scripts.common import ScriptError, run
from scripts.packages.machines import Machine


def is_elf(file: Path) -> bool:
    with file.open("rb") as data:
        return data.read(4) == b"\x7fELF"


def check_machine(file: Path, machine: Machine) -> None:
    """The file must be compiled for the machine, and every loaded segment aligned for its largest page."""
    with file.open("rb") as data:
        try:
            elf = ELFFile(data)
        except ELFError as error:
            raise ScriptError(f"{file.name}: not an ELF file; expected one for {machine.name}") from error
        if elf["e_machine"] != machine.elf:
            raise ScriptError(f"{file.name}: compiled for {elf['e_machine']}; expected {machine.elf}")
        alignment = min((segment["p_align"] for segment in elf.iter_segments("PT_LOAD")), default=0)
    if alignment < machine.page:
        raise ScriptError(
            f"{file.name}: aligned for pages of {alignment} bytes; {machine.name} may have {machine.page}. "
            "Link with -Wl,-z,max-page-size."
        )


def needed(file: Path) -> set[str]:
    """The shared libraries that a file names."""
    with file.open("rb") as data:
        dynamic = [part for part in ELFFile(data).iter_segments() if isinstance(part, DynamicSegment)]
        return {str(tag.needed) for part in dynamic for tag in part.iter_tags("DT_NEEDED")}


def is_static(file: Path) -> bool:
    """Whether a program runs without any shared library."""
    with file.open("rb") as data:
        kinds = {segment["p_type"] for segment in ELFFile(data).iter_segments()}
    return "PT_INTERP" not in kinds and not needed(file)


def platform_tag(wheel: Path) -> str:
    """The manylinux tag that auditwheel finds for the compiled files of a wheel."""
    audit = json.loads(run((sys.executable, "-m", "auditwheel", "show", "--json", wheel)))
    if not str(audit["overall_tag"]).startswith("manylinux"):
        raise ScriptError(
            f"{wheel.name}: fits no manylinux tag. Libraries beside the system's: {audit['external_libs']}; "
            f"symbols: {audit['versioned_symbols']}"
        )
    return str(audit["overall_tag"])
