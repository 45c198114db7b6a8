"""Floor and cap of labels."""

from __future__ import annotations

from collections import Counter

import pytest
from augment_support import context, perform, talk

from curate.pipeline.outcome import Outcome
from curate.records import Record, from_table
from curate.select.balance import BalanceOptions, BalanceStage


def balance(rows: list[Record], seed: int = 0, shard: int = 100, **options: object) -> Outcome:
    return perform(BalanceStage(BalanceOptions(**options), context(seed=seed)), rows, shard)  # type: ignore[arg-type]


def counts(outcome: Outcome) -> Counter[str | None]:
    return Counter(record.label for record in from_table(outcome.rows))


ROWS = [talk(n * 5) for n in range(9)] + [talk(1), talk(6)] + [talk(2, split="val")]


def test_a_label_above_its_cap_loses_what_was_not_drawn() -> None:
    """Each that goes says how many there were and how many may be."""
    outcome = balance(ROWS, cap=4)
    assert counts(outcome) == {"商品材质": 4, "用法用量": 2, "何时上货": 1}
    dropped = outcome.ledger.to_pylist()
    assert {(e["code"], e["value"], e["threshold"]) for e in dropped} == {("label_above_cap", 9.0, 4.0)}
    assert len(dropped) == 5


def test_originals_stay_before_copies() -> None:
    """A copy must not push out what a customer really said."""
    rows = [talk(n * 5, parent=None if n < 3 else "u00000") for n in range(9)]
    assert [record.parent for record in from_table(balance(rows, cap=3).rows)] == [None] * 3


@pytest.mark.parametrize(
    ("below", "expected", "codes"),
    [
        ("report", {"商品材质": 9, "用法用量": 2, "何时上货": 1}, {"noted": {"label_below_floor": 1}}),
        ("repeat", {"商品材质": 9, "用法用量": 7, "何时上货": 1}, {"added": {"label_repeated": 5}}),
        ("drop", {"商品材质": 9, "何时上货": 1}, {"dropped": {"label_below_floor": 2}}),
    ],
)
def test_a_label_below_its_floor(below: str, expected: dict[str, int], codes: dict[str, dict[str, int]]) -> None:
    """Told, filled up or dropped, as the recipe says; validation is not touched."""
    outcome = balance(ROWS, floor=7, below=below)
    assert counts(outcome) == expected
    assert outcome.counts.codes == codes


def test_order_and_shards_do_not_matter_but_the_seed_does() -> None:
    """Who stays is drawn from uid and seed."""
    stay = {record.uid for record in from_table(balance(ROWS, cap=4).rows)}
    assert {record.uid for record in from_table(balance(ROWS[::-1], shard=2, cap=4).rows)} == stay
    assert any(
        {record.uid for record in from_table(balance(ROWS, seed=seed, cap=4).rows)} != stay for seed in (1, 2, 3)
    )


@pytest.mark.parametrize("options", [{}, {"floor": 5, "cap": 4}, {"cap": 4, "below": "drop"}])
def test_nonsense_is_refused(options: dict[str, object]) -> None:
    """Before the first row, with a sentence."""
    with pytest.raises(ValueError, match="floor"):
        BalanceOptions(**options)  # type: ignore[arg-type]
