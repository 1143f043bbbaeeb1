"""Generated English text, so that tests need no files."""

from __future__ import annotations

import random
from pathlib import Path

SUBJECTS = ("the cat", "a small engine", "the old teacher", "her student", "one panel of rows", "the captain")
VERBS = ("reads", "follows", "measures", "forgets", "carries", "answers")
OBJECTS = ("the long letter", "a map of the coast", "every number", "the quiet sea", "its own shadow", "two words")
ENDS = ("in the morning", "without a sound", "before the storm", "again and again", "for a friend", "at last")


def sentence(rng: random.Random) -> str:
    words = " ".join(rng.choice(part) for part in (SUBJECTS, VERBS, OBJECTS, ENDS))
    return words[0].upper() + words[1:] + rng.choice(".?!")


def documents(count: int, seed: int = 0) -> list[str]:
    rng = random.Random(seed)
    return [" ".join(sentence(rng) for _ in range(rng.randint(1, 12))) for _ in range(count)]


def write_text(path: Path, count: int = 60, seed: int = 0) -> Path:
    path.write_text("\n\n".join(documents(count, seed)) + "\n")
    return path
