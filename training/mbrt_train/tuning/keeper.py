"""Checkpoints of fine-tuning: the current seed's progress and the results of the seeds before it."""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor

from mbrt_train import checkpoints
from mbrt_train.checkpoints import Checkpoint, Position, differences
from mbrt_train.errors import TrainingError
from mbrt_train.tuning.training import BEST, State, Tuning

SECONDS = 120.0  # between two checkpoints of an epoch
KEPT = "kept"  # the file of a checkpoint with the best weights of the seeds before


def unfinished(out: Path) -> Path:
    """The folder of the checkpoints until `out` is written."""
    return out.with_name(f"{out.name}.unfinished")


@dataclass
class Finished:
    """Metrics of the finished seeds, the best seed and its weights, the log, and the number of steps."""

    seeds: dict[int, dict[str, float]] = field(default_factory=dict)
    kept: int = 0
    weights: dict[str, Tensor] = field(default_factory=dict)
    log: list[dict[str, Any]] = field(default_factory=list)
    steps: int = 0


class Keeper:
    """Writes and reads the checkpoints in `folder`. identity: what must be equal for a run to be resumed."""

    def __init__(self, folder: Path, identity: dict[str, Any]) -> None:
        self.folder, self.identity = folder, json.loads(json.dumps(identity))
        self.finished = Finished()
        self._last = time.monotonic()

    def resume(self) -> Checkpoint | None:
        """The newest checkpoint, after `finished` was set from it. Raises TrainingError if it is of another job."""
        found = checkpoints.latest(self.folder)
        if found is None:
            return None
        differ = differences(self.identity, found.recipe)
        if differ:
            raise TrainingError(
                f"{self.folder}: an interrupted run of another job: {'; '.join(differ[:4])}. Use its files and "
                "options, or remove the folder to start again."
            )
        done = found.notes["finished"]
        seeds = {int(seed): metrics for seed, metrics in done["seeds"].items()}
        weights = found.tensors(KEPT) if seeds else {}
        self.finished = Finished(seeds, done["kept"], weights, done["log"], done["steps"])
        return found

    def restore(self, tuning: Tuning, found: Checkpoint) -> None:
        """Continue the seed of a checkpoint."""
        tuning.restore(found, State(**found.notes["state"]))

    def save(self, tuning: Tuning, epoch_ends: bool) -> None:
        """Write a checkpoint after an epoch, and within one if the last is older than SECONDS."""
        if not epoch_ends and time.monotonic() - self._last < SECONDS:
            return
        s, done = tuning.state, self.finished
        position = Position(done.steps + s.step, len(done.seeds), s.step, s.epoch, s.batch)
        finished = {"seeds": done.seeds, "kept": done.kept, "log": done.log, "steps": done.steps}
        checkpoints.save_checkpoint(
            self.folder,
            position,
            tuning.model,
            tuning.optimiser,
            recipe=self.identity,
            keep=2,
            notes={"state": asdict(s), "finished": finished},
            weights={BEST: tuning.weights} | ({KEPT: done.weights} if done.seeds else {}),
        )
        self._last = time.monotonic()

    def finish(self, tuning: Tuning, metrics: dict[str, float]) -> None:
        """Add a seed's results."""
        done, main = self.finished, tuning.task.main_metric
        if not done.seeds or metrics[main] > done.seeds[done.kept][main]:
            done.kept, done.weights = tuning.seed, tuning.weights
        done.seeds[tuning.seed] = metrics
        done.log += tuning.state.log
        done.steps += tuning.state.step

    def remove(self) -> None:
        """Remove the checkpoints, and the folder if nothing else is in it."""
        shutil.rmtree(self.folder / checkpoints.FOLDER, ignore_errors=True)
        if self.folder.is_dir() and not any(self.folder.iterdir()):
            self.folder.rmdir()
