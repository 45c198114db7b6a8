"""Runs in an environment: make a tiny Qwen2-VL with random weights, real special tokens, chat template and processor.

    python make_tiny_model.py OUT [--real-ids] TEXT...

TEXT are files that the tokenizer learns from. With --real-ids the special tokens have the numbers of the real
checkpoint (151643 on), which ms-swift takes for granted; without, the vocabulary is small. The configuration is
written in the flat form of the real checkpoint, which transformers 4 and 5 and vLLM read.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import AutoConfig, AutoModelForImageTextToText, GenerationConfig

VOCABULARY = 3072
FIRST_REAL_ID = 151_643
REAL_VOCABULARY = 151_936
HIDDEN = 64

SPECIAL = [
    f"<|{name}|>"
    for name in [
        "endoftext",
        "im_start",
        "im_end",
        "object_ref_start",
        "object_ref_end",
        "box_start",
        "box_end",
        "quad_start",
        "quad_end",
        "vision_start",
        "vision_end",
        "vision_pad",
        "image_pad",
        "video_pad",
    ]
]
"""In the order of Qwen2-VL's numbers."""

WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
"""How Qwen2's tokenizer cuts text into words."""

CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{% if loop.first and message['role'] != 'system' %}"
    "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n{% endif %}"
    "<|im_start|>{{ message['role'] }}\n"
    "{% if message['content'] is string %}{{ message['content'] }}"
    "{% else %}{% for part in message['content'] %}"
    "{% if part['type'] == 'image' or 'image_url' in part %}<|vision_start|><|image_pad|><|vision_end|>"
    "{% elif part['type'] == 'video' %}<|vision_start|><|video_pad|><|vision_end|>"
    "{% elif 'text' in part %}{{ part['text'] }}{% endif %}"
    "{% endfor %}{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
"""What Qwen2-VL's own template does, without its numbering of pictures."""


def main() -> None:
    """Write the model's folder."""
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=Path)
    parser.add_argument("texts", type=Path, nargs="*")
    parser.add_argument("--real-ids", action="store_true")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    tokenizer = _tokenizer([path.read_text("utf-8") for path in given.texts], given.real_ids)
    ids = {token: tokenizer.token_to_id(token) for token in SPECIAL}
    _write_tokenizer(given.out, tokenizer, ids)
    _write(given.out / "preprocessor_config.json", _PREPROCESSOR)
    flat = _config(ids, REAL_VOCABULARY if given.real_ids else -(-tokenizer.get_vocab_size() // 64) * 64)
    _write(given.out / "config.json", flat)
    torch.manual_seed(0)
    model = AutoModelForImageTextToText.from_config(AutoConfig.from_pretrained(given.out)).float()
    model.generation_config = GenerationConfig(
        bos_token_id=ids["<|endoftext|>"],
        eos_token_id=[ids["<|im_end|>"], ids["<|endoftext|>"]],
        pad_token_id=ids["<|endoftext|>"],
    )
    model.save_pretrained(given.out)
    _write(given.out / "config.json", flat)
    print(sum(weight.numel() for weight in model.parameters()), "weights")


def _corpus(texts: list[str]) -> Iterator[str]:
    """The texts, and every character of GB 2312, so that none takes more than two tokens, as in Qwen's vocabulary."""
    pairs = (bytes((high, low)).decode("gb2312", "ignore") for high in range(0xB0, 0xF8) for low in range(0xA1, 0xFF))
    characters = [one for one in pairs if one]
    for _ in range(20):
        yield " ".join(characters)
    for colour in ("red", "green", "blue", "yellow"):
        for shape in ("circle", "square", "triangle"):
            for _ in range(20):
                yield f"What colour is the {shape}? The {shape} is {colour}. Answer yes or no: is it {colour}?"
    for text in texts:
        for _ in range(20):
            yield text


def _tokenizer(texts: list[str], real_ids: bool) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    cuts = [
        pre_tokenizers.Split(Regex(WORDS), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ]
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(cuts)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY - len(SPECIAL), initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator(_corpus(texts), trainer)
    if real_ids:
        state = json.loads(tokenizer.to_str())
        vocabulary = state["model"]["vocab"]
        for number in range(len(vocabulary), FIRST_REAL_ID):
            vocabulary[f"ĠĠunused{number}"] = number
        tokenizer = Tokenizer.from_str(json.dumps(state))
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in SPECIAL])
    return tokenizer


def _write_tokenizer(out: Path, tokenizer: Tokenizer, ids: dict[str, int]) -> None:
    tokenizer.save(str(out / "tokenizer.json"))
    model = json.loads(tokenizer.to_str())["model"]
    _write(out / "vocab.json", model["vocab"])
    merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in model["merges"]]
    (out / "merges.txt").write_text("\n".join(["#version: 0.2", *merges]) + "\n", "utf-8")
    added = {
        str(number): {
            "content": token,
            "lstrip": False,
            "normalized": False,
            "rstrip": False,
            "single_word": False,
            "special": True,
        }
        for token, number in ids.items()
    }
    settings = {
        "add_prefix_space": False,
        "added_tokens_decoder": added,
        "additional_special_tokens": SPECIAL[1:],
        "bos_token": None,
        "chat_template": CHAT_TEMPLATE,
        "clean_up_tokenization_spaces": False,
        "eos_token": "<|im_end|>",
        "errors": "replace",
        "model_max_length": 32768,
        "pad_token": "<|endoftext|>",
        "split_special_tokens": False,
        "tokenizer_class": "Qwen2Tokenizer",
        "unk_token": None,
    }
    _write(out / "tokenizer_config.json", settings)
    _write(out / "chat_template.json", {"chat_template": CHAT_TEMPLATE})
    (out / "chat_template.jinja").write_text(CHAT_TEMPLATE, "utf-8")


_PREPROCESSOR = {
    "min_pixels": 3136,
    "max_pixels": 12845056,
    "patch_size": 14,
    "temporal_patch_size": 2,
    "merge_size": 2,
    "image_mean": [0.48145466, 0.4578275, 0.40821073],
    "image_std": [0.26862954, 0.26130258, 0.27577711],
    "image_processor_type": "Qwen2VLImageProcessor",
    "processor_class": "Qwen2VLProcessor",
}
"""The values of Qwen2-VL-2B-Instruct."""


def _config(ids: dict[str, int], vocabulary: int) -> dict[str, Any]:
    half = HIDDEN // 2 // 2
    sections = [half // 4, (half - half // 4) // 2, (half - half // 4) // 2]
    vision = {
        "model_type": "qwen2_vl",
        "depth": 2,
        "embed_dim": 64,
        "mlp_ratio": 2,
        "num_heads": 2,
        "in_chans": 3,
        "in_channels": 3,
        "hidden_size": HIDDEN,
        "patch_size": 14,
        "spatial_merge_size": 2,
        "spatial_patch_size": 14,
        "temporal_patch_size": 2,
    }
    return {
        "architectures": ["Qwen2VLForConditionalGeneration"],
        "model_type": "qwen2_vl",
        "attention_dropout": 0.0,
        "bos_token_id": ids["<|endoftext|>"],
        "eos_token_id": ids["<|im_end|>"],
        "pad_token_id": ids["<|endoftext|>"],
        "vision_start_token_id": ids["<|vision_start|>"],
        "vision_end_token_id": ids["<|vision_end|>"],
        "vision_token_id": ids["<|vision_pad|>"],
        "image_token_id": ids["<|image_pad|>"],
        "video_token_id": ids["<|video_pad|>"],
        "hidden_act": "silu",
        "hidden_size": HIDDEN,
        "initializer_range": 0.02,
        "intermediate_size": 2 * HIDDEN,
        "max_position_embeddings": 32768,
        "max_window_layers": 2,
        "num_attention_heads": 2,
        "num_hidden_layers": 2,
        "num_key_value_heads": 1,
        "rms_norm_eps": 1e-6,
        "rope_theta": 1000000.0,
        "sliding_window": 32768,
        "tie_word_embeddings": True,
        "torch_dtype": "float32",
        "use_cache": True,
        "use_sliding_window": False,
        "vision_config": vision,
        "rope_scaling": {"type": "mrope", "mrope_section": sections},
        "vocab_size": vocabulary,
    }


def _write(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1), "utf-8")


if __name__ == "__main__":
    main()
