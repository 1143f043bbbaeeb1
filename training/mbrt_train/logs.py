"""Output of a run: progress, log.jsonl and TensorBoard. Only the main process writes."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from torch.utils.tensorboard import SummaryWriter

from mbrt_train.progress import Progress


class Log:
    """Metrics by step. On resuming, lines after the checkpoint are removed, since their steps are repeated."""

    def __init__(self, run: Path, step: int, steps: int, quiet: bool) -> None:
        self._file = run / "log.jsonl"
        if self._file.exists():
            lines = [line for line in self._file.read_text().splitlines() if _step(line) <= step]
            self._file.write_text("".join(line + "\n" for line in lines))
        self._board = SummaryWriter(str(run / "tensorboard"), purge_step=step + 1)
        self._progress = Progress(steps, "step", quiet, done=step)
        self._last = time.monotonic()

    def advance(self, stage: str) -> None:
        self._progress.advance(name=stage)

    def write(self, step: int, stage: str, values: dict[str, float], tokens: int = 0) -> None:
        """Write one line: step, stage, values, and tokens per second since the previous line."""
        now = time.monotonic()
        line: dict[str, Any] = {"step": step, "stage": stage, **values}
        if tokens:
            line["tokens_per_second"] = round(tokens / (now - self._last), 1)
            self._last = now
        with self._file.open("a") as stream:
            stream.write(json.dumps(line) + "\n")
        for name, value in values.items():
            self._board.add_scalar(name, value, step)
        shown = {name: f"{value:.4g}" for name, value in values.items() if "loss" in name or "evaluate" in name}
        if shown:
            self._progress.show(shown)

    def close(self) -> None:
        self._board.close()
        self._progress.close()


def _step(line: str) -> int:
    try:
        return int(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):
        return 1 << 62  # a line truncated by a crash
