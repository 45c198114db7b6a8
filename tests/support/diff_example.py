"""A whole diff report, every part of it filled, for tests of renderers; the text of cells can be chosen."""

from __future__ import annotations

from pathlib import Path

from curate.diff.distribution import (
    Distribution,
    Histogram,
    Leaks,
    PersonalCounts,
    Safety,
    SplitMove,
    Splits,
    ValueCount,
)
from curate.diff.flow import CodeCount, Finding, LimitHistogram, RemovedBy, SegmentShare, StageFlow
from curate.diff.report import Check, Created, Inputs, Limits, Note, Report, Rows, Samples, Side, Tool, Verdict
from curate.diff.sample import Box, Change, ImagePair, ImageRef, Match, Reason, RowSample, Segment, Value
from curate.diff.tables import (
    BoxChanges,
    ColumnChange,
    DuplicateKeys,
    ImageChanges,
    Matching,
    MatchStep,
    Media,
    RejectedKey,
    Retyped,
    SchemaDiff,
    TextChanges,
)

BOX = Box(text="合计 1,200.00元", score=0.93, polygon=(10, 10, 110, 10, 110, 30, 10, 30))


def example(text: str = "金额", picture: Path | None = None, samples: int = 1) -> Report:
    """Build the report.

    Args:
        text: Stands in every place that a data set, its labels, columns or files fill.
        picture: A picture file that the changed rows show.
        samples: Changed rows.
    """
    return Report(
        title=f"curate diff {text}",
        tool=Tool(version="0.1.0"),
        created_by=Created(command=f"curate diff '{text}' b --fail-on removed:2%"),
        inputs=Inputs(
            a=Side(ref=text, path=text, format="run", rows=840, fingerprint=f"xxh3:{'0' * 32}", run=text),
            b=Side(ref="b", path="data/b", format="sharegpt", rows=934, fingerprint=f"xxh3:{'1' * 32}"),
        ),
        verdict=Verdict(
            status="fail",
            differences=True,
            exit_code=1,
            checks=(
                Check(rule="removed:2%", metric="removed", op="<=", limit=2, unit="share", value=3.1, ok=False),
                Check(rule=f"drift@{text}:5pp", metric="drift", scope=text, op="<=", limit=5, unit="points",
                      value=None, ok=False, note="could not be computed"),
                Check(rule="digits:5", metric="digits", op="<=", limit=5, unit="rows", value=3, ok=True),
            ),
            findings=(
                Finding(id="digits", severity="high", text=f"3 rows changed digits: {text}",
                        filter={"class": "digits"}, rows=("u_000",)),
                Finding(id="segment.removed.source", severity="medium",
                        text=f"88.5% of removed rows have source = {text} (6.2x over-represented)",
                        filter={"status": "removed", "source": text}),
                Finding(id="whitespace_only", severity="low", text="120 of 200 changed rows: blanks only"),
            ),
        ),
        rows=Rows(a=840, b=934, same=614, changed=200, added=120, removed=26, added_derived=120, moved_split=2,
                  removed_failed=1, unexplained_removed=0, changed_share=200 / 814, removed_share=26 / 840,
                  added_share=120 / 934),
        matching=Matching(
            mode="uid", key=(text,), inferred=True, by=(MatchStep(by="uid", pairs=810),
                                                       MatchStep(by="fuzzy", pairs=4, score_p50=0.81)),
            rejected_keys=(RejectedKey(key=("image_id",), why=f"41 values occur twice, as {text}"),),
            duplicate_keys=DuplicateKeys(a=1, b=2, samples=(text,)),
        ),
        schema_diff=SchemaDiff(identical=False, added=(text,), removed=("old",), reordered=True, skipped=("raw",),
                               retyped=(Retyped(column="score", before="int64", after="double"),)),
        columns=(
            ColumnChange(path="turns[*].text", compared_as="text", changed_rows=198, change_rate=198 / 814,
                         classes={"whitespace": 120, "digits": 3, "content": 75}, cer_p50=0.02, cer_p95=0.3),
            ColumnChange(path=text, compared_as="category", changed_rows=4, change_rate=4 / 814, null_to_value=2),
        ),
        text_changes=TextChanges(by_class={"whitespace": 120, "width": 40, "digits": 3, "content": 35},
                                 characters_in=400, characters_out=900, digits_changed_rows=3),
        media=Media(
            images=ImageChanges(compared=12, re_encoded=9, pixels=3, added=1, ssim_p50=0.91),
            boxes=BoxChanges(added=3, removed=2, moved=5, text_changed=4, mean_iou=0.93, cer_p50=0.01, cer_p95=0.2),
        ),
        distributions=(
            Distribution(column="label", kind="categorical", n_a=840, n_b=934, metric="tvd", value=0.091,
                         noise_floor=0.044, state="drifted", vanished=("旧",), vanished_values=1, appeared=(text,),
                         appeared_values=1,
                         table=(ValueCount(value=text, a=412, b=520, share_a=412 / 840, share_b=520 / 934, points=6.6),
                                ValueCount(value=None, a=8, b=4, share_a=8 / 840, share_b=4 / 934, points=-0.5)),
                         other=ValueCount(value="other", a=420, b=410, share_a=0.5, share_b=410 / 934, points=-6.1)),
            Distribution(column="text length", scope=f"split={text}", kind="numeric", n_a=840, n_b=934, metric="ks",
                         value=0.03, noise_floor=0.12, state="too_few_rows", nulls=(1, 0), zeros=(0, 2),
                         quantiles_a={"p1": 2, "p5": 4, "p25": 10, "p50": 20, "p75": 31, "p95": 80, "p99": 99,
                                      "mean": 22.5},
                         quantiles_b={"p1": 2, "p5": 4, "p25": 9, "p50": 19, "p75": 30, "p95": 80, "p99": 99,
                                      "mean": 21.5},
                         histogram=Histogram(edges=(0, 25, 50, 75, 100), a=(500, 200, 100, 40), b=(600, 200, 100, 34))),
        ),
        stages=(
            StageFlow(name="ocr", use="ocr", rows_in=840, rows_out=840, dropped=0, changed=0, added=0, failed=0),
            StageFlow(name=text, use="filter", rows_in=840, rows_out=814, dropped=25, changed=0, added=0, failed=1,
                      codes=(CodeCount(action="dropped", code="below_limit", rows=25),),
                      top_reason="below_limit: ocr_score < 0.6 (9 of 25 near the limit)"),
            StageFlow(name="augment", use="augment-text", rows_in=814, rows_out=934, dropped=0, changed=0, added=120,
                      failed=0),
        ),
        removed_by=(
            RemovedBy(stage=text, action="dropped", code="below_limit", rows=25, share=25 / 26, metric="ocr_score",
                      threshold=0.6, near_threshold_rows=9,
                      histogram=LimitHistogram(metric="ocr_score", threshold=0.6, edges=(0, 0.2, 0.4, 0.6),
                                               counts=(2, 5, 18), near=9, near_within=0.02)),
            RemovedBy(stage="ocr", action="failed", code="image_truncated", rows=1, share=1 / 26),
        ),
        splits=Splits(moved=(SplitMove(before="train", after="test", rows=2),),
                      leaks=Leaks(a=0, b=2, new=2, by={"exact_text": (0, 2)}, samples=(("u_000", text),))),
        safety=Safety(personal={"phone": PersonalCounts(a=2, b=3, new=1)}),
        segments=(SegmentShare(status="removed", column="source", value=text, rows=23, support=0.885,
                               baseline_share=0.143, baseline_share_of="a", lift=6.2, score=0.4),),
        samples=Samples(
            changed=tuple(_changed(number, text, picture) for number in range(samples)),
            added=(RowSample(uid="u_900", row_b=9, status="added", flags=("derived",),
                             facets={"label": text}, content=(Value(path="/turns/0/text", compared_as="text",
                                                                    text=text, cut=True),)),),
            removed=(RowSample(uid="u_901", row_a=7, status="removed", facets={"label": text},
                               reasons=(Reason(stage=text, action="dropped", code="below_limit", metric="ocr_score",
                                               value=0.41, threshold=0.6, detail=text),),
                               content=(Value(path="/label", compared_as="category", text=text),)),),
        ),
        limits=Limits(samples=20, rows_compared=840, left_out=(f"174 changed rows are not shown {text}",)),
        warnings=(Note(code="near_duplicates_skipped", text=f"more than 50,000 rows {text}"),),
    )  # fmt: skip


def _changed(number: int, text: str, picture: Path | None) -> RowSample:
    file = str(picture) if picture else None
    before = ImageRef(path=f"{text}.png", file=file, sha256="a" * 64, width=200, height=100, boxes=(BOX,))
    after = before.model_copy(
        update={"sha256": "b" * 64, "boxes": (BOX.model_copy(update={"text": text, "state": "text_changed"}),)}
    )
    return RowSample(
        uid=f"u_{number:03d}",
        source_id=text,
        key={text: text},
        row_a=number,
        row_b=number,
        status="changed",
        match=Match(by="uid"),
        flags=("digits",),
        facets={"label": text, "split": "train"},
        classes=("digits", "content"),
        reasons=(Reason(stage="denoise", action="changed", code="short", metric="hits", value=1),),
        changes=(
            Change(
                path="/turns/1/text",
                column="turns[*].text",
                compared_as="text",
                change="digits",
                segments=(
                    Segment(kind="same", text=text, characters=len(text)),
                    Segment(kind="out", text="1", characters=1),
                    Segment(kind="in", text="7", characters=1),
                    Segment(kind="same", text=",200.00元⏎", characters=8),
                    Segment(kind="gap", characters=412),
                ),
                cer=0.09,
                cut=True,
            ),
            Change(
                path="/label", column="label", compared_as="category", change="content", before=text, after=f"{text}2"
            ),
        ),
        more_changes=2,
        images=(
            ImagePair(
                path="/images/0", change="boxes", before=before, after=after, ssim=0.98, psnr=31.2, iou=0.93, cer=0.1
            ),
        ),
    )
