"""Pieces that several pages share: the frame of a phone's screen, rows, cards, buttons."""

from pathlib import Path

from tests.demo_data.content import Facts
from tests.demo_data.drawings import thumbnail

STYLE = (Path(__file__).parent / "style.css").read_text(encoding="utf-8")


def document(f: Facts, body: str, classes: str = "") -> str:
    """A whole HTML page."""
    style = f"{STYLE}:root{{--accent:{f.accent}}}"
    names = f"{classes} dark" if f.dark else classes
    head = f'<!doctype html><html lang="zh-CN"><meta charset="utf-8"><style>{style}</style>'
    return f'{head}<body class="{names}">{body}</body></html>'


def status_bar(f: Facts) -> str:
    """A phone's clock, network and battery."""
    net = f"{f.pick('5G', '4G', 'WiFi')} {f.count(1, 99)}K/s"
    battery = f'<span class="battery">{f.count(9, 99)}</span>'
    return f'<div class="status" data-chrome><span>{f.clock()}</span><span>{net}{battery}</span></div>'


def nav(title: str) -> str:
    """The bar with the page's name; only its signs are chrome, for the name tells what page it is."""
    back, more = "<span data-chrome>‹</span>", "<span data-chrome>···</span>"
    return f'<div class="nav">{back}<span class="title">{title}</span>{more}</div>'


def screen(f: Facts, title: str, body: str, bar: str = "") -> str:
    """A page of the shopping app; an empty title leaves the name bar out."""
    top = nav(f.text("header", title)) if title else ""
    return document(f, status_bar(f) + top + body + bar, "barred" if bar else "")


def card(*pieces: str) -> str:
    """A white box."""
    return f'<div class="card">{"".join(pieces)}</div>'


def p(text: str, classes: str = "") -> str:
    """A paragraph."""
    return f'<p class="{classes}">{text}</p>'


def heading(text: str) -> str:
    """A card's bold first line."""
    return p(text, "b")


def pairs(rows: list[tuple[str, str]], left: bool = False) -> str:
    """Names and values, the values at the right edge or straight after the names."""
    kind = "left" if left else "row"
    return "".join(f'<div class="{kind} s"><span class="dim">{k}</span><span>{v}</span></div>' for k, v in rows)


def total(name: str, value: str) -> str:
    """A sum in large figures."""
    return f'<div class="row"><span>{name}</span><span class="accent b big">{value}</span></div>'


def item(f: Facts, count: str = "×1") -> str:
    """The product: picture, title, choice, price."""
    picture = thumbnail(f.rng, f.title, 80, 80)
    price = f'<div class="row"><span class="accent b">{f.price}</span><span class="dim s">{count}</span></div>'
    return (
        f'<div class="item">{picture}<div class="grow">{p(f.title)}<span class="sku">{f.sku}</span>{price}</div></div>'
    )


def buttons(*names: str) -> str:
    """Buttons at a card's lower right."""
    return f'<div class="buttons">{"".join(button(name) for name in names)}</div>'


def button(name: str, classes: str = "") -> str:
    """One button; `full` fills it, `wide` gives it the page's width."""
    return f'<span class="button {classes}">{name}</span>'


def action_bar(left: str, *names: str) -> str:
    """The fixed bar at the bottom; its last button is the filled one."""
    plain = "".join(button(name) for name in names[:-1])
    return f'<div class="bar"><span class="grow">{left}</span>{plain}{button(names[-1], "full")}</div>'


def app_bar(on: str) -> str:
    """The app's own bar of places to go."""
    names = "".join(
        f'<span class="{"accent b" if name == on else ""}">{name}</span>' for name in ("首页", "消息", "购物车", "我的")
    )
    return f'<div class="bar apps" data-chrome>{names}</div>'


def tabs(*names: str, on: int = 0) -> str:
    """Tabs, one of them chosen."""
    cells = "".join(f'<span class="{"on" if i == on else ""}">{name}</span>' for i, name in enumerate(names))
    return f'<div class="tabs">{cells}</div>'


def tags(*names: str) -> str:
    """Small outlined labels."""
    return "".join(f'<span class="tag">{name}</span>' for name in names)


def hero(status: str, note: str) -> str:
    """The coloured head that says how an order stands."""
    return f'<div class="hero">{p(status, "b big")}{p(note, "s")}</div>'


def steps(lines: list[tuple[str, str]]) -> str:
    """What happened, newest first: sentence and time."""
    return "".join(
        f'<div class="step {"on" if i == 0 else ""}">{p(text, "" if i == 0 else "dim")}{p(time, "xs dim")}</div>'
        for i, (text, time) in enumerate(lines)
    )


def notes(lines: list[str], classes: str = "s dim") -> str:
    """Sentences, one paragraph each."""
    return "".join(p(line, classes) for line in lines)


def choices(names: list[str], on: int = 0, gone: int = -1) -> str:
    """Options of a product: one chosen, perhaps one sold out."""
    marks = {on: " on", gone: " gone"}
    cells = "".join(f'<span class="choice{marks.get(i, "")}">{name}</span>' for i, name in enumerate(names))
    return f'<div class="choices">{cells}</div>'
