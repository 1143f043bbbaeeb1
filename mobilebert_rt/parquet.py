"""Vectors for the texts of Parquet files, in a folder of Parquet files that an interrupted run completes.

The target holds one file for each part of at most PART_ROWS rows of a row group, written under another name and then
renamed; a run makes the parts that are missing. A text's vector does not depend on the texts around it, so the result
has the same bits however often a run was interrupted.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mobilebert_rt.columns import check_named, check_texts, run_on_column, vectors_array
from mobilebert_rt.conversion.writer import replacing
from mobilebert_rt.errors import InputError, MobileBertError
from mobilebert_rt.text.progress import progress_bar

if TYPE_CHECKING:
    import os

    from mobilebert_rt.text import TextEmbedder

VECTOR = "vector"
PART_ROWS = 16_384  # rows of a part: what a killed run has to make again
_SETTINGS = "_settings.json"  # readers of Parquet folders ignore names that begin with _ or .
_DONE = "_SUCCESS"
# Their vectors stand for the model and its options.
_PROBES = ["", "the cat", "A longer text, with Signs & numbers: 12,345. " * 200]


@dataclass(frozen=True)
class Written:
    """What a run did. texts: rows of the source; made: those of this run; nulls: of these, rows without a text."""

    texts: int
    made: int
    nulls: int


def embed_parquet(
    embedder: TextEmbedder,
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    column: str = "text",
    keep: Sequence[str] | None = None,
    progress: bool | None = None,
) -> Written:
    """Write a folder of Parquet files: rows of the source in order, with a column `vector` of H float32 numbers.

    source: a Parquet file, or a folder of them. column: of the texts; a null has a null vector. keep: the other columns
    that are copied; None for all. progress: as in a call of a task. One row group of the source is in memory at a time.
    If the target has parts of the same run, only the others are made; when nothing is missing, nothing is done. Texts
    that are too long are treated as the embedder's on_overflow says.

    Raises InputError for columns that are not there, for a source that is not Parquet, and for a target that was begun
    with another source, model or options; MobileBertError without the library pyarrow; what a call of the embedder
    raises.

    >>> import pyarrow, pyarrow.parquet
    >>> pyarrow.parquet.write_table(pyarrow.table({"text": ["a cat", "a dog"]}), "pets.parquet")
    >>> from mobilebert_rt import TextEmbedder
    >>> embed_parquet(TextEmbedder(), "pets.parquet", "pet-vectors")
    Written(texts=2, made=2, nulls=0)
    >>> pyarrow.parquet.read_table("pet-vectors").column_names
    ['text', 'vector']
    """
    parquet = _parquet()
    paths = _paths(Path(source))
    files = [_opened(parquet, path) for path in paths]
    columns = _columns(files, column, keep)
    parts = list(_parts(files, Path(target)))
    _begin(Path(target), _settings(embedder, paths, files, columns))
    missing = [part for part in parts if not part.path.exists()]
    embed = functools.partial(embedder, progress=False)
    others = [name for name in columns if name != column]
    total, made = sum(part.rows for part in parts), sum(part.rows for part in missing)
    nulls = 0
    with progress_bar(total, progress, initial=total - made) as bar:
        group: tuple[int, int] | None = None
        for part in missing:
            if group != (part.file, part.group):
                group = (part.file, part.group)
                table = files[part.file].read_row_group(part.group, columns=columns)
            rows = table.slice(part.first, part.rows)
            with replacing(part.path, force=True) as sink:
                vectors = run_on_column(embed, vectors_array, rows[column])
                parquet.write_table(rows.append_column(VECTOR, vectors), sink, use_dictionary=others)
            nulls += rows[column].null_count
            if bar is not None:
                bar.update(part.rows)
    _finish(Path(target))
    return Written(total, made, nulls)


@dataclass(frozen=True)
class _Part:
    path: Path
    file: int
    group: int
    first: int  # row of its row group
    rows: int


def _parquet() -> Any:
    try:
        from pyarrow import parquet  # noqa: PLC0415 - not a requirement
    except ImportError:
        raise MobileBertError(
            "Parquet needs the library pyarrow, which is not installed. Install it: pip install pyarrow"
        ) from None
    return parquet


def _paths(source: Path) -> list[Path]:
    found = sorted(source.glob("*.parquet")) if source.is_dir() else [source]
    found = [path for path in found if not path.name.startswith(("_", "."))]
    if not found or not found[0].is_file():
        what = "a folder without *.parquet" if source.is_dir() else "no such file"
        raise InputError(f"{source}: found {what}; expected a Parquet file, or a folder of them.")
    return found


def _opened(parquet: Any, path: Path) -> Any:
    import pyarrow  # noqa: PLC0415

    try:
        return parquet.ParquetFile(path)
    except pyarrow.ArrowException as error:
        raise InputError(f"{path}: found a file that is not Parquet, or a damaged one ({error}).") from None


def _columns(files: list[Any], column: str, keep: Sequence[str] | None) -> list[str]:
    """The columns to read, the texts' among them. Checks every file."""
    names = list(files[0].schema_arrow.names)
    kept = names if keep is None else [name for name in names if name in {*keep, column}]
    for file in files:
        schema = file.schema_arrow
        check_texts(schema, column)
        for name in keep or ():
            check_named(schema, name, "keep")
        if list(schema.names) != names:
            raise InputError(f"source: found files with different columns; expected {', '.join(names)} in each.")
    if VECTOR in kept:
        raise InputError(f"keep: found a column {VECTOR!r}, the name of the result. Choose other columns by keep.")
    return kept


def _parts(files: list[Any], target: Path) -> Iterator[_Part]:
    for number, file in enumerate(files):
        for group in range(file.metadata.num_row_groups):
            rows = file.metadata.row_group(group).num_rows
            for first in range(0, rows, PART_ROWS):
                name = f"part-{number:05}-{group:05}-{first // PART_ROWS:05}.parquet"
                yield _Part(target / name, number, group, first, min(PART_ROWS, rows - first))


def _settings(embedder: TextEmbedder, paths: list[Path], files: list[Any], columns: list[str]) -> dict[str, Any]:
    """What all parts of a target have in common.

    A file stands for itself by its size and its footer, which has the places, sizes and extreme values of its columns.
    """
    source = hashlib.sha256()
    for path, file in zip(paths, files, strict=True):
        size = path.stat().st_size
        with path.open("rb") as stream:
            stream.seek(size - file.metadata.serialized_size - 8)
            source.update(f"{size} ".encode() + stream.read())
    vectors = embedder(_PROBES, on_overflow="truncate", progress=False)
    return {
        "source": source.hexdigest(),
        "columns": columns,
        "part_rows": PART_ROWS,
        "on_overflow": embedder.limits.on_overflow,
        "vectors": hashlib.sha256(vectors.tobytes()).hexdigest(),
    }


def _begin(target: Path, settings: dict[str, Any]) -> None:
    """Makes the target, or checks that it is of the same run."""
    path = target / _SETTINGS
    if path.is_file():
        try:
            earlier = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            earlier = {}
        changed = [name for name, value in settings.items() if earlier.get(name) != value]
        if changed:
            raise InputError(
                f"{target}: found vectors of another source, model or option (other {', '.join(changed)}); "
                "expected those of the same run. Give another folder, or delete this one."
            )
        return
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise InputError(f"{target}: found something else there; expected a new or an empty folder.")
    target.mkdir(exist_ok=True)
    with replacing(path, force=True) as sink:
        sink.write(json.dumps(settings, indent=1).encode())


def _finish(target: Path) -> None:
    """Marks the target as complete; removes what killed runs have left."""
    for left in target.glob(".part-*"):
        left.unlink(missing_ok=True)
    (target / _DONE).touch()
