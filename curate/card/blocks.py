"""Facts as the Markdown of a card's blocks. Every number in them stands in the facts."""

from __future__ import annotations

from collections.abc import Sequence

from curate.card.facts import Facts, Step
from curate.card.markdown import cell, count, share, size, spread, table, told

_SHOWN = 30
"""Rows of the longest tables; the rest is in the facts."""


def blocks(facts: Facts, answered: tuple[int, int]) -> dict[str, str]:
    """Write every block.

    Args:
        facts: What was measured.
        answered: Questions that are answered, and all questions.
    """
    return {
        "badge": _badge(facts, *answered),
        "numbers": _numbers(facts),
        "columns": _columns(facts),
        "text": _text(facts),
        "images": _images(facts),
        "ocr": _ocr(facts),
        "quality": _quality(facts),
        "evaluation": _evaluation(facts),
        "labels": _labels(facts),
        "safety": _safety(facts),
        "lineage": _lineage(facts),
        "licences": _licences(facts),
    }


def _badge(facts: Facts, answered: int, asked: int) -> str:
    parts = [f"{count(facts.rows)} rows", f"{count(len([s for s in facts.splits if s.name]))} splits"]
    if facts.images.uses:
        parts += [f"{count(facts.images.distinct)} pictures", f"{count(facts.ocr.read)} read"]
    synthetic = facts.lineage.synthetic
    parts.append(
        f"{count(synthetic)} synthetic ({share(facts.lineage.synthetic_share)})" if synthetic else "none synthetic"
    )
    parts += [f"personal data {count(facts.safety.total)}", f"card {answered} of {asked} answered"]
    return " · ".join(parts)


def _numbers(facts: Facts) -> str:
    splits = table(["split", "#rows"], ([split.name or "(none)", count(split.rows)] for split in facts.splits))
    tasks = table(["task", "#rows"], ([cell(name), count(rows)] for name, rows in facts.tasks.items()))
    files = f"{count(len(facts.files))} files, {size(facts.bytes)}, measured by curate {facts.curate}."
    return f"{count(facts.rows)} rows in {files}\n\n{splits}\n\n{tasks}\n\n`{facts.fingerprint}`"


def _columns(facts: Facts) -> str:
    rows = (
        [f"`{one.path}`", f"`{one.type}`", share(one.null_share), "" if one.distinct is None else count(one.distinct)]
        for one in facts.columns
    )
    return table(["column", "type", "#null", "#distinct"], rows)


def _text(facts: Facts) -> str:
    text = facts.text
    roles = ", ".join(f"{cell(role)} {count(turns)}" for role, turns in text.roles.items())
    scripts = ", ".join(f"{kind} {count(characters)}" for kind, characters in text.scripts.items())
    tokens = {f"tokens of a row ({cell(text.tokenizer or '')})": text.tokens}
    lengths = spread({"turns of a row": text.turns, "characters of a row": text.characters, **tokens})
    return f"{lengths}\n\nTurns by role: {roles or 'none'}. Characters by script: {scripts or 'none'}."


def _images(facts: Facts) -> str:
    images = facts.images
    if not images.uses:
        return "No pictures."
    files = f"{count(images.distinct)} different pictures, used {count(images.uses)} times"
    files += f"; formats: {told(images.formats)}."
    looked = (
        f"Of {count(images.looked_at)} files that were opened {count(images.missing)} are missing, "
        f"{count(images.unreadable)} cannot be read, {count(images.located)} carry a place (GPS); modes: "
        f"{told(images.modes) or 'none'}."
        if images.looked_at
        else "The files were not opened."
    )
    return f"{files} {looked}\n\n{spread({'width, pixels': images.width, 'height, pixels': images.height})}"


def _ocr(facts: Facts) -> str:
    ocr = facts.ocr
    if not ocr.read:
        return "No picture was read."
    engines = table(["engine", "#pictures"], ([cell(name), count(value)] for name, value in ocr.engines.items()))
    head = f"{count(ocr.read)} pictures were read, {count(ocr.with_text)} of them have text."
    return f"{head}\n\n{engines}\n\n{spread({'lines of a picture': ocr.lines, 'mean score of a picture': ocr.score})}"


def _quality(facts: Facts) -> str:
    quality = facts.quality
    return table(
        ["", "#rows"],
        [
            ["rows that say and show what another one does", count(quality.duplicate_rows)],
            ["rows whose twin is in another split", count(quality.leaked_rows)],
            ["pictures that are used in more than one split", count(quality.leaked_pictures)],
            ["rows that say nearly what an earlier one does", _looked_for(quality.near_rows)],
            ["rows that say nearly what one in another split does", _looked_for(quality.near_leaked_rows)],
            ["pictures that are nearly an earlier one", _looked_for(quality.near_pictures)],
            ["pictures that are nearly one in another split", _looked_for(quality.near_leaked_pictures)],
        ],
    )


def _looked_for(rows: int | None) -> str:
    return "not looked for" if rows is None else count(rows)


def _evaluation(facts: Facts) -> str:
    if not facts.evaluation:
        return "No results."
    rows = (
        [
            cell(one.name),
            count(one.rows),
            *(f"{value:.4f}" for value in (one.f1, one.f1_low, one.f1_high, one.accuracy, one.macro_f1)),
        ]
        for one in facts.evaluation
    )
    head = ["predictions", "#rows", "#weighted F1", "#from", "#to", "#accuracy", "#macro F1"]
    signatures = "\n".join(f"`{one.signature}`" for one in facts.evaluation)
    return f"{table(head, rows)}\n\n{signatures}"


def _labels(facts: Facts) -> str:
    labels = facts.labels
    head = f"{count(labels.labelled)} rows have a label, {count(labels.unlabelled)} have none"
    head += f"; labels come from: {told(labels.sources)}." if labels.sources else "."
    if labels.rare_labels:
        head += f" {count(labels.rare_labels)} labels of {count(labels.rare_rows)} rows are too rare to be shown."
    if labels.new:
        head += f" New since the card before: {', '.join(map(cell, labels.new))}."
    if labels.vanished:
        head += f" Gone since the card before: {', '.join(map(cell, labels.vanished))}."
    if not labels.labels:
        return head
    splits = [split.name for split in facts.splits]
    rows = (
        [cell(one.task), cell(one.label), count(one.rows), *(count(one.splits.get(split, 0)) for split in splits)]
        for one in labels.labels[:_SHOWN]
    )
    names = [f"#{split or '(none)'}" for split in splits]
    more = len(labels.labels) > _SHOWN
    return f"{head}\n\n{table(['task', 'label', '#rows', *names], rows)}" + (
        f"\n\nAll {count(len(labels.labels))} labels are in the facts." if more else ""
    )


def _safety(facts: Facts) -> str:
    safety = facts.safety
    head = f"Patterns ({safety.rules}) find {count(safety.total)} pieces of personal data."
    if not safety.found:
        return head
    rows = (
        [f"`{column}`", kind, count(hits)] for column, kinds in safety.found.items() for kind, hits in kinds.items()
    )
    return f"{head}\n\n{table(['column', 'kind', '#finds'], rows)}"


def _lineage(facts: Facts) -> str:
    lineage = facts.lineage
    if not lineage.steps:
        return "The steps that made these files are not known: they are not part of a run."
    head = ["step", "#in", "#dropped", "#failed", "#changed", "#added", "#out", "why rows went"]
    rows = ([f"`{one.step}`", *(count(getattr(one, name)) for name in _COUNTS), _reasons(one)] for one in lineage.steps)
    source = f"Source: {lineage.source_format}, `{lineage.source_fingerprint}`."
    return f"{source}\n\n{table(head, rows)}\n\n{_with_what(lineage.steps)}"


_COUNTS = ("rows_in", "dropped", "failed", "changed", "added", "rows_out")


def _reasons(step: Step) -> str:
    found = [(rows, code) for action in ("dropped", "failed") for code, rows in step.reasons.get(action, {}).items()]
    return ", ".join(f"{code} {count(rows)}" for rows, code in sorted(found, key=lambda item: (-item[0], item[1])))


def _with_what(steps: Sequence[Step]) -> str:
    lines = []
    for step in steps:
        what = {**step.options, **step.environment, **({"seed": step.seed} if step.seed is not None else {})}
        said = "; ".join(
            f"{key} {cell(_short(value))}" for key, value in what.items() if value not in (None, "", [], {})
        )
        lines.append(f"- `{step.step}` {step.stage} version {step.version}" + (f": {said}" if said else ""))
    return "\n".join(lines)


def _short(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _licences(facts: Facts) -> str:
    if not facts.licences:
        return "No licence file lies with the source."
    rows = ([f"`{one.file}`", cell(one.title), f"`{one.sha256[:12]}`"] for one in facts.licences)
    return (
        f"Licence files that lie with the source, listed and not judged:\n\n{table(['file', 'title', 'sha256'], rows)}"
    )
