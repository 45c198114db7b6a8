"""`curate why` on a record that a limit decided about: where the limit was said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

RECIPE = """\
name: talks
input: {path: talks.jsonl}
stages:
  - use: quality
  - use: filter
    near: 0
    min:
      text_length: 12
"""


@pytest.mark.parametrize(
    ("more", "limit", "told"),
    [
        ((), 12, "set at talks.yaml:8"),
        (("--set", "stages.filter.min.text_length=9"), 9, "set by --set stages.filter.min.text_length=9"),
    ],
)
def test_a_dropped_record_tells_where_its_limit_was_said(
    curate: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: tuple[str, ...], limit: int, told: str
) -> None:
    """Acceptance 5 of the diff: whoever wants the row back must know which line to change."""
    monkeypatch.chdir(tmp_path)
    rows = [
        {"id": name, "messages": [{"role": "user", "content": text}, {"role": "assistant", "content": "好"}]}
        for name, text in (("short", "多少钱"), ("long", "请问这件衣服洗了以后会不会缩水呢"))
    ]
    Path("talks.jsonl").write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")
    Path("talks.yaml").write_text(RECIPE, "utf-8")
    done = curate("run", "talks.yaml", "-o", "out", *more)
    assert done.code == 0, done.err
    answer = curate("why", "short", "--run", "out")
    said = " ".join(answer.out.split())
    assert "02-filter DROPPED below_threshold (text_length 4" in said
    assert f"limit {limit} {told}" in said
    kept = "--set stages.filter.min.text_length=4"
    assert f"keep it: {kept}" in said
    assert curate("run", "talks.yaml", "-o", "all", *kept.split()).code == 0
    assert "DROPPED" not in curate("why", "short", "--run", "all").out
