"""Tables of one's own, and the table that word vectors are frozen to."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from augment_support import context, perform, talk

from curate.augment import export_thesaurus
from curate.augment.export_thesaurus import export_synonyms
from curate.augment.text import AugmentTextOptions, AugmentTextStage
from curate.augment.thesaurus import Lexicon, Table, make_thesaurus
from curate.errors import MissingExtra, UsageError
from curate.records import Record, Turn


def table(folder: Path, text: str) -> Path:
    path = folder / "mine.tsv"
    path.write_text(text, "utf-8")
    return path


def test_a_table_answers_before_the_lexicon(tmp_path: Path) -> None:
    """A person's own words win; all others are the lexicon's."""
    mine = Table.read(table(tmp_path, "# mine\n发货\t出货\t0.9\n发货\t派单\t0.95\tv\n"), Lexicon.shipped())
    assert mine.nearby("发货", 5) == [("派单", 0.95), ("出货", 0.9)]
    assert mine.nearby("发货", 5, "n") == [("出货", 0.9)]
    assert mine.nearby("什么时候", 1) == [("啥时候", 1.0)]
    assert Table.read(table(tmp_path, "发货\t出货\n"), None).nearby("什么时候", 1) == []


def test_the_digest_follows_the_table(tmp_path: Path) -> None:
    """Else a run with another table would reuse the copies of the old one."""
    one = Table.read(table(tmp_path, "发货\t出货\n"), None).digest()
    assert one != Table.read(table(tmp_path, "发货\t派单\n"), None).digest()
    assert one != Table.read(table(tmp_path, "发货\t出货\n"), Lexicon.shipped()).digest()


def test_pairs_that_never_stand_for_each_other_are_refused_from_a_table_too(tmp_path: Path) -> None:
    """Word vectors call 便宜 and 昂贵 neighbours; no table may bring that into a training set."""
    path = table(tmp_path, "便宜\t昂贵\t0.85\n退款\t付款\t0.9\n颜色\t黄色\n")
    options = AugmentTextOptions(operations=("synonym",), thesaurus="table_only", table=path)
    record = Record("u", "s", "chat", (Turn("user", "颜色好看价格便宜可以退款"), Turn("agent", "")), label="x", raw="")
    outcome = perform(AugmentTextStage(options, context()), [record])
    assert outcome.counts.codes == {"noted": {"text_copies_missing": 1}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("发货\n", ":1: a line is"),
        ("发货\t出货\tviel\n", "0 to 1, not 'viel'"),
        ("a\tb\n发货\t出货\t7\n", ":2: the score"),
    ],
)
def test_a_bad_line_of_a_table_is_named(tmp_path: Path, text: str, message: str) -> None:
    """A typing mistake in a table of thousands must be found by reading the message."""
    with pytest.raises(UsageError, match=message):
        Table.read(table(tmp_path, text), None)


def test_a_missing_table_is_told() -> None:
    """The name of the file is what helps."""
    with pytest.raises(UsageError, match=r"no\.tsv cannot be read"):
        make_thesaurus("table", Path("no.tsv"))


FAKE = """
import sys
print("banner on stdout")
sys.path.insert(0, "nowhere")
def nearby(word, n):
    known = {"发货": (["发货", "寄货", "收货", "远"], [1.0, 0.9, 0.8, 0.2])}
    return known.get(word, ([], []))
"""


@pytest.fixture
def fake_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package `synonyms` that behaves as badly as the real one."""
    package = tmp_path / "packages" / "synonyms.py"
    package.parent.mkdir()
    package.write_text(FAKE, "utf-8")
    monkeypatch.setenv("PYTHONPATH", f"{package.parent}:{':'.join(path for path in sys.path if path)}")
    monkeypatch.setattr(export_thesaurus.importlib.util, "find_spec", lambda name: object())
    vectors = tmp_path / "words.vector"
    vectors.write_bytes(b"numbers")
    monkeypatch.setenv(export_thesaurus.VECTORS, str(vectors))
    return package


def test_word_vectors_are_frozen_to_a_table(tmp_path: Path, fake_package: Path) -> None:
    """Pipelines must read what a person has read, not what a package says today."""
    path = tmp_path / "frozen.tsv"
    assert export_synonyms(["发货", "没有这个词"], path, 3, 0.5) == 1
    lines = path.read_text("utf-8").splitlines()
    assert lines[0].startswith("# synonyms") and "sha256" in lines[0]
    assert lines[1:] == ["发货\t寄货\t0.9000"]  # 收货 is on the never list, 远 scores too little
    assert "synonyms" not in sys.modules  # nothing of it in our process
    assert Table.read(path, None).nearby("发货", 3) == [("寄货", 0.9)]


def test_a_package_that_breaks_is_told_in_one_line(tmp_path: Path, fake_package: Path) -> None:
    """The package raises a bare Exception without a licence; a person needs its last line, not its traceback."""
    fake_package.write_text("raise Exception('SYNONYMS_DL_LICENSE is not in Environment variables')", "utf-8")
    with pytest.raises(UsageError, match=r"^the package synonyms failed: Exception: SYNONYMS_DL_LICENSE is not"):
        export_synonyms(["发货"], tmp_path / "x.tsv", 3, 0.5)
    assert not (tmp_path / "x.tsv").exists()


def test_what_the_package_needs_is_said_before_it_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody should wait half a minute to be told that a variable is missing."""
    monkeypatch.setattr(export_thesaurus.importlib.util, "find_spec", lambda name: object())
    with pytest.raises(UsageError, match=r"set SYNONYMS_WORD2VEC_BIN_MODEL_ZH_CN to a words\.vector file"):
        export_thesaurus.check_synonyms({})
    with pytest.raises(UsageError, match="which is no file"):
        export_thesaurus.check_synonyms({export_thesaurus.VECTORS: "/no/such"})
    monkeypatch.setattr(export_thesaurus.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"pip install 'curate\[synonyms\]'"):
        export_thesaurus.check_synonyms({})


def test_a_lexicon_written_as_a_table_gives_the_same_answers(tmp_path: Path) -> None:
    """Editing the shipped words must start from what they are."""
    assert talk(0).label == "商品材质"
    lexicon = Lexicon.shipped()
    path = table(
        tmp_path, "".join(f"{w}\t{o}\t1\n" for g in lexicon.groups for w in g.sources for o in g.words if o != w)
    )
    mine = Table.read(path, None)
    assert all(
        {other for other, _ in mine.nearby(word, 20)} == {other for other, _ in lexicon.nearby(word, 20)}
        for group in lexicon.groups
        for word in group.sources
    )
