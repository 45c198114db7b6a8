"""Every command in the README is run, in its order, in one folder, and prints what the README shows."""

from __future__ import annotations

from pathlib import Path

import readme


def test_the_readme_shows_what_its_commands_print(tmp_path: Path) -> None:
    """A command in a README that fails, or prints something else, is the end of the visit."""
    examples = readme.examples(readme.README.read_text("utf-8"))
    assert sum(len(example.commands) for example in examples) >= 10

    for example in examples:
        for command in example.commands:
            done = readme.run(command, tmp_path)
            assert done.returncode == 0, f"{command}\n{done.stdout}"
            assert "Traceback" not in done.stdout
        if example.output is not None:
            assert readme.comparable(readme.shown(done)) == readme.comparable(example.output), example.commands[-1]


def test_the_picture_is_of_the_demo() -> None:
    """The picture in the README is drawn from a real run."""
    text = readme.PICTURE.read_text("utf-8")

    assert "curate&#160;run&#160;demo" in text or "curate run demo" in text
    assert "image_truncated" in text
