"""Tokens are counted as the model counts them, or never under that."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from curate.dataset.tokens import _TWO_TOKENS
from curate.errors import UsageError
from curate.export import tokens
from curate.export.chatml import lay_out, pads
from curate.export.check.cutting import cut

SPECIAL = ["<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>"]
WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small tokenizer of the kind that Qwen2 has."""
    made = Tokenizer(models.BPE())
    made.normalizer = normalizers.NFC()
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(WORDS), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=900, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    made.train_from_iterator(["你是一个电商客服专家 what colour is the circle?"] * 50, trainer)
    made.add_special_tokens([AddedToken(one, special=True, normalized=False) for one in SPECIAL])
    folder = tmp_path_factory.mktemp("tokenizer")
    made.save(str(folder / "tokenizer.json"))
    return folder


def test_a_conversation_has_the_tokens_that_its_text_has(tokenizer: Path) -> None:
    """Counting turn by turn must not lose the marks between the turns."""
    made = Tokenizer.from_file(str(tokenizer / "tokenizer.json"))
    turns = lay_out(
        ["<image>what colour\n是什么<image>?", "and 你?"], ["red", "专家"], None, [6, 4], tokens.counter(tokenizer)
    )
    picture = "<|vision_start|>{}<|vision_end|>"
    text = (
        "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n"
        + picture.format("<|image_pad|>" * 6)
        + "what colour\n是什么"
        + picture.format("<|image_pad|>" * 4)
        + "?<|im_end|>\n<|im_start|>assistant\nred<|im_end|>\n"
        + "<|im_start|>user\nand 你?<|im_end|>\n<|im_start|>assistant\n专家<|im_end|>\n"
    )

    assert sum(turn.source_tokens + turn.target_tokens for turn in turns) == len(made.encode(text).ids)
    assert sum(pads(turn.source) for turn in turns) == 10


@given(st.text(max_size=60))
def test_the_estimate_is_never_under_a_byte_level_vocabulary_without_merges(text: str) -> None:
    """GB 2312 apart, no tokenizer of this kind needs more tokens than bytes, composed or not."""
    import unicodedata

    plain = "".join(one for one in unicodedata.normalize("NFC", text) if one not in _TWO_TOKENS)
    assert tokens.at_most(text) >= len(plain.encode("utf-8", "surrogatepass"))


def test_common_characters_count_two_and_rare_ones_three() -> None:
    """Of Qwen's vocabulary: 鶃 takes three tokens, no character of GB 2312 more than two."""
    assert tokens.at_most("你好，。") == 8
    assert tokens.at_most("鶃") == 3
    assert tokens.at_most("abc 12") == 6
    assert len(_TWO_TOKENS) > 6_763


def test_a_missing_tokenizer_is_said(tmp_path: Path) -> None:
    """A wrong path must not fall back to the estimate in silence."""
    with pytest.raises(UsageError, match=r"there is no tokenizer .*tokenizer.json"):
        tokens.counter(tmp_path)
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(UsageError, match="is not a tokenizer"):
        tokens.counter(tmp_path)


def test_cutting_keeps_the_answer_before_the_question() -> None:
    """LLaMA-Factory cuts the longer part first; pictures at the end of a long question go before the answer does."""
    behind = lay_out(["x" * 300 + "<image>"], ["yes"], None, [24], tokens.at_most)
    before = lay_out(["<image>" + "x" * 300], ["yes"], None, [24], tokens.at_most)

    assert cut(before, 200).pads == 24
    assert cut(behind, 200).pads == 0
    assert cut(before, 200).labels == cut(behind, 200).labels > 0
    assert cut(before, 10_000).whole
    assert not cut(before, 200).whole


@given(st.integers(1, 500), st.integers(1, 300), st.integers(1, 60), st.integers(64, 900))
def test_what_is_left_fits_the_budget(question: int, answer: int, picture: int, cutoff: int) -> None:
    """A row longer than cutoff_len would end in memory that is not there."""
    draw = random.Random(question)
    text = "x" * draw.randint(0, question) + "<image>" + "y" * question
    kept = cut(lay_out([text, "more"], ["a" * answer, "b"], None, [picture], tokens.at_most), cutoff)

    assert kept.tokens <= cutoff
    assert kept.pads <= picture
