"""Rule files: shipped ones by name, a user's own by path; a file may extend another one."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError, model_validator

from curate.dataset.files import digest
from curate.dataset.yaml_file import NotYaml, complaints, load_yaml
from curate.denoise import segment
from curate.denoise.keep import Keep, Model
from curate.denoise.rules import BUILT_IN, KIND_LEVELS, Rule, WordRule
from curate.denoise.script import CHINESE, SPACED, Script
from curate.errors import UsageError

SHIPPED = Path(__file__).parent / "rules"

_DEEPEST = 5
"""Files that extend each other in a row."""


class RuleFile(Model):
    """A file of rules; within a level they are applied in the order of the file."""

    name: str
    """Name of the file."""

    title: str
    """What it is for."""

    language: str
    """Language of the texts, as in `zh`."""

    extends: str | None = None
    """A shipped file or a path beside this file. Its rules come first; a rule of the same id takes its place."""

    words: Literal["dictionary", "spaces"] = "dictionary"
    """How texts are cut into words: with the dictionary of jieba, or where letters end."""

    segmenter_words: tuple[str, ...] = ()
    """Words that the segmenter must keep whole."""

    on: tuple[str, ...] = ()
    """Rules of the extended file to switch on."""

    off: tuple[str, ...] = ()
    """Rules of the extended file to switch off."""

    without: tuple[str, ...] = ()
    """Rules of the extended file that are not for this one."""

    more_words: Mapping[str, tuple[str, ...]] = {}
    """Words to add to word rules of the extended file, by the rule's id."""

    keep: tuple[Keep, ...] = ()
    """What rules on sentences and lines must not take away."""

    rules: tuple[Rule, ...] = ()
    """The rules."""

    @model_validator(mode="after")
    def _consistent(self) -> RuleFile:
        for what, ids in (("rule", [rule.id for rule in self.rules]), ("keep", [keep.id for keep in self.keep])):
            twice = sorted({one for one in ids if ids.count(one) > 1})
            if twice:
                raise ValueError(f"{what} {twice[0]} stands twice")
        for rule in self.rules:
            levels = (BUILT_IN.get(rule.id),) if rule.kind == "built-in" else KIND_LEVELS[rule.kind]
            if rule.level not in levels:
                what = "built-in rule of this name" if rule.kind == "built-in" else f"rule of kind {rule.kind}"
                raise ValueError(f"rule {rule.id}: there is no {what} on level {rule.level}")
            if isinstance(rule, WordRule) and not rule.words:
                raise ValueError(f"rule {rule.id}: words is empty")
        if self.extends is None and not self.rules:
            raise ValueError("rules is empty")
        if self.extends is None and (self.on or self.off or self.without or self.more_words):
            raise ValueError("on, off, without and more_words are for files that extend another one")
        return self

    def digest(self) -> str:
        """Digest of everything in the file that decides what it does."""
        told = {"hits", "spares", "why", "what", "before"}
        return digest(
            self.model_dump(
                mode="json",
                exclude={"title": True, "rules": {"__all__": told}, "keep": {"__all__": {"finds", "spares", "why"}}},
            )
        )

    def script(self) -> Script:
        """How texts of this file are cut into sentences."""
        return SPACED if self.words == "spaces" else CHINESE

    def cut(self, name: segment.Name = "rjieba") -> segment.Cut:
        """How texts of this file are cut into words; `name` chooses who cuts with the dictionary."""
        return segment.at_spaces if self.words == "spaces" else segment.segmenter(name, self.segmenter_words)

    def rule(self, name: str) -> Rule | None:
        """The rule of this id; None where there is none."""
        return next((rule for rule in self.rules if rule.id == name), None)


def shipped() -> list[str]:
    """Names of the shipped files."""
    return sorted(path.stem for path in SHIPPED.glob("*.yaml"))


def load_rules(name_or_path: str | Path) -> RuleFile:
    """Load a shipped rule file by name, or a YAML file; what it extends is joined to it.

    Raises:
        UsageError: there is none, or it does not fit its schema; the message says where.
    """
    if str(name_or_path) in shipped():
        return _load_shipped(str(name_or_path))
    return _load(Path(name_or_path), 1)


@cache
def _load_shipped(name: str) -> RuleFile:
    return _load(SHIPPED / f"{name}.yaml", 1)


def own_rules(path: Path) -> set[str]:
    """Ids of the rules that a file defines or changes itself, without those of the file that it extends."""
    own = _read(SHIPPED / f"{path}.yaml" if str(path) in shipped() else path)
    return {*(rule.id for rule in own.rules), *own.more_words}


def _load(path: Path, depth: int) -> RuleFile:
    if depth > _DEEPEST:
        raise UsageError(f"{path}: more than {_DEEPEST} rule files extend each other")
    own = _read(path)
    if own.extends is None:
        return own
    beside = path.parent / own.extends
    base = load_rules(own.extends) if own.extends in shipped() else _load(beside, depth + 1)
    return _joined(base, own, path)


def _read(path: Path) -> RuleFile:
    try:
        return RuleFile.model_validate(load_yaml(path.read_text("utf-8"), pure=False))
    except (PermissionError, IsADirectoryError) as error:
        raise UsageError(f"the rules {path} cannot be read: {error.strerror}; give a YAML file") from error
    except OSError as error:
        known = ", ".join(shipped())
        raise UsageError(f"there are no rules '{path}'; shipped are {known}, or give a YAML file") from error
    except ValidationError as error:
        raise UsageError("\n".join(f"{path}: {told}" for told in complaints(error)[:5])) from error
    except (NotYaml, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not valid YAML: {error}") from error


def _joined(base: RuleFile, own: RuleFile, path: Path) -> RuleFile:
    """One file of two: rules of `own` replace those of the same id and are put where they say."""
    rules = list(base.rules)
    known = {rule.id for rule in base.rules}
    for name in (*own.on, *own.off, *own.without, *own.more_words):
        if name not in known:
            raise UsageError(f"{path}: there is no rule '{name}' in {base.name}; there are: {', '.join(sorted(known))}")
    for number, rule in enumerate(rules):
        changes: dict[str, Any] = {}
        if rule.id in own.on or rule.id in own.off:
            changes["on"] = rule.id in own.on
        if rule.id in own.more_words:
            if not isinstance(rule, WordRule):
                raise UsageError(f"{path}: more_words: rule '{rule.id}' has no words; it is of kind {rule.kind}")
            changes["words"] = (*rule.words, *own.more_words[rule.id])
        if changes:
            rules[number] = rule.model_copy(update=changes)
    rules = [rule for rule in rules if rule.id not in own.without]
    for rule in own.rules:
        _place(rules, rule, path)
    kept = {keep.id: keep for keep in (*base.keep, *own.keep)}
    words = tuple(dict.fromkeys((*base.segmenter_words, *own.segmenter_words)))
    update = {"rules": tuple(rules), "keep": tuple(kept.values()), "segmenter_words": words}
    cut = own.words if "words" in own.model_fields_set else base.words
    return own.model_copy(
        update={**update, "words": cut, "extends": None, "on": (), "off": (), "without": (), "more_words": {}}
    )


def _place(rules: list[Rule], rule: Rule, path: Path) -> None:
    ids = [one.id for one in rules]
    if rule.before is not None:
        if rule.before not in ids:
            raise UsageError(f"{path}: rule {rule.id}: there is no rule '{rule.before}' to put it before")
        if rule.id in ids:
            rules.pop(ids.index(rule.id))
            ids.remove(rule.id)
        rules.insert(ids.index(rule.before), rule)
    elif rule.id in ids:
        rules[ids.index(rule.id)] = rule
    else:
        rules.append(rule)
