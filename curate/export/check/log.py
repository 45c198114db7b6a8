"""Where a consumer's rules write what they find about one file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from curate.export.check.finding import EFFECTS, Effect, FileReport, Finding, Report, Rule


class Log:
    """Collects the findings of one file.

    Args:
        report: The whole report.
        file: The file, or entry of dataset_info.json.
        rules: The consumer's rules by code.
    """

    def __init__(self, report: Report, file: FileReport, rules: Mapping[str, Rule]) -> None:
        self._report = report
        self._rules = rules
        self.file = file
        report.files.append(file)

    def whole(self, code: str, message: str) -> None:
        """Something is wrong with the file."""
        rule = self._rules[code]
        self._report.findings.append(Finding(self.file.name, None, "", rule, message))
        if rule.effect != "accepts":
            self.file.whole = worse(self.file.whole or "accepts", rule.effect)

    def row(self, number: int, name: str, code: str, message: str, effect: Effect | None = None) -> None:
        """Something is wrong with a row; `effect` where it is another than the rule's in this place."""
        rule = self._rules[code] if effect is None else replace(self._rules[code], effect=effect)
        self._report.findings.append(Finding(self.file.name, number, name, rule, message))
        if rule.effect != "accepts":
            self.file.effects[number] = worse(self.file.effects.get(number, "accepts"), rule.effect)


def worse(one: Effect, other: Effect) -> Effect:
    """The graver of two effects."""
    return max(one, other, key=EFFECTS.index)


def table(*rules: Rule) -> dict[str, Rule]:
    """Rules by code."""
    return {rule.code: rule for rule in rules}
