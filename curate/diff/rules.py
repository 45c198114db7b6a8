"""The little language of `--fail-on` and of a recipe's `checks`: what is measured, of what, and the limit.

::

    rule  := metric ["@" scope] ":" limit            no character that a shell takes for its own
           | metric ["@" scope] op limit             op: <= >= == < >; quoted in a shell, plain in YAML
    limit := number | number "%" | number "pp"       rows or score, share of the rows, percentage points
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import Literal

from curate.errors import UsageError

Unit = Literal["rows", "share", "points", "score"]
Op = Literal["<=", ">=", "==", "<", ">"]


@dataclass(frozen=True)
class Metric:
    """Something that can be limited."""

    text: str
    scope: Literal["none", "column", "split", "kind"] = "none"
    needs_scope: bool = False
    share_of: str | None = None
    """What a percentage is of; None where a percentage makes no sense."""
    is_score: bool = False


METRICS: dict[str, Metric] = {
    "removed": Metric("rows of A that are not in B", share_of="A"),
    "added": Metric("rows of B that are not in A", share_of="B"),
    "changed": Metric("matched rows that differ, in the column if one is named", "column", share_of="the matched rows"),
    "failed": Metric("removed rows that a stage set aside as bad", share_of="A"),
    "unexplained_removed": Metric("removed rows without a word in the ledger", share_of="A"),
    "schema": Metric("columns that came, went or have another type"),
    "digits": Metric("rows whose numbers are read otherwise", "column", share_of="the matched rows"),
    "content": Metric("rows with other words", "column", share_of="the matched rows"),
    "class": Metric("rows with a change of the class, as in class.width", "column", share_of="the matched rows"),
    "drift": Metric("distance of the distributions, where it is more than chance", "column", True, is_score=True),
    "vanished": Metric("values that are not there any more", "column", True),
    "split_moves": Metric("rows that went to another split", share_of="the matched rows"),
    "leaks": Metric("rows of B that another split of B holds, too", share_of="B"),
    "new_leaks": Metric("rows of B that leak and did not in A", share_of="B"),
    "new_pii": Metric("hits of personal data that were not there", "kind"),
    "cer": Metric(
        "median edits per character of the rows that changed; cer.p95 for the worst", "column", True, None, True
    ),
    "turn_errors": Metric("rows of B with a turn that says nothing, or with one role twice in a row", share_of="B"),
    "image_mismatch": Metric("rows of B with another number of <image> than pictures", share_of="B"),
    "rows": Metric("rows of B, in the split if one is named", "split"),
}
"""All metrics by name."""

_RULE = re.compile(
    r"\s*(?P<metric>[a-z_]+)(?:\.(?P<part>[a-z0-9_]+))?(?:@(?P<scope>[^:<>=]+?))?"
    r"\s*(?P<op><=|>=|==|<|>|:)\s*(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>%|pp)?\s*"
)


@dataclass(frozen=True)
class Rule:
    """A rule as it was read."""

    text: str
    metric: str
    part: str | None
    """`width` of `class.width`, `p95` of `cer.p95`."""
    scope: str | None
    op: Op
    limit: float
    """In `unit`: rows, per cent, percentage points, or a score."""
    unit: Unit

    def holds(self, value: float) -> bool:
        """Whether a value, in `unit`, keeps the rule."""
        return {
            "<=": value <= self.limit,
            ">=": value >= self.limit,
            "==": value == self.limit,
            "<": value < self.limit,
            ">": value > self.limit,
        }[self.op]


def parse_rule(text: str) -> Rule:
    """Read a rule.

    Raises:
        UsageError: it is none; the message says what is wrong and what is allowed.
    """
    match = _RULE.fullmatch(text)
    if match is None:
        raise UsageError(
            f"'{text}' is no rule; write METRIC:LIMIT, as in removed:2%, drift@label:0.05 or rows@train:1000, "
            "or in quotes 'removed <= 2%'"
        )
    name, part, scope = match["metric"], match["part"], match["scope"]
    metric = METRICS.get(name)
    if metric is None:
        near = difflib.get_close_matches(name, METRICS, n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"there are: {', '.join(METRICS)}"
        raise UsageError(f"'{text}': there is no metric '{name}'; {hint}")
    _check_part(text, name, part)
    if scope and metric.scope == "none":
        raise UsageError(f"'{text}': {name} is of all rows and takes no @{scope}")
    if not scope and metric.needs_scope:
        raise UsageError(f"'{text}': say of which column, as in {name}@label:{match['number']}")
    op: Op = match["op"] if match["op"] != ":" else ">=" if name == "rows" else "<="  # type: ignore[assignment]
    return Rule(text.strip(), name, part, scope, op, float(match["number"]), _unit(text, name, metric, match["unit"]))


def _check_part(text: str, name: str, part: str | None) -> None:
    from curate.diff.classes import TEXT_CLASSES

    if name == "class" and part not in TEXT_CLASSES:
        raise UsageError(f"'{text}': write class.NAME with one of {', '.join(TEXT_CLASSES)}")
    if name == "cer" and part not in (None, "p95"):
        raise UsageError(f"'{text}': write cer for the median or cer.p95")
    if part and name not in ("class", "cer"):
        raise UsageError(f"'{text}': {name} has no part '{part}'")


def _unit(text: str, name: str, metric: Metric, written: str | None) -> Unit:
    if written is None:
        return "score" if metric.is_score else "rows"
    if written == "pp":
        if name != "drift":
            raise UsageError(f"'{text}': pp is for drift; other limits are rows or %")
        return "points"
    if metric.is_score:
        return "points"
    if metric.share_of is None:
        raise UsageError(f"'{text}': {name} is counted, and % of nothing; write a number")
    return "share"
