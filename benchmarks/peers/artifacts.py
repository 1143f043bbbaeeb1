"""Model files of all engines, converted from Hugging Face folders and kept in the cache folder.

The name of a file's folder has a hash of the weights and of the converter's versions, so no stale file is measured.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.common import configs, random_weights
from benchmarks.common.environment import Environment, Say
from benchmarks.paper import systems
from benchmarks.peers.catalogue import DIRECT, MADE_WITH, Peer
from benchmarks.peers.session import SCRIPT, PeerError, Worker
from scripts import published
from scripts.common import UnavailableError, cache_folder

CONVERT = Path(__file__).with_name("convert.py")
CONVERT_SECONDS = 3600
DEFAULT_MODEL = Path(__file__).resolve().parents[2] / "training/default_model/weights"


@dataclass(frozen=True)
class ModelFile:
    """A model file of a peer. masked: whether it takes a mask; length: of its texts, None for any."""

    peer: Peer
    model: str
    masked: bool = False
    length: int | None = None


class Store:
    """Finds and makes model files. folders: the Hugging Face folder of each model."""

    def __init__(self, environments: Mapping[str, Environment], folders: Mapping[str, Path], say: Say) -> None:
        self._environments = environments
        self._folders = folders
        self._say = say
        self._errors: dict[Path, str] = {}

    def path(self, file: ModelFile) -> Path:
        """Where the file is or will be."""
        return self._path(file, file.peer.stored)

    def ready(self, file: ModelFile) -> Path:
        """The path of an existing file. Raises PeerError with the reason if it could not be made."""
        path = self.path(file)
        if not path.exists():
            reason = self._errors.get(path, "not converted")
            raise PeerError(f"{file.peer.name}: no {path.name} of {file.model}: {reason}")
        return path

    def make(self, files: Iterable[ModelFile]) -> None:
        """Convert missing files, one process per environment. Failures are kept for `ready`."""
        jobs: dict[str, dict[Path, dict[str, Any]]] = {}
        for file in files:
            for job in self._jobs(file):
                out = Path(job["out"])
                if not out.exists() and out not in self._errors:
                    jobs.setdefault(file.peer.environment, {})[out] = job
        for name, found in jobs.items():
            self._run(self._environments[name], found)

    def _jobs(self, file: ModelFile) -> list[dict[str, Any]]:
        """The conversions that make a file, in order: int8 is made from the float file, except by DIRECT ones."""
        converter, folder = file.peer.converter, str(self._folders[file.model])
        if not converter:
            return []
        plain, out, quantised = str(self._path(file, "fp32")), str(self.path(file)), f"{converter}-int8"
        if file.peer.stored == "fp32":
            steps = [(converter, folder, out)]
        elif converter in DIRECT:
            steps = [(quantised, folder, out)]
        else:
            steps = [(converter, folder, plain), (quantised, plain, out)]
        common = {"masked": file.masked, "length": file.length}
        return [{"kind": kind, "source": source, "out": to, **common} for kind, source, to in steps]

    def _run(self, environment: Environment, jobs: Mapping[Path, dict[str, Any]]) -> None:
        self._say(f"converting {len(jobs)} models with {environment.python} (up to a minute each, once)")
        log = cache_folder() / "peers" / "convert.log"
        try:
            with Worker("converter", [environment.python, str(SCRIPT)], [], log) as converter:
                for number, (out, job) in enumerate(jobs.items()):
                    self._say(f"  {number + 1} of {len(jobs)}: {out.parent.parent.name} {out.name}")
                    try:
                        converter.ask("convert", CONVERT_SECONDS, job=job)
                    except PeerError as error:
                        self._errors[out] = f"{job['kind']} failed: {error} (see {log})"
                        self._say("  " + self._errors[out])
        except PeerError as error:  # the process cannot be started
            self._errors |= dict.fromkeys(jobs, str(error))

    def _path(self, file: ModelFile, precision: str) -> Path:
        peer, folder = file.peer, self._folders[file.model]
        if not peer.converter:
            return folder
        versions = self._environments[peer.environment].versions
        made_with = [f"{name} {versions.get(name)}" for name in MADE_WITH[peer.converter]]
        parts = [_digest_of_model(folder), CONVERT.read_text(encoding="utf-8"), *made_with]
        key = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]
        name = precision + "-masked" * file.masked + ("" if file.length is None else f"-{file.length}")
        return cache_folder() / "peers" / "files" / file.model / f"{peer.converter}-{key}" / (name + peer.suffix)


@functools.cache
def _digest_of_model(folder: Path) -> str:
    found = hashlib.sha256()
    for name in ("config.json", "model.safetensors"):
        found.update((folder / name).read_bytes())
    return found.hexdigest()


def model_folder(model: str, say: Say) -> tuple[Path, str]:
    """The Hugging Face folder of a model, made if necessary, and the kind of its weights."""
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
