"""A person owns the card: acceptance tests 1, 2, 6, 7 and 8 of the specification."""

from __future__ import annotations

import re

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from curate.card import front_matter
from curate.card.answers import answer
from curate.card.layout import CardError, parse
from curate.card.merge import merge

OWNED = {"size_categories": ["n<1K"], "curate": {"card_schema": 1, "fingerprint": "sha256:aa"}}
SUGGESTED = {"language": ["zh", "no"], "pretty_name": "shop"}
BLOCKS = {"numbers": "| rows | 9 |", "labels": "none"}

CARD = """---
# legal said so on 2026-11-02
license: cc-by-nc-4.0   # do not change
tags: ["a", 'b']
---
# Shop

<!-- curate:begin numbers -->
old
<!-- curate:end numbers -->

{one}

## Uses
<!-- curate:ask rai.dataUseCases : who may use this? -->
{two}

```markdown
<!-- curate:begin numbers -->
in a fence {three}
<!-- curate:end nothing -->
<!-- curate:begin labels -->
```

<!-- curate:begin labels -->
<!-- curate:end labels -->
{four}
"""
WORDS = st.text(alphabet=st.sampled_from("a只可用于研究😀é \t#*|`<>-—&\u2028\u200b\x0c:[]\n"), max_size=40).filter(
    lambda text: not re.search(r"```|~~~|^ {0,3}<!-- curate", text, re.MULTILINE)
)


def outside(text: str) -> str:
    """What is not curate's: found here with other means than the code's."""
    lines, kept, inside, fence = re.split(r"(?<=\n)", text), [], False, False
    for line in lines:
        plain = line.strip()
        if plain.startswith("```"):
            fence = not fence
        if not fence and plain.startswith("<!-- curate:end"):
            inside = False
        if not inside:
            kept.append(line)
        if not fence and plain.startswith("<!-- curate:begin"):
            inside = True
    body = "".join(kept)
    head, _, rest = body[3:].partition("\n---")
    owned = re.sub(r"(?m)^(size_categories|curate|language|pretty_name):.*\r?\n(?:(?:- |  ).*\r?\n?)*", "", head + "\n")
    return f"{owned.rstrip()}\n---{rest}"


@settings(max_examples=100, deadline=None)
@given(WORDS, WORDS, WORDS, WORDS, st.booleans())
@example("x", "\u2028## no heading", "", "last line without an end", False)
def test_1_what_a_person_wrote_stays_byte_for_byte(one: str, two: str, three: str, four: str, windows: bool) -> None:
    """Acceptance 1. A card that loses a sentence once is never edited again."""
    text = CARD.format(one=one, two=two, three=three.replace("\n", " "), four=four)
    text = text.replace("\n", "\r\n") if windows else text
    made = merge(text, "card.md", OWNED, SUGGESTED, BLOCKS, {}).text

    assert outside(made) == outside(text)
    assert "| rows | 9 |" in made
    assert ("\r\n" in made) == windows


@settings(max_examples=50, deadline=None)
@given(WORDS, WORDS)
def test_2_writing_twice_is_writing_once(one: str, two: str) -> None:
    """Acceptance 2. A card that changes each time is noise in every commit."""
    text = CARD.format(one=one, two=two, three="", four="")
    first = merge(text, "card.md", OWNED, SUGGESTED, BLOCKS, {})
    second = merge(first.text, "card.md", OWNED, SUGGESTED, BLOCKS, first.blocks)

    assert second.text == first.text
    assert second.changed == []


@settings(max_examples=50, deadline=None)
@given(WORDS, WORDS)
def test_6_no_open_question_disappears(one: str, two: str) -> None:
    """Acceptance 6. A question that is gone looks like one that was answered."""
    text = CARD.format(one=one, two=two, three="", four="")
    made = merge(text, "card.md", OWNED, SUGGESTED, BLOCKS, {}).text

    assert [one.id for one in parse(made, "").questions] == ["rai.dataUseCases"]
    assert parse(made, "").answer(parse(made, "").questions[0]) == parse(text, "").answer(parse(text, "").questions[0])


@given(
    st.dictionaries(
        st.sampled_from(["pretty_name", "language", "tags", "license"]),
        st.sampled_from(
            ["no", "on", "1.0", "~", "yes", "null", "2026-11-26", "0x1f", "1e3", "中文: 发票", "- a", "#x", "a: b", ""]
        )
        | st.lists(st.sampled_from(["no", "off", "zh", "1_000", "12:30:45", ".5", "=", "0o7"]), min_size=1),
        min_size=1,
    )
)
def test_7_what_we_write_is_read_alike_by_both_yamls(values: dict[str, object]) -> None:
    """Acceptance 7. The Hub reads YAML 1.1, where `no` is not Norwegian but False."""
    text = front_matter.dump(values)

    assert yaml.safe_load(text) == values
    assert front_matter.load(text.splitlines(keepends=True), "card.md") == values


def test_8_markers_in_a_fenced_code_block_are_text() -> None:
    """Acceptance 8. Whoever documents the markers must not have the example filled in."""
    made = merge(CARD.format(one="", two="", three="", four=""), "card.md", OWNED, SUGGESTED, BLOCKS, {}).text

    assert "```markdown\n<!-- curate:begin numbers -->\nin a fence \n<!-- curate:end nothing -->" in made


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<!-- curate:begin a -->\nx\n", r"card.md:1: block 'a' does not end"),
        ("<!-- curate:end a -->\n", r"card.md:1: block 'a' ends here"),
        ("<!-- curate:begin a -->\n<!-- curate:begin b -->\n", r"card.md:2: block 'b' begins inside block 'a'"),
        ("<!-- curate:begin a -->\n<!-- curate:end a -->\n" * 2, r"card.md:3: block 'a' is there already in line 1"),
        ("---\nlicense: a\nlicense: b\n---\n", r"card.md:3: the front matter is not valid YAML"),
        ("---\n- a\n---\n", r"card.md:2: the front matter must be a mapping"),
    ],
)
def test_a_broken_card_is_named_by_line_and_left_alone(text: str, message: str) -> None:
    """Guessing where a block ends would eat the text behind it."""
    with pytest.raises(CardError, match=message):
        merge(text, "card.md", OWNED, {}, BLOCKS, {})


def test_a_block_that_was_removed_stays_away() -> None:
    """Who takes the labels out of a card has a reason."""
    made = merge("# Shop\n", "card.md", OWNED, {}, BLOCKS, {})

    assert made.absent == ["numbers", "labels"]
    assert made.text.endswith("---\n# Shop\n")


def test_an_edit_inside_a_block_is_shown_kept_or_dropped_as_asked() -> None:
    """Somebody wrote there because nothing said not to; the words must not just vanish."""
    first = merge(CARD.format(one="", two="", three="", four=""), "card.md", OWNED, {}, BLOCKS, {})
    edited = first.text.replace("| rows | 9 |", "| rows | 9 |\nnine is not many")
    new = {**BLOCKS, "numbers": "| rows | 10 |"}

    with pytest.raises(CardError, match=r"card.md:\d+: block 'numbers' was edited by hand[^+]+\+ nine is not many"):
        merge(edited, "card.md", OWNED, {}, new, first.blocks, "refuse", BLOCKS)
    moved = merge(edited, "card.md", OWNED, {}, new, first.blocks, "move", BLOCKS).text
    assert "| rows | 10 |\n<!-- curate:end numbers -->\n\nnine is not many\n" in moved
    assert "nine" not in merge(edited, "card.md", OWNED, {}, new, first.blocks, "overwrite").text


def test_an_answer_goes_under_its_question_and_cannot_end_it() -> None:
    """An answer that begins with `#` would otherwise be a new section, and the question open again."""
    text = CARD.format(one="", two="*(not answered yet)*", three="", four="")
    made = answer(text, "card.md", "rai.dataUseCases", "# Research only\n<!-- curate:end numbers -->")
    layout = parse(made, "card.md")

    assert (layout.answer(layout.questions[0]) or "").startswith("\\# Research only\n\\<!-- curate:end numbers -->")
    assert parse(text, "card.md").answer(parse(text, "card.md").questions[0]) is not None  # the fence below it is text


def test_headings_in_front_of_the_next_question_are_not_an_answer() -> None:
    """An empty card must not count its own headings as answers."""
    text = (
        "# A\n<!-- curate:ask a : ? -->\n*(not answered yet)*\n\n## B\n<!-- curate:ask b : ? -->\n\nyes\n\n## C\nmore\n"
    )
    layout = parse(text, "card.md")

    assert [layout.answer(one) for one in layout.questions] == [None, "yes"]


CHUNKS = (
    "# a comment: with a colon\n",
    "\n",
    "license: cc-by-4.0   # legal said so\n",
    "tags:\n- image\n  # between\n- text\n",
    "tags_extra: [a, 'b',\n   \"c: d\"]\n",
    "description: |\n  size_categories: not a key\n\n  # not a comment\n",
    "folded: >-\n  curate: not a key either\n",
    "'quoted key': 1\n",
    "train-eval-index:\n  - config: default\n    col_mapping:\n      text: text\n",
    "empty:\n",
    "中文: 发票 😀\n",
)
OLD = (
    "size_categories:\n- n<1K\n",
    "curate: {card_schema: 1, fingerprint: old}\n",
    "configs:\n- config_name: default\n  data_files:\n  - split: train\n    path: x\n",
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(CHUNKS + OLD), unique=True), st.booleans())
def test_the_head_keeps_every_line_that_is_not_ours(chunks: list[str], windows: bool) -> None:
    """A comment of the legal department, a block of text that looks like our key, the order of keys: all stay."""
    newline = "\r\n" if windows else "\n"
    head = "".join(chunks).replace("\n", newline)
    text = f"---{newline}{head}---{newline}# Shop{newline}"
    made = merge(text, "card.md", OWNED, {}, {}, {}).text
    again = merge(made, "card.md", OWNED, {}, {}, {}).text

    assert made.endswith(f"---{newline}# Shop{newline}")
    place = 0
    for chunk in chunks:
        if chunk.startswith(("size_categories", "curate")):
            continue
        place = made.index(chunk.replace("\n", newline), place)
    values = front_matter.load(parse(made, "").lines[slice(*(parse(made, "").front or ()))], "card.md")
    assert values["size_categories"] == ["n<1K"] and values["curate"] == OWNED["curate"]
    assert again == made
