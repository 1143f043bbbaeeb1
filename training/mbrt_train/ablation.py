"""The effect of each part of a recipe: the paper's Tables 8 and 9 at the size of the recipe.

All variants share the recipe's student, corpus, teacher and number of steps; they differ in which losses are used and
when (`VARIANTS`). Several seeds of each are graded by cosine on a file of sentence pairs that none is trained on.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mbrt_train import checkpoints
from mbrt_train.errors import TrainingError
from mbrt_train.heads import load_model
from mbrt_train.recipes import Recipe
from mbrt_train.run import Request, train
from mbrt_train.tuning.evaluate import Exam, grade

TRANSFER_SHARE = 1 / 3  # share of the steps for the transfer stage, if there is one: 240k of 740k in the paper


def _strategy(recipe: Recipe, name: str) -> Recipe:
    steps = recipe.budget.transfer_steps + recipe.budget.distil_steps
    transfer = 0 if name == "auxiliary" else round(steps * TRANSFER_SHARE)
    budget = replace(recipe.budget, transfer_steps=transfer, distil_steps=steps - transfer, transfer_rate=1.0)
    return replace(recipe, strategy=name, budget=budget)


def _losses(recipe: Recipe, feature: float, attention: float) -> Recipe:
    weights = replace(recipe.weights, feature=feature, mean=0.0, variance=0.0, attention=attention)
    return replace(_strategy(recipe, "auxiliary"), weights=weights)


def _transfer_alone(recipe: Recipe) -> Recipe:
    both = _losses(recipe, 1.0, 1.0)
    steps = both.budget.distil_steps
    budget = replace(both.budget, transfer_steps=steps, distil_steps=0, transfer_rate=1.0)
    budget = replace(budget, transfer_schedule=recipe.budget.distil_schedule)
    return replace(both, strategy="joint", budget=budget)


# Table 8: how the same losses are distributed over the steps. Table 9: which losses are used.
VARIANTS: dict[str, Callable[[Recipe], Recipe]] = {
    "auxiliary": lambda r: _strategy(_losses(r, 1.0, 1.0), "auxiliary"),
    "joint": lambda r: _strategy(_losses(r, 1.0, 1.0), "joint"),
    "progressive": lambda r: _strategy(_losses(r, 1.0, 1.0), "progressive"),
    "without attention": lambda r: _losses(r, 1.0, 0.0),
    "without feature maps": lambda r: _losses(r, 0.0, 1.0),
    "without the last objective": _transfer_alone,
    "the last objective alone": lambda r: _losses(r, 0.0, 0.0),
}


@dataclass(frozen=True)
class Ablation:
    """recipe: with objective "sentence". steps: of each run. exam: the task that every run is graded on."""

    recipe: Recipe
    corpus: Path
    teacher: Path
    exam: Exam
    steps: int
    seeds: tuple[int, ...] = (0, 1, 2)


def run(ablation: Ablation, out: Path, progress: Callable[[str], None]) -> dict[str, list[float]]:
    """Grades by variant, one per seed. Finished runs in `out` are reused.

    Raises TrainingError for a recipe with another objective.
    """
    if ablation.recipe.objective != "sentence":
        raise TrainingError('an ablation grades sentence vectors; its recipe must have objective = "sentence".')
    found: dict[str, list[float]] = {}
    for name, change in VARIANTS.items():
        for seed in ablation.seeds:
            folder = out / f"{name.replace(' ', '-')}-{seed}"
            found.setdefault(name, []).append(_graded(ablation, change, seed, folder))
            progress(f"{name}, seed {seed}: {found[name][-1]:.2f}")
    return found


def _graded(ablation: Ablation, change: Callable[[Recipe], Recipe], seed: int, folder: Path) -> float:
    result = folder / "grade.json"
    if not result.is_file():
        budget = replace(ablation.recipe.budget, transfer_steps=0, distil_steps=ablation.steps)
        base = replace(ablation.recipe, seed=seed, budget=budget, teacher_states="torch")
        recipe = change(replace(base, data=replace(base.data, seed=seed)))
        train(Request(recipe, ablation.corpus, folder, ablation.teacher, quiet=True))
        last = checkpoints.latest(folder)
        assert last is not None
        grades = grade(ablation.exam, load_model(last.folder), folder)
        result.write_text(json.dumps(grades) + "\n")
    grades = json.loads(result.read_text())
    return float(grades[ablation.exam.task.main_metric])


def table(grades: dict[str, list[float]], seeds: Sequence[int]) -> str:
    """Markdown: mean and standard deviation over seeds, and each seed's grade, the best variant first."""
    heads = " | ".join(f"seed {seed}" for seed in seeds)
    lines = [f"| variant | mean | deviation | {heads} |", f"|---|---|---|{'---|' * len(seeds)}"]
    for name, values in sorted(grades.items(), key=lambda item: -statistics.mean(item[1])):
        spread = statistics.stdev(values) if len(values) > 1 else 0.0
        each = " | ".join(f"{value:.2f}" for value in values)
        lines.append(f"| {name} | {statistics.mean(values):.2f} | {spread:.2f} | {each} |")
    return "\n".join(lines) + "\n"


def plot(grades: dict[str, list[float]], metric: str, file: Path) -> None:
    """Write an SVG: one dot per seed, a line at each mean. Raises TrainingError if matplotlib is not installed."""
    try:
        import matplotlib  # noqa: PLC0415 - only for this picture
    except ImportError:
        raise TrainingError("a plot requires matplotlib. Install it (pip install matplotlib) or omit --plot.") from None
    matplotlib.use("svg")
    from matplotlib import pyplot  # noqa: PLC0415

    pyplot.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "mobilebert_rt", "font.size": 8})
    order = sorted(grades, key=lambda name: statistics.mean(grades[name]))
    figure, axes = pyplot.subplots(figsize=(6, 0.4 * len(order) + 0.8))
    for y, name in enumerate(order):
        mean = statistics.mean(grades[name])
        axes.plot(grades[name], [y] * len(grades[name]), "o", color="tab:blue", markersize=4, alpha=0.6)
        axes.plot([mean, mean], [y - 0.3, y + 0.3], color="black", linewidth=1)
    axes.set_yticks(range(len(order)), order)
    axes.set_xlabel(metric)
    axes.grid(axis="x", linewidth=0.3)
    figure.tight_layout()
    figure.savefig(file, metadata={"Date": None})
    pyplot.close(figure)
