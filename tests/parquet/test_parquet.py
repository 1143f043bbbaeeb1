"""Vectors of Parquet files: every row once, with the bits of a call, however often a run is killed."""

from __future__ import annotations

import json
import random
import signal
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mobilebert_rt import InputError, TextEmbedder, parquet
from mobilebert_rt.cli import main
from mobilebert_rt.parquet import Written, embed_parquet
from tests import interpreter
from tests.emulation import import_on_host
from tests.small_models.text import random_words

pyarrow = import_on_host("pyarrow")
pq = import_on_host("pyarrow.parquet")

TEXTS: list[str | None] = ["a cat", "", None, "Z\u00fcrich \u6771\u4eac", "word " * 400]
TEXTS += [random_words(1 + i % 9, i) for i in range(45)]


@pytest.fixture(scope="module")
def embedder() -> TextEmbedder:
    return TextEmbedder(on_overflow="truncate")


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "PART_ROWS", 8)


def write(path: Path, texts: list[str | None] = TEXTS, rows: int = 20, **columns: Any) -> Path:
    table = pyarrow.table({"id": list(range(len(texts))), "text": pyarrow.array(texts, "string"), **columns})
    pq.write_table(table, path, row_group_size=rows)
    return path


def vectors_of(table: Any) -> np.ndarray:
    """Nulls as NaN."""
    rows = table["vector"].to_pylist()
    width = table.schema.field("vector").type.list_size
    return np.array([[np.nan] * width if row is None else row for row in rows], np.float32)


def expected(embedder: TextEmbedder, texts: list[str | None] = TEXTS) -> np.ndarray:
    rows = embedder([text or "" for text in texts])
    rows[[text is None for text in texts]] = np.nan
    return rows


def test_rows_are_those_of_the_source_with_the_bits_of_a_call(tmp_path: Path, embedder: TextEmbedder) -> None:
    source = write(tmp_path / "in.parquet")
    assert embed_parquet(embedder, source, tmp_path / "out") == Written(50, 50, 1)
    table = pq.read_table(tmp_path / "out")
    assert table.column_names == ["id", "text", "vector"]
    assert table["id"].to_pylist() == list(range(50))
    assert table["text"].to_pylist() == TEXTS
    np.testing.assert_array_equal(vectors_of(table), expected(embedder))
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names[:3] == ["_SUCCESS", "_settings.json", "part-00000-00000-00000.parquet"]
    assert len(names) == 2 + 3 + 3 + 2  # row groups of 20, 20 and 10 rows, in parts of 8
    assert embed_parquet(embedder, source, tmp_path / "out") == Written(50, 0, 0)


def test_folders_and_chosen_columns(tmp_path: Path, embedder: TextEmbedder) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for name, texts in (("b", TEXTS[:9]), ("a", TEXTS[9:])):
        write(folder / f"{name}.parquet", texts, body=[f"{name} cat"] * len(texts))
    assert embed_parquet(embedder, folder, tmp_path / "out", column="body", keep=["id"]).texts == 50
    table = pq.read_table(tmp_path / "out")
    assert table.column_names == ["id", "body", "vector"]
    assert table["body"].to_pylist() == ["a cat"] * 41 + ["b cat"] * 9
    np.testing.assert_array_equal(vectors_of(table), expected(embedder, table["body"].to_pylist()))


def test_file_without_rows(tmp_path: Path, embedder: TextEmbedder) -> None:
    assert embed_parquet(embedder, write(tmp_path / "in.parquet", []), tmp_path / "out") == Written(0, 0, 0)
    assert (tmp_path / "out" / "_SUCCESS").exists()


def test_killed_run_goes_on_and_loses_and_doubles_nothing(tmp_path: Path, embedder: TextEmbedder) -> None:
    texts: list[str | None] = [random_words(20 + i % 50, i) for i in range(3000)]
    source, target = write(tmp_path / "in.parquet", texts, rows=700), tmp_path / "out"
    code = (
        "import sys\nfrom mobilebert_rt import cli, parquet\nparquet.PART_ROWS = 64\nsys.exit(cli.main(sys.argv[1:]))"
    )
    words = ("embed", "default", "--parquet", str(source), "--out", str(target), "--json", "--quiet")
    moments, killed = random.Random(5), 0
    for _ in range(5):
        process = subprocess.Popen(interpreter.command("-c", code, *words), stdout=subprocess.DEVNULL)
        try:
            process.wait(moments.uniform(0.3, 0.9))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            killed += 1
        process.wait()
    assert killed > 0
    done = interpreter.run(code, *words)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["texts"], report["nulls"]) == (3000, 0)
    table = pq.read_table(target)
    assert table["id"].to_pylist() == list(range(3000))
    np.testing.assert_array_equal(vectors_of(table), expected(embedder, texts))
    assert not list(target.glob(".*"))


def test_other_source_model_or_option_is_refused(tmp_path: Path, embedder: TextEmbedder) -> None:
    source, target = write(tmp_path / "in.parquet"), tmp_path / "out"
    embed_parquet(embedder, source, target)
    (target / "part-00000-00001-00000.parquet").unlink()
    with pytest.raises(InputError, match=r"other vectors\); expected those of the same run"):
        embed_parquet(TextEmbedder(on_overflow="truncate", truncate_dim=8), source, target)
    with pytest.raises(InputError, match="other columns"):
        embed_parquet(embedder, source, target, keep=[])
    write(source, [*TEXTS[:-1], "another"])
    with pytest.raises(InputError, match="other source"):
        embed_parquet(embedder, source, target)
    write(source)
    assert embed_parquet(embedder, source, target).made == 8


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        ({}, {"column": "body"}, "column: found no 'body'; expected one of id, text"),
        ({}, {"column": "id"}, "column: found 'id' of type int64; expected strings"),
        ({}, {"keep": ["url"]}, "keep: found no 'url'; expected one of id, text"),
        ({"vector": [0] * 50}, {}, "keep: found a column 'vector'"),
    ],
)
def test_wrong_columns_are_named(
    tmp_path: Path, embedder: TextEmbedder, change: dict[str, Any], options: dict[str, Any], message: str
) -> None:
    source = write(tmp_path / "in.parquet", **change)
    with pytest.raises(InputError, match=message):
        embed_parquet(embedder, source, tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


def test_wrong_files_are_named(tmp_path: Path, embedder: TextEmbedder) -> None:
    (tmp_path / "notes.parquet").write_text("not a table")
    with pytest.raises(InputError, match=r"notes\.parquet: found a file that is not Parquet"):
        embed_parquet(embedder, tmp_path / "notes.parquet", tmp_path / "out")
    with pytest.raises(InputError, match=r"no\.parquet: found no such file"):
        embed_parquet(embedder, tmp_path / "no.parquet", tmp_path / "out")
    with pytest.raises(InputError, match="expected a new or an empty folder"):
        embed_parquet(embedder, write(tmp_path / "in.parquet"), tmp_path)


def test_command_says_what_it_did(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = write(tmp_path / "in.parquet")
    words = ["embed", "default", f"--parquet={source}", "--out", str(tmp_path / "out"), "--keep", "id"]
    assert main([*words, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert {name: report[name] for name in ("texts", "made", "nulls")} == {"texts": 50, "made": 50, "nulls": 1}
    assert main(words) == 0
    assert "50 texts, 50 of them before" in capsys.readouterr().err


def test_help_of_the_option(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["embed", "--parquet", "x", "--help"])
    assert "mbrt embed default --parquet documents.parquet --out vectors" in capsys.readouterr().out
