"""Renders a page: templates with everything escaped, one style sheet and one script inlined, and a policy for no more.

A page holds text of datasets, which may hold anything. Jinja escapes it, and the Content-Security-Policy lets the
browser load nothing and run nothing but our own script, even if something slipped through. Without the script a page
reads the same; it filters, flips pictures and switches the theme.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import jinja2
from markupsafe import Markup

import curate
from curate.report.charts import GLOBALS
from curate.report.words import Language, Words

CELL = 2000
"""Characters of any text of a dataset that a page shows in one place."""
LONGEST = 600
"""Characters of a value; `curate diff --row` shows all of it."""


def render(
    package: str, template: str, *, lang: Language = "en", script: bool = False, beside: bool = False, **values: Any
) -> str:
    """Fill a template and give a whole page.

    Args:
        package: The package whose folder `templates` holds the template; it extends `shell.html.j2`.
        template: Name of the template.
        lang: Language of our own words.
        script: Whether the page has filters.
        beside: Whether it shows pictures that lie beside it as files.
        values: What the template shows.
    """
    style, code = _asset("style.css"), _asset("page.js")
    pictures = "img-src 'self' data:" if beside else "img-src data:"
    policy = [
        "default-src 'none'",
        f"style-src '{_digest(style)}'",
        pictures,
        "base-uri 'none'",
        "form-action 'none'",
    ]
    if script:
        policy.insert(2, f"script-src '{_digest(code)}'")
    return (
        _environment(package)
        .get_template(template)
        .render(
            style=Markup(style),  # noqa: S704  our own file
            script=Markup(code) if script else None,  # noqa: S704  our own file
            policy="; ".join(policy),
            version=curate.__version__,
            lang=lang,
            t=Words(lang),
            **values,
        )
    )


_TURN = {frozenset(keys): keys for keys in (("role", "text"), ("from", "value"), ("role", "content"))}
"""How turns of a dialogue name their role and their text, by the set of both."""


@cache
def _environment(package: str) -> jinja2.Environment:
    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=jinja2.ChoiceLoader([jinja2.PackageLoader(package), jinja2.PackageLoader("curate.report")]),
    )
    environment.filters |= {
        "number": _number,
        "share": _share,
        "score": _score,
        "visible": visible,
        "readable": readable,
    }
    environment.filters["visible_map"] = visible_map
    environment.globals |= GLOBALS
    return environment


@cache
def _asset(name: str) -> str:
    return (files("curate.report") / "templates" / name).read_text("utf-8")


def _digest(content: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()


def visible(text: object) -> str:
    """Write characters out that are not seen, or that change the direction of what follows: `⟨U+202E⟩`.

    Characters that no HTML page may hold (NUL, lone surrogates) are among them. What is very long is cut: one broken
    cell must not fill a page.
    """
    plain = str(text)
    more = f" … ({len(plain) - CELL:,} more)" if len(plain) > CELL else ""
    shown = (
        character if character in "\n\t\u3000" or character.isprintable() else f"⟨U+{ord(character):04X}⟩"
        for character in plain[:CELL]
    )
    return "".join(shown) + more


def visible_map(values: Mapping[str, object]) -> dict[str, str]:
    """`visible` for keys and values."""
    return {visible(key): visible(value) for key, value in values.items()}


def readable(value: object) -> str:
    """A value as people read it: a turn as `role: text`, a reading as its text, the rest as JSON; cut if long."""
    turn = _TURN.get(frozenset(value)) if isinstance(value, Mapping) else None
    if turn is not None and isinstance(value, Mapping):
        text = f"{value[turn[0]]}: {value[turn[1]]}"
    elif isinstance(value, Mapping) and {"engine", "text", "lines"} <= value.keys():
        text = str(value["text"])
    else:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} …"


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4g}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f} %"


def _score(value: float) -> str:
    return f"{value:.4f}"
