"""Every command of curate, called once and more, in one folder: what tests of the whole command line go through.

`CALLS` has an entry for every command and subcommand that there is; a test fails where one is missing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from PIL import Image

from curate.cli.main import COMMANDS, cli

SCENE = "你是一个电商领域识图专家,可以理解消费者上传的软件截图或实物拍摄图。"
INTENT = "你是一个电商客服专家，请根据用户与客服的多轮对话判断用户的意图分类标签。\n<用户与客服的对话 START>\n用户: {}\n<用户与客服的对话 END>\n"
_STAGE = ("--images", "images", "--set", "max_failed=99", "--workers", "1")

CALLS: dict[str, tuple[str, ...]] = {
    "ingest": ("rows.json", "work/ingest", *_STAGE),
    "ocr": ("rows.json", "work/ocr", *_STAGE),
    "ocr --text": ("images", "--text"),
    "denoise": ("rows.json", "work/denoise", *_STAGE),
    "denoise --preview": ("work/ingest", "--preview", "2"),
    "denoise --explain": ("work/ingest", "--explain"),
    "label": ("rows.json", "work/label", *_STAGE),
    "quality": ("work/ingest", "work/quality", "--workers", "1"),
    "filter": ("work/quality", "work/filter", "--min", "text_length=1", "--workers", "1"),
    "dedup": ("work/ingest", "work/dedup", "--workers", "1"),
    "split": ("rows.json", "work/split", *_STAGE),
    "balance": ("work/split", "work/balance", "--cap", "2", "--workers", "1"),
    "augment-text": ("work/split", "work/augment-text", "--workers", "1"),
    "augment-image": ("work/split", "work/augment-image", "--pipeline", "trivial", "--workers", "1"),
    "run": ("recipe.yaml", "--workers", "1"),
    "select": ("unlabelled.jsonl", "work/select", "-p", "sure.jsonl", "--workers", "1"),
    "export": ("work/split", "set"),
    "export --hub": ("work/split", "--hub", "hub{turn}"),
    "export --check": ("--check", "set"),
    "card": ("work/split",),
    "card --check": ("work/split", "--check"),
    "card diff": ("data_cards/split.md", "data_cards/split.md"),
    "card ls": (),
    "serve": ("tiny", "--for", "set", "--split", "train"),
    "infer": ("set", "answers", "--server", "{server}", "--model", "tiny", "--split", "train"),
    "evaluate": ("rows.json", "said.jsonl", "--by-label", "--html", "scores.html"),
    "submit": ("rows.json", "said.jsonl", "submit.csv"),
    "show": ("work/split",),
    "show ROW": ("work/split", "0"),
    "diff": ("work/split", "--report", "diff.html", "--report", "diff.md", "--report", "diff.jsonl"),
    "diff A B": ("rows.json", "said.jsonl", "--key", "id"),
    "report": ("work/split",),
    "why": ("r0", "--run", "work/split"),
    "ls": (),
    "ls RUN": ("work/ingest", "--failed"),
    "reasons": ("image_missing",),
    "schema": ("recipe",),
    "rules": (),
    "rules show": ("advert",),
    "rules test": ("rules.yaml",),
    "thesaurus show": ("发货",),
    "thesaurus export": ("--from", "lexicon", "words.tsv"),
    "cache": (),
    "init": ("project", "--force"),
    "doctor": (),
    "completion": ("bash",),
    "version": (),
}
"""Arguments of each call by what it is called; the words in small letters are the command."""

WRITES = {
    "ingest": 1, "ocr": 1, "denoise": 1, "label": 1, "quality": 1, "filter": 1, "dedup": 1, "split": 1, "balance": 1,
    "augment-text": 1, "augment-image": 1, "select": 1, "export": 1, "export --hub": 2, "infer": 1, "submit": 2,
    "evaluate": 4, "diff": 2, "thesaurus export": 2, "init": 0,
}  # fmt: skip
"""Place of the output among the arguments, for calls whose output can be sent elsewhere."""
_ELSEWHERE = {"run": ("--out",), "card": ("--cards",), "report": ("-o",)}


def words(name: str) -> tuple[str, ...]:
    """The words of a call that name its command."""
    return tuple(word for word in name.split() if word == word.lower())


def arguments(name: str, turn: int = 0, server: str = "") -> list[str]:
    """What is typed for a call."""
    options = [word for word in words(name) if word.startswith("-")]
    given = [text.format(turn=turn, server=server) for text in CALLS[name]]
    return [*(word for word in words(name) if word not in options), *given]


def elsewhere(name: str, place: str, server: str = "") -> list[str] | None:
    """What is typed to have the output of a call in `place`; None where a call writes nothing."""
    typed = arguments(name, 0, server)
    option = _ELSEWHERE.get(name)
    if option is not None:
        return [*typed, *option, place]
    if name not in WRITES:
        return None
    head = len([word for word in words(name) if not word.startswith("-")])
    file = typed[head + WRITES[name]]
    typed[head + WRITES[name]] = f"{place}{Path(file).suffix}"
    return typed


def commands() -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command and subcommand with its words; groups that cannot be called alone are not among them."""
    context = click.Context(cli)
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command is not None
        below = command.commands if isinstance(command, click.Group) else {}
        if not isinstance(command, click.Group) or command.invoke_without_command or name == "card":
            yield (name,), command
        yield from (((name, word), one) for word, one in below.items())


def prepare(folder: Path) -> None:
    """Write what the calls read: eight rows as the challenge has them, one of them bad, and predictions."""
    (folder / "images").mkdir()
    (folder / "data_cards").mkdir()
    rows: list[dict[str, Any]] = []
    for number in range(8):
        Image.new("RGB", (300, 200 + number), (90, 30 * number, 30)).save(folder / f"images/{number}.png")
        scene = number % 2
        rows.append(
            {
                "id": f"r{number}",
                "instruction": f"Picture 1: <image>\n{SCENE}" if scene else INTENT.format(f"第{number}款灯可以调光吗"),
                "input": "",
                "image": [f"{number}.png" if number != 7 else "no.png"] if scene else [],
                "output": "退款页面" if scene else "能否调光",
            }
        )
    (folder / "rows.json").write_text(json.dumps(rows, ensure_ascii=False), "utf-8")
    _lines(folder / "said.jsonl", [{"id": row["id"], "predict": row["output"]} for row in rows])
    _lines(folder / "unlabelled.jsonl", [{"id": row["id"], "text": f"{row['id']} 可以调光吗"} for row in rows])
    sure = [{"id": row["id"], "predict": "能否调光", "confidence": 0.999} for row in rows]
    _lines(folder / "sure.jsonl", sure)
    recipe = "name: whole\ninput: {path: rows.json, images: images}\nmax_failed: 99\nstages: [{use: denoise}]\n"
    (folder / "recipe.yaml").write_text(recipe)
    (folder / "rules.yaml").write_text("name: mine\ntitle: Mine\nlanguage: zh\nextends: zh-general\nrules: []\n")


def _lines(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
