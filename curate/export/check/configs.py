"""LLaMA-Factory configurations in a folder: what they say of data sets and budgets, and what is wrong with them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from curate.dataset.vision import MAX_PIXELS, Bounds
from curate.dataset.yaml_file import NotYaml, load_yaml
from curate.export.check.finding import FileReport, Report, Rule, Settings
from curate.export.check.log import Log, table

CUTOFF_LEN = 2048
"""Default of LLaMA-Factory 0.9.5."""

DEFAULT_BOUNDS = Bounds(MAX_PIXELS, 32 * 32)
"""Default bounds of LLaMA-Factory 0.9.5."""

_STAGES = ("pt", "sft", "rm", "ppo", "dpo", "kto")
_KINDS = ("lora", "oft", "freeze", "full")
_GONE = {
    "image_resolution": "image_max_pixels",
    "visual_inputs": "nothing, it goes by the template",
    "evaluation_strategy": "eval_strategy",
    "max_pixels": "image_max_pixels",
}
_TEXT_NUMBER = re.compile(r"^\s*(\w+):\s*([-+]?\d+[eE][-+]?\d+)\s*(?:#.*)?$", re.MULTILINE)

RULES = table(
    Rule("config_broken", "stops", True, "The file is not valid YAML.", "mend the place that the message names"),
    Rule("config_gone_key", "stops", True, "The key is none of LLaMA-Factory 0.9.5.", "use the new key"),
    Rule("config_value", "stops", True, "The value is none of those allowed.", "use one of them"),
    Rule("config_dataset", "stops", True, "The data set is not in dataset_info.json.", "name one that is"),
    Rule("config_predict", "stops", True, "do_predict needs predict_with_generate.", "add predict_with_generate: true"),
    Rule("config_val_size", "stops", True, "val_size and eval_dataset exclude each other.", "remove val_size"),
    Rule("config_template", "accepts", True, "Qwen2-VL is trained with template qwen2_vl.", "set template: qwen2_vl"),
    Rule("config_text_number", "accepts", False, "1e-4 is text in YAML 1.1.", "write 1.0e-4"),
)
"""Rules for configurations; the rest is checked by LLaMA-Factory's own parser, in the project's conformance tests."""


@dataclass(frozen=True)
class Config:
    """One configuration: a mapping that names data sets."""

    file: str
    values: Mapping[str, Any]

    @property
    def predicts(self) -> bool:
        """Whether it predicts instead of training."""
        return bool(self.values.get("do_predict")) and not self.values.get("do_train")

    def names(self, key: str) -> list[str]:
        """The data sets under `dataset` or `eval_dataset`."""
        value = self.values.get(key)
        parts = value if isinstance(value, list) else str(value or "").split(",")
        return [str(part).strip() for part in parts if str(part).strip()]


@dataclass(frozen=True)
class Budget:
    """What a data set is trained or predicted with."""

    cutoff_len: int
    bounds: Bounds
    media: Path
    predicts: bool
    """Whether the data set is for prediction only, and may have no answers."""


@cache
def known_keys() -> frozenset[str]:
    """The keys that LLaMA-Factory takes; any other stops it."""
    lines = (files("curate.export.check") / "llamafactory_keys.txt").read_text("utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


def read(folder: Path, known: Sequence[str], report: Report) -> list[Config]:
    """Read the configurations of a folder and put what is wrong with them into the report."""
    found = []
    for path in sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")]):
        text = path.read_text("utf-8", "replace")
        if not re.search(r"^\s*(eval_)?dataset:|^\s*stage:", text, re.MULTILINE):
            continue
        log = Log(report, FileReport(path.name, counted=False), RULES)
        try:
            values = load_yaml(text)
        except NotYaml as error:
            log.whole("config_broken", str(error))
            continue
        config = Config(path.name, values if isinstance(values, dict) else {})
        found.append(config)
        for match in _TEXT_NUMBER.finditer(text):
            log.whole("config_text_number", f"{match[1]}: {match[2]}")
        _check(config, known, log)
    return found


def _check(config: Config, known: Sequence[str], log: Log) -> None:
    values = config.values
    for key in values:
        if str(key) not in known_keys():
            near = difflib.get_close_matches(str(key), known_keys(), n=1)
            instead = _GONE.get(str(key), near[0] if near else "nothing")
            log.whole("config_gone_key", f"{key}; instead: {instead}")
    for key, allowed in (("stage", _STAGES), ("finetuning_type", _KINDS)):
        if key in values and values[key] not in allowed:
            log.whole("config_value", f"{key}: {values[key]}; allowed are {', '.join(allowed)}")
    for key in ("dataset", "eval_dataset"):
        for name in config.names(key):
            if name not in known:
                log.whole("config_dataset", f"{key}: {name}; there are {', '.join(known)}")
    if values.get("do_predict") and not values.get("predict_with_generate"):
        log.whole("config_predict", "predict_with_generate is missing")
    if values.get("val_size") and values.get("eval_dataset"):
        log.whole("config_val_size", f"val_size: {values['val_size']}")
    if values.get("template", "qwen2_vl") != "qwen2_vl":
        log.whole("config_template", f"template: {values['template']}")


def budget(name: str, configs: Sequence[Config], folder: Path, settings: Settings) -> Budget:
    """The budget of a data set: what was asked for, else what its configuration says, else the trainer's default."""
    trains = [one for one in configs if not one.predicts and name in one.names("dataset") + one.names("eval_dataset")]
    predicts = [one for one in configs if one.predicts and name in one.names("eval_dataset")]
    values = (trains or predicts or [Config("", {})])[0].values
    bounds = Bounds(
        _number(values, "image_max_pixels", DEFAULT_BOUNDS.max_pixels),
        _number(values, "image_min_pixels", DEFAULT_BOUNDS.min_pixels),
    )
    named = folder / str(values.get("media_dir") or values.get("dataset_dir") or ".")
    return Budget(
        settings.cutoff_len or _number(values, "cutoff_len", CUTOFF_LEN),
        settings.bounds or bounds,
        named if named.is_dir() else folder,  # a path from where the trainer is started says nothing here
        bool(predicts) and not trains,
    )


def _number(values: Mapping[str, Any], key: str, default: int) -> int:
    value = values.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else default
