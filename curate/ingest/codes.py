"""Every code that reading a source may write into the ledger."""

from __future__ import annotations

from curate.dataset import pictures

VERSION = 2
"""Raise it when the same source would give other records."""

RECORD_LIMIT = 256 << 20
"""Bytes of one record above which it is not read."""

CODES: dict[str, str] = {
    "bad_json": "The record is not valid JSON.",
    "not_utf8": "The record has bytes that are not UTF-8.",
    "lone_surrogate": "The record has half of a surrogate pair (such as \\ud83d alone), which is not Unicode text.",
    "not_a_number": "The record has NaN or Infinity, which JSON does not know.",
    "too_deep": "The record is nested too deeply.",
    "record_too_large": "The record is larger than the limit for one record.",
    "not_an_object": "The record is a number, a string or a list where an object is needed.",
    "missing_field": "A field that the format needs is missing.",
    "bad_field": "A field is null or has the wrong type or content.",
    "unknown_task": "Nothing in the record says which of the known tasks it belongs to.",
    "unknown_label": "The label is not in the label registry.",
    "duplicate_id": "A record before this one has the same id.",
    "image_count_mismatch": "The number of <image> in the text is not the number of pictures.",
    "bad_role": "A turn has a role that curate does not know.",
    "invalid_record": "A record of a curate dataset breaks the rules of the record schema.",
    **pictures.CODES,
}
