"""Texts that try to break out of wherever they are put: HTML, templates, Markdown, terminals."""

from __future__ import annotations

PAYLOADS = (
    "<script>window.pwned=1</script>",
    '"><img src=x onerror="window.pwned=1">',
    "'><svg onload=window.pwned=1>",
    "</script><script>window.pwned=1</script>",
    "</template><script>window.pwned=1</script>",
    "</style><script>window.pwned=1</script>",
    "</title><script>window.pwned=1</script>",
    "javascript:window.pwned=1",
    "{{7*7}} {% raw %}",
    "${7*7}",
    "]]>",
    "--><script>window.pwned=1</script>",
    "a|b",
    "`code` ``",
    "@everyone",
    "#1",
    "[x](javascript:window.pwned=1)",
    "=HYPERLINK(1)",
    "[red]x[/]",
    "\x1b[2Jx",
    "\u202ertl\u202c",
    "a\u2028b\u2029c",
    "nul\x00nul",
    "&lt;b&gt; &amp;",
    '" onmouseover="window.pwned=1',
    "<!-- curate:end numbers -->",
)
LONG = "x" * 1_000_000
"""A single token of one megabyte."""
