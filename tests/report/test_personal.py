"""What counts as personal data, and that none of it is shown."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.report import personal

EXAMPLES = [(rule.id, text) for rule in personal.rules() for text in rule.hits]
SPARED = [(rule.id, text) for rule in personal.rules() for text in rule.spares]


@pytest.mark.parametrize(("kind", "text"), EXAMPLES)
def test_a_rule_hits_its_examples(kind: str, text: str) -> None:
    """A number that is not found is printed in a report that goes round."""
    assert [hit.kind for hit in personal.find(text)] == [kind]


@pytest.mark.parametrize(("kind", "text"), SPARED)
def test_a_rule_spares_its_counterexamples(kind: str, text: str) -> None:
    """An order number that is masked makes a diff unreadable, and a card count what is not there."""
    assert kind not in [hit.kind for hit in personal.find(text)]


@pytest.mark.parametrize(("kind", "text"), EXAMPLES)
def test_a_mask_keeps_the_length_and_none_of_the_value(kind: str, text: str) -> None:
    """Places of edits are counted in characters; a mask of another length would move them."""
    (hit,) = personal.find(text)
    masked = personal.mask(text)
    assert len(masked) == len(text)
    assert text[hit.start : hit.end] not in masked
    assert not any(character.isdecimal() for character in masked[hit.start : hit.end])


def test_a_column_counts_what_its_texts_hold() -> None:
    """The sieve of the column must not drop what a text alone shows."""
    texts = [text for _, text in EXAMPLES + SPARED] * 3
    alone = [hit.kind for text in texts for hit in personal.find(text)]
    counted = personal.count(pa.chunked_array([texts[:7], [None], texts[7:]]))
    assert counted == Counter(alone)


def test_check_digits_are_arithmetic() -> None:
    """A wrong check digit is how an order number is told from a card or an identity number."""
    assert personal.is_luhn("79927398713")
    assert not any(personal.is_luhn(f"7992739871{last}") for last in "012456789")
    assert personal.is_id_number("11010519491231002x")


@given(st.text(alphabet=st.sampled_from("0123456789-+ @.Xx京A微信QQ：路号栋中山１２\u200ba"), max_size=60))
def test_hits_never_overlap_and_masking_twice_is_masking_once(text: str) -> None:
    """Two masks over one place would cut the text; a mask that is found again would grow."""
    hits = personal.find(text)
    assert all(one.end <= other.start for one, other in pairwise(hits))
    masked = personal.mask(text)
    assert len(masked) == len(text)
    assert personal.mask(masked) == masked
