"""Renders a page: templates with everything escaped, one inlined style sheet, and a policy that allows nothing else.

A page holds text of datasets, which may hold anything. Jinja escapes it, and the Content-Security-Policy lets the
browser load nothing and run nothing even if something slipped through.
"""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files
from typing import Any

import jinja2
from markupsafe import Markup

import curate


def render(package: str, template: str, **values: Any) -> str:
    """Fill a template and give a whole page.

    Args:
        package: The package whose folder `templates` holds the template; it extends `shell.html.j2`.
        template: Name of the template.
        values: What the template shows.
    """
    style = (files("curate.report") / "templates" / "style.css").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=jinja2.ChoiceLoader([jinja2.PackageLoader(package), jinja2.PackageLoader("curate.report")]),
    )
    environment.filters |= {"number": _number, "share": _share, "score": _score}
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    fixed = {"style": Markup(style), "policy": policy, "version": curate.__version__}  # noqa: S704  our own file
    return environment.get_template(template).render(**fixed, **values)


def _number(value: int) -> str:
    return f"{value:,}"


def _share(value: float) -> str:
    return f"{100 * value:.1f} %"


def _score(value: float) -> str:
    return f"{value:.4f}"
