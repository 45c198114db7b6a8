"""What a report shows in each mode."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.report.redaction import MODES, Fields, common_values, redact

FIELDS = Fields(
    texts=frozenset({"ops", "before"}),
    values=frozenset({"value"}),
    names=frozenset({"uid"}),
    pictures=frozenset({"thumbnail"}),
)
REPORT: dict[str, Any] = {
    "verdict": "2 rows were removed",
    "rows": 2,
    "samples": [{"uid": "13812345678.jpg", "ops": [["=", "电话"], ["+", "13812345678"]], "thumbnail": "data:x"}],
    "labels": [{"value": "物流 13812345678", "rows": 4}],
    "13812345678": {"before": {"deep": "秘密"}},
}


@pytest.mark.parametrize("mode", [mode for mode in MODES if mode != "none"])
def test_no_mode_but_none_shows_a_phone_number(mode: Any) -> None:
    """Reports go into mails and pull requests."""
    assert "13812345678" not in str(redact(REPORT, mode, FIELDS))
    assert redact(REPORT, "none", FIELDS) == REPORT


def test_strict_shows_no_text_of_the_dataset_and_keeps_every_number() -> None:
    """A comment on a public pull request may say how many rows went, not what stood in them."""
    shown = redact(REPORT, "strict", FIELDS)
    assert shown["rows"] == 2
    assert shown["verdict"] == REPORT["verdict"]
    assert shown["samples"][0]["thumbnail"] is None
    assert "电话" not in str(shown) and "物流" not in str(shown) and "秘密" not in str(shown)
    assert shown["samples"][0]["ops"][1][1] == "⟨11 characters⟩"


def test_keys_only_names_the_records() -> None:
    """Who may not read the texts must still be able to look a record up."""
    report = {"samples": [{"uid": "abc123", "ops": [["+", "秘密"]]}]}
    assert redact(report, "keys-only", FIELDS)["samples"][0]["uid"] == "abc123"
    assert redact(report, "strict", FIELDS)["samples"][0]["uid"] != "abc123"
    assert "秘密" not in str(redact(report, "keys-only", FIELDS))


def test_an_unknown_mode_is_refused() -> None:
    """A typing error must not mean that nothing is hidden."""
    with pytest.raises(ValueError, match="strict"):
        redact({}, "stict", FIELDS)  # type: ignore[arg-type]


def test_rare_values_are_counted_and_not_shown() -> None:
    """A label that one row has may be a person's name; a label of the registry is not."""
    assert common_values({"a": 9, "张三": 1, "物流": 2}, declared={"物流"}) == ({"a": 9, "物流": 2}, 1, 1)


@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=20),
        lambda below: (
            st.lists(below, max_size=3)
            | st.dictionaries(st.sampled_from(["ops", "value", "uid", "rows", "note"]), below, max_size=3)
        ),
        max_leaves=12,
    ),
    st.sampled_from(MODES),
)
def test_the_shape_of_a_report_stays(report: Any, mode: Any) -> None:
    """A renderer must find what it looks for, whatever was taken out."""
    shown = redact(report, mode, FIELDS)
    assert _shape(shown) == _shape(report)


def _shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _shape(below) for key, below in value.items()}
    if isinstance(value, list):
        return [_shape(item) for item in value]
    return type(value).__name__
