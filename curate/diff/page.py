"""The HTML of a report: one file that reads without a script, or a file with its pictures and more pages beside it.

What a page may hold is decided before it is rendered. Where that is not enough, pictures and rows go, in an order that
is told on the page; counts, findings and the verdict never do.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from curate.dataset.files import TEMPORARY, write_bytes, write_error
from curate.diff.page_rows import MEANINGFUL, RowView, view
from curate.diff.page_summary import Summary, not_shown, stage_reasons, summary
from curate.diff.report import Report
from curate.diff.sample import RowSample
from curate.report.filters import offered
from curate.report.shell import render as render_page
from curate.report.thumbnails import DETAIL, WIDTH, Album, Thumbnail
from curate.report.words import Language, Words

MAX_BYTES = 10_000_000
"""A page that is larger is hard to mail and slow to open."""
ROWS_OF_A_PAGE = 200
ROWS_WITH_DETAILS = 10
"""Rows of a single file up to which pictures can be enlarged; with pictures as files, all can be."""
_TEXT_BYTES = 2_500_000
"""Markup of rows that one page may hold; browsers grow slow with the number of elements, not with pictures."""
_SHELL_BYTES = 400_000
_OF_A_CLASS = 5


@dataclass(frozen=True)
class PageOptions:
    """How a report becomes pages."""

    lang: Language = "en"
    thumbs: int | None = WIDTH
    """Width of pictures in pixels; None for no pictures."""
    where: Literal["inline", "files"] = "inline"
    """Whether pictures stand in the page or lie beside it as files."""
    max_bytes: int = MAX_BYTES


@dataclass
class Pages:
    """A rendered report."""

    html: str
    files: dict[str, bytes] = field(default_factory=dict)
    """What belongs beside it, by name: pictures and further pages. Empty for a single file."""
    left_out: list[str] = field(default_factory=list)
    """Sentences: what the pages do not show, and why."""


@dataclass
class _Plan:
    """Which rows are shown, and how."""

    rows: list[RowSample]
    pictures: bool = True
    details: bool = False
    """Whether a larger picture lies behind each small one."""
    harmless_pictures: bool = True
    left_out: list[str] = field(default_factory=list)


def render(report: Report, lang: Language = "en") -> str:
    """Give the report as one HTML file of at most 10 MB."""
    return pages(report, PageOptions(lang=lang)).html


def pages(report: Report, options: PageOptions = PageOptions(), name: str = "report") -> Pages:
    """Render a report.

    Args:
        report: What is shown; redacted before, where it has to be.
        options: How.
        name: Name of the page without its suffix; files beside it lie in the folder `NAME_files`.
    """
    words = Words(options.lang)
    plan = _Plan([*report.samples.changed, *report.samples.removed, *report.samples.added])
    plan.pictures = options.thumbs is not None and report.safety.redaction not in ("strict", "keys-only")
    _fit_rows(plan, options, words)
    plan.details = plan.pictures and (options.where == "files" or len(plan.rows) <= ROWS_WITH_DETAILS)
    albums = Album(options.thumbs or WIDTH), Album(DETAIL)
    while True:
        made, spent = _views(plan, albums, options)
        if options.where == "files" or spent + _SHELL_BYTES <= options.max_bytes or not _give_up(plan, words):
            break
    return _render(report, plan, made, options, name, words)


def _fit_rows(plan: _Plan, options: PageOptions, words: Words) -> None:
    """Keep as many rows as the markup of all pages may hold, those of each status in turn."""
    share = 0.5 if options.where == "inline" else 4.0
    budget = min(_TEXT_BYTES, int(options.max_bytes * share))
    if options.where == "files":
        budget *= 8
    sizes = {sample.uid: len(sample.model_dump_json()) * 2 + 2500 for sample in plan.rows}
    if sum(sizes.values()) <= budget and (options.where == "files" or len(plan.rows) <= ROWS_OF_A_PAGE):
        return
    queues: dict[str, list[RowSample]] = {}
    for sample in plan.rows:
        queues.setdefault(sample.status, []).append(sample)
    most = len(plan.rows) if options.where == "files" else ROWS_OF_A_PAGE
    kept: list[RowSample] = []
    spent = 0
    while any(queues.values()) and len(kept) < most:
        for queue in queues.values():
            if queue and len(kept) < most:
                sample = queue.pop(0)
                if spent + sizes[sample.uid] <= budget:
                    spent += sizes[sample.uid]
                    kept.append(sample)
    gone = len(plan.rows) - len(kept)
    names = {id(sample) for sample in kept}
    plan.rows = [sample for sample in plan.rows if id(sample) in names]
    if gone:
        plan.left_out.append(words("diff_left_rows", rows=gone))


def _give_up(plan: _Plan, words: Words) -> bool:
    """Take the next thing away that is missed least; False where there is nothing more to take."""
    if not plan.pictures:
        return False
    if plan.details:
        plan.details = False
        plan.left_out.append(words("diff_left_details"))
        return True
    seen: Counter[tuple[str, tuple[str, ...]]] = Counter()
    kept = []
    for sample in plan.rows:
        kind = (sample.status, tuple(sample.classes))
        seen[kind] += 1
        if seen[kind] <= _OF_A_CLASS or MEANINGFUL & set(sample.classes):
            kept.append(sample)
    if len(kept) < len(plan.rows):
        plan.left_out.append(words("diff_left_class", rows=len(plan.rows) - len(kept)))
        plan.rows = kept
    elif plan.harmless_pictures:
        plan.harmless_pictures = False
        plan.left_out.append(words("diff_left_harmless"))
    else:
        plan.pictures = False
        plan.left_out.append(words("diff_left_pictures"))
    return True


def _views(plan: _Plan, albums: tuple[Album, Album], options: PageOptions) -> tuple[list[RowView], int]:
    """Everything that the rows show, and the bytes that it takes in one file."""
    made: list[RowView] = []
    spent = 0
    for sample in plan.rows:
        pictures = plan.pictures and (plan.harmless_pictures or bool(MEANINGFUL & set(sample.classes)))
        one = view(sample, albums[0] if pictures else None, albums[1] if pictures and plan.details else None)
        spent += len(sample.model_dump_json()) * 2 + 2500 + sum(len(small.data) * 4 // 3 for small in one.thumbnails)
        made.append(one)
        if options.where == "inline" and spent > options.max_bytes * 4:
            break  # far too much; the plan changes anyway
    return made, spent


def _render(
    report: Report, plan: _Plan, made: Sequence[RowView], options: PageOptions, name: str, words: Words
) -> Pages:
    beside = options.where == "files"
    folder = f"{name}_files"
    files = {small.name: small.data for one in made for small in one.thumbnails} if beside else {}
    parts = [made[start : start + ROWS_OF_A_PAGE] for start in range(0, len(made), ROWS_OF_A_PAGE)] or [[]]
    told: Summary = summary(report, words)
    left_out = [*plan.left_out, *not_shown(report, words)]
    for number, part in enumerate(parts[1:], start=2):
        html = render_page(
            "curate.diff",
            "rows.html.j2",
            lang=options.lang,
            script=True,
            beside=True,
            **_row_values(part, "", number, len(parts), name, words),
            title=report.title,
        )
        files[f"rows-{number}.html"] = html.encode("utf-8")
    html = render_page(
        "curate.diff",
        "page.html.j2",
        lang=options.lang,
        script=True,
        beside=beside,
        report=report,
        told=told,
        reasons=[stage_reasons(one, words) for one in report.stages],
        left_out=left_out,
        **_row_values(parts[0], f"{folder}/", 1, len(parts), name, words, inline=not beside),
        shown=len(made),
    )
    return Pages(html, files, left_out)


def _row_values(
    part: Sequence[RowView], folder: str, page: int, of: int, name: str, words: Words, inline: bool = False
) -> dict[str, object]:
    def address(small: Thumbnail) -> str:
        return small.uri if inline else f"{folder}{small.name}"

    links = []
    for number in range(1, of + 1):
        target = (f"../{name}.html" if not folder else "#rows") if number == 1 else f"{folder}rows-{number}.html"
        links.append((number, "" if number == page else target))
    return {
        "rows": part,
        "filters": offered([row.facets for row in part], words),
        "address": address,
        "pages": links if of > 1 else [],
    }


def write(report: Report, path: Path, options: PageOptions = PageOptions()) -> Pages:
    """Render a report into a file, and its folder beside it where pictures are files.

    Raises:
        OutputError: the disk is full or the folder cannot be written.
    """
    made = pages(report, options, path.stem)
    folder = path.with_name(f"{path.stem}_files")
    if made.files:
        temporary = folder.with_name(f"{TEMPORARY}{os.getpid()}-{folder.name}")
        try:
            shutil.rmtree(temporary, ignore_errors=True)
            temporary.mkdir(parents=True)
            for name, content in made.files.items():
                (temporary / name).write_bytes(content)
            if folder.exists():
                shutil.rmtree(folder)
            os.replace(temporary, folder)
        except OSError as error:
            raise write_error(folder, error) from error
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    write_bytes(path, made.html.encode("utf-8"))
    return made
