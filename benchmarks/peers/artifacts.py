"""Model files of all engines, converted from Hugging Face folders and kept in the cache folder.

The name of a file's folder has a hash of the weights and of the converter's versions, so no stale file is measured.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.common.environment import Environment, Say
from benchmarks.peers.catalogue import MADE_WITH, Peer
from benchmarks.peers.session import PeerError, Worker
from scripts import published
from scripts.common import UnavailableError, cache_folder

CONVERT = Path(__file__).with_name("convert.py")
CONVERT_SECONDS = 3600
DEFAULT_MODEL = Path(__file__).resolve().parents[2] / "training/default_model/weights"


@dataclass(frozen=True)
class Wanted:
    """A model file that a peer needs. length: None for any."""

    peer: Peer
    model: str
    masked: bool = False
    length: int | None = None

    @property
    def kind(self) -> str:
        """Its kind in convert.py."""
        return self.peer.converter + ("-int8" if self.peer.stored == "int8" else "")


class Store:
    """Finds and makes model files. folders: the Hugging Face folder of each model."""

    def __init__(self, environments: Mapping[str, Environment], folders: Mapping[str, Path], say: Say) -> None:
        self._environments = environments
        self._folders = folders
        self._say = say
        self._errors: dict[Path, str] = {}
        self._hashes: dict[str, str] = {}

    def path(self, wanted: Wanted) -> Path:
        """Where the file is or will be."""
        return self._path(wanted, wanted.kind)

    def ready(self, wanted: Wanted) -> Path:
        """The path of an existing file. Raises PeerError with the reason if it could not be made."""
        path = self.path(wanted)
        if not path.exists():
            reason = self._errors.get(path, "not converted")
            raise PeerError(f"{wanted.peer.name}: no {path.name} of {wanted.model}: {reason}")
        return path

    def make(self, files: Iterable[Wanted]) -> None:
        """Convert missing files, one process per environment. Failures are kept for `ready`."""
        jobs: dict[str, dict[Path, dict[str, Any]]] = {}
        for wanted in files:
            for out, job in self._jobs(wanted):
                if not out.exists() and out not in self._errors:
                    jobs.setdefault(wanted.peer.environment, {})[out] = job
        for name, found in jobs.items():
            self._run(self._environments[name], found)

    def _jobs(self, wanted: Wanted) -> list[tuple[Path, dict[str, Any]]]:
        """The conversions that make a file, in order: int8 is made from the float file, except ours."""
        peer = wanted.peer
        if not peer.converter:
            return []
        folder = str(self._folders[wanted.model])
        common = {"masked": wanted.masked, "length": wanted.length}
        out = self.path(wanted)
        if peer.converter in (wanted.kind, "ours"):
            return [(out, {"kind": wanted.kind, "source": folder, "out": str(out), **common})]
        plain = self._path(wanted, peer.converter)
        return [
            (plain, {"kind": peer.converter, "source": folder, "out": str(plain), **common}),
            (out, {"kind": wanted.kind, "source": str(plain), "out": str(out), **common}),
        ]

    def _run(self, environment: Environment, jobs: Mapping[Path, dict[str, Any]]) -> None:
        self._say(f"converting {len(jobs)} models with {environment.python} (up to a minute each, once)")
        log = cache_folder() / "peers" / "convert.log"
        try:
            with Worker("converter", [environment.python, str(CONVERT)], [], log) as converter:
                for number, (out, job) in enumerate(jobs.items()):
                    self._say(f"  {number + 1} of {len(jobs)}: {out.parent.parent.name} {out.name}")
                    try:
                        converter.ask("convert", CONVERT_SECONDS, **job)
                    except PeerError as error:
                        self._errors[out] = f"{job['kind']} failed: {error} (see {log})"
                        self._say("  " + self._errors[out])
        except PeerError as error:  # the process cannot be started
            self._errors |= dict.fromkeys(jobs, str(error))

    def _path(self, wanted: Wanted, kind: str) -> Path:
        peer = wanted.peer
        folder = self._folders[wanted.model]
        if not peer.converter:
            return folder
        versions = self._environments[peer.environment].versions
        made_with = [f"{name} {versions.get(name)}" for name in MADE_WITH[peer.converter]]
        key = _digest([self._hash(wanted.model), CONVERT.read_text(encoding="utf-8"), *made_with])
        name = "int8" if kind.endswith("-int8") else "fp32"
        name += "-masked" if wanted.masked else ""
        name += "" if wanted.length is None else f"-{wanted.length}"
        return cache_folder() / "peers" / "files" / wanted.model / f"{peer.converter}-{key}" / (name + peer.suffix)

    def _hash(self, model: str) -> str:
        if model not in self._hashes:
            found = hashlib.sha256()
            for name in ("config.json", "model.safetensors"):
                found.update((self._folders[model] / name).read_bytes())
            self._hashes[model] = found.hexdigest()
        return self._hashes[model]


def _digest(parts: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def model_folder(model: str, say: Say) -> tuple[Path, str]:
    """The Hugging Face folder of a model of the catalogue, made if necessary, and the kind of its weights."""
    from benchmarks.common import configs, random_weights  # noqa: PLC0415 - numpy, and only for this
    from benchmarks.paper import systems  # noqa: PLC0415

    if model == "default":
        return DEFAULT_MODEL, "published weights"
    root = cache_folder() / "peers" / "models"
    folder = root / model
    if model == "minilm" and not (folder / "model.safetensors").is_file():
        try:
            return published.minilm_folder(folder), "published weights"
        except UnavailableError as error:
            say(f"random weights for MiniLM: {error}")
            folder = root / "minilm-random"
    if not (folder / "model.safetensors").is_file():
        say(f"writing random weights to {folder}")
        random_weights.write(folder, configs.bert(384, 6, 12) if model == "minilm" else systems.by_key(model))
    return folder, "published weights" if folder.name == "minilm" else "random weights"
