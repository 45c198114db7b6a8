"""Twenty canaries, planted in every field, and looked for in everything that a command which reports has written."""

from __future__ import annotations

import html
import json
from pathlib import Path

import pytest
from canaries import CANARIES, planted

from curate.cli.main import invoke

MODES = ("default", "keys-only", "strict")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The planted source, and a run of it whose pictures say canaries, too."""
    folder = tmp_path_factory.mktemp("planted")
    paths = planted(folder)
    run = folder / "run"
    options = ["--images", str(paths["images"]), "--set", "max_failed=99", "-q"]
    assert invoke(["split", str(paths["old"]), str(run), *options]) == 0
    return {**paths, "run": run}


def commands(data: dict[str, Path], mode: str) -> dict[str, list[str]]:
    """Every command that reports, with every file that it can write."""
    old, new, run, said, rivals = (str(data[name]) for name in ("old", "new", "run", "said", "rivals"))
    files = [part for kind in ("html", "json", "md", "jsonl") for part in ("--report", f"diff.{kind}")]
    redact = ["--redact", mode]
    return {
        "diff": ["diff", old, new, *files, "--fail-on", "removed:0", *redact],
        "diff --json": ["diff", old, new, "--json", *redact],
        "diff RUN": ["diff", run, "--report", "run-diff.html", "--thumbs", "files", *redact],
        "diff --by-stage": ["diff", run, "--by-stage", *redact],
        "diff --row": ["diff", old, new, "--key", "id", "--row", "2 ", *redact],
        "diff --github": ["diff", old, new, "--github", "--fail-on", "removed:0", *redact],
        "report": ["report", run, "-o", "run.html", *redact],
        "report zh": ["report", run, "-o", "run-zh.html", "--lang", "zh", *redact],
        "evaluate": ["evaluate", run, said, "--compare", rivals, "--by-label", "--html", "scores.html", *redact],
        "evaluate --json": ["evaluate", run, rivals, "--json", *redact],
        **({"card": ["card", run], "card --json": ["card", run, "--json"]} if mode == "default" else {}),
        **({"card --check": ["card", run, "--check", "--for", "hub"]} if mode == "default" else {}),
    }


def found(text: str) -> set[str]:
    """The canaries that stand in a text, as they are or in other writing."""
    plain = html.unescape(text)
    plain += plain.encode().decode("unicode_escape", "ignore") if "\\u" in plain else ""
    return {canary for canary in CANARIES if canary in plain}


@pytest.mark.parametrize("mode", MODES)
def test_no_report_shows_personal_data(
    data: dict[str, Path],
    mode: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Reports go into mails, pull requests and tickets; one telephone number in one of them is a leak."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "outputs"))
    leaks: dict[str, set[str]] = {}
    for name, arguments in commands(data, mode).items():
        capsys.readouterr()
        assert invoke(arguments) in (0, 1), name
        said = capsys.readouterr()
        leaks[f"{name}: stdout"], leaks[f"{name}: stderr"] = found(said.out), found(said.err)
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    leaks |= {path.name: found(path.read_text("utf-8", "replace")) for path in written}
    leaks |= {"names of files": found("\n".join(map(str, written)))}

    assert {name: sorted(told) for name, told in leaks.items() if told} == {}
    assert len(written) >= 10


def test_the_canaries_are_there_to_be_found(
    data: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A test that looks for what was never planted cannot fail."""
    page, scores = tmp_path / "run.html", tmp_path / "scores.html"
    invoke(["report", str(data["run"]), "-o", str(page), "--redact", "none"])
    invoke(["evaluate", str(data["run"]), str(data["said"]), "--html", str(scores), "--redact", "none"])
    capsys.readouterr()
    invoke(["diff", str(data["old"]), str(data["new"]), "--json", "--samples", "99", "--redact", "none"])
    diff = json.dumps(json.loads(capsys.readouterr().out), ensure_ascii=False)

    assert len(CANARIES) == 20
    assert found(diff) == set(CANARIES)
    assert found(scores.read_text("utf-8")) == set(CANARIES)
    assert len(found(page.read_text("utf-8"))) > 3
