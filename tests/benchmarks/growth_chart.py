"""Draws how time and memory grow with the number of records: small SVG, readable in light and dark."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from curate.report.charts import place

_WIDTH, _HEIGHT, _LEFT, _TOP = 260.0, 150.0, 60.0, 46.0
_STEP = 350.0
_COLOURS = ("#2f6fb3", "#c2571a")


def draw(figures: Sequence[Mapping[str, Any]]) -> str:
    """Draw the figures that have a number of records, a panel for each unit.

    Values that are more than ten times apart stand on a logarithmic axis, others on one that begins at zero.

    Args:
        figures: Figures as `Figure.as_dict` gives them.
    """
    growing = [one for one in figures if one["records"]]
    units = list(dict.fromkeys(one["unit"] for one in growing))
    names = list(dict.fromkeys(one["name"] for one in growing))
    parts = [_panel(number, unit, names, growing) for number, unit in enumerate(units)]
    for number, name in enumerate(names):
        left = _LEFT + 200 * number
        parts.append(f'<rect x="{left}" y="8" width="12" height="12" fill="{_COLOURS[number]}"/>')
        parts.append(f'<text x="{left + 18}" y="18">{escape(name)}</text>')
    width, height = _STEP * len(units), _TOP + _HEIGHT + 44
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" role="img" '
        'font-family="sans-serif" font-size="12" fill="#777">\n'
        "<title>Processor time of a record and peak memory by number of records</title>\n"
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def _panel(number: int, unit: str, names: Sequence[str], growing: Sequence[Mapping[str, Any]]) -> str:
    here = [one for one in growing if one["unit"] == unit]
    sizes = sorted({one["records"] for one in here})
    low, high = math.log10(sizes[0]), math.log10(sizes[-1])
    values = [one["spread"]["median"] for one in here]
    powers = range(math.floor(math.log10(min(values))), math.ceil(math.log10(max(values))) + 1)
    steep = max(values) > 10 * min(values)
    most = _rounded_up(max(values))
    ticks = [float(10**power) for power in powers] if steep else [0.0, most / 2, most]
    left, floor = _LEFT + _STEP * number, _TOP + _HEIGHT

    def across(size: int) -> float:
        return left + place(math.log10(size), low, high, _WIDTH)

    def up(value: float) -> float:
        if steep:
            return floor - place(math.log10(value), powers[0], powers[-1], _HEIGHT)
        return floor - place(value, 0, most, _HEIGHT)

    parts = [f'<text x="{left}" y="{_TOP - 10}" font-weight="bold">{escape(unit)}</text>']
    for value in ticks:
        parts.append(f'<path d="M{left} {up(value):.1f}h{_WIDTH}" stroke="#999" stroke-opacity=".35"/>')
        parts.append(f'<text x="{left - 8}" y="{up(value) + 4:.1f}" text-anchor="end">{value:,.0f}</text>')
    parts += [f'<text x="{across(size):.1f}" y="{floor + 18}" text-anchor="middle">{size:,}</text>' for size in sizes]
    parts.append(f'<text x="{left + _WIDTH / 2}" y="{floor + 36}" text-anchor="middle">records</text>')
    for colour, name in zip(_COLOURS, names, strict=False):
        points = [(across(one["records"]), one) for one in here if one["name"] == name]
        line = " ".join(f"{x:.1f},{up(one['spread']['median']):.1f}" for x, one in points)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for x, one in points:
            y, told = up(one["spread"]["median"]), f"{name}, {one['records']:,} records: {one['spread']['median']:,.0f}"
            parts.append(
                f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"><title>{escape(told)}</title></circle>'
            )
    return "\n".join(parts)


def _rounded_up(value: float) -> float:
    """The next of 1, 2, 4, 6, 8, 10 times a power of ten."""
    power = 10 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 4, 6, 8, 10) if step * power >= value)
