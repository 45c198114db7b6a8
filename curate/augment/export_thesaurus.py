"""Freeze what the package `synonyms` says into a table that pipelines can read again and again."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from curate.augment.guards import Guard
from curate.augment.words import Segmenter
from curate.dataset.files import write_bytes
from curate.errors import MissingExtra, UsageError

LICENCE, VECTORS = "SYNONYMS_DL_LICENSE", "SYNONYMS_WORD2VEC_BIN_MODEL_ZH_CN"
"""Environment variables that the package reads: a licence id of its vendor, or a file of word vectors."""


def check_synonyms(environment: Mapping[str, str]) -> str:
    """Make sure that the package can work; give its version.

    Raises:
        MissingExtra: it is not installed.
        UsageError: it has neither a licence nor vectors, which it needs to be imported at all.
    """
    if importlib.util.find_spec("synonyms") is None:
        raise MissingExtra("a table from word vectors", "synonyms")
    vectors = environment.get(VECTORS)
    if vectors and not Path(vectors).is_file():
        raise UsageError(f"{VECTORS} names {vectors}, which is no file")
    if not vectors and not environment.get(LICENCE):
        raise UsageError(
            f"the package synonyms cannot be imported without word vectors: set {VECTORS} to a words.vector file, "
            f"or {LICENCE} to a licence id of its vendor (it then downloads them)"
        )
    try:
        return version("synonyms")
    except PackageNotFoundError:
        return "of unknown version"


def export_synonyms(words: Sequence[str], path: Path, number: int, least: float) -> int:
    """Ask for the neighbours of words in a child process and write them as a table; give its number of lines.

    Neighbours in vector space are not synonyms (便宜 and 昂贵 are .85 alike): pairs that never stand for each other are
    left out, everything else is for a person to read before it is used.

    Args:
        words: The words.
        path: The table.
        number: Neighbours of each word.
        least: Score that a neighbour must have.

    Raises:
        UsageError: as `check_synonyms`, or the child failed; the message holds its last line.
    """
    named = check_synonyms(os.environ)
    child = subprocess.run(  # noqa: S603  our own module, with a number; the words go through stdin
        [sys.executable, "-m", "curate.augment.from_synonyms", str(number)],
        input="\n".join(words),
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    if child.returncode:
        said = [line for line in child.stderr.splitlines() if line.strip()]
        raise UsageError(f"the package synonyms failed: {said[-1] if said else f'exit code {child.returncode}'}")
    guard = Guard(Segmenter([]), (), ())
    lines = [
        f"{word}\t{other}\t{score:.4f}\n"
        for word, near in map(json.loads, child.stdout.splitlines())
        for other, score in near
        if score >= least and guard.pair_allowed(word, other)
    ]
    head = f"# synonyms {named}, vectors {_vectors()}, {number} neighbours of {least:g} or more. Read it before use.\n"
    write_bytes(path, (head + "".join(lines)).encode("utf-8"))
    return len(lines)


def _vectors() -> str:
    path = os.environ.get(VECTORS)
    if not path:
        return "of the vendor"
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
    return f"sha256 {digest.hexdigest()[:16]}"
