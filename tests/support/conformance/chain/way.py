"""The way from rows to a trained model, by commands that a person would type."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.chain.goods import HERE, recipe, write_goods
from conformance.environments import Environment
from conformance.models import tiny_model
from conformance.serving import vllm

LABELS = HERE / "labels.yaml"

ON_A_PROCESSOR = (
    "bf16=false",
    "use_cpu=true",
    "preprocessing_num_workers=1",
    "plot_loss=false",
    "save_only_model=true",
)
BATCH = ("per_device_train_batch_size=12", "gradient_accumulation_steps=1", "logging_steps=20")
FULL = ("freeze_vision_tower=false", "freeze_multi_modal_projector=false", "learning_rate=0.003", "max_steps=100")
LORA = ("learning_rate=0.01", "max_steps=40")
"""What is changed in the configurations that an export writes, because the model has half a million weights, not seven
billion: larger steps, and pictures from the beginning."""

MODEL, ADAPTER = "goods", "turned"
"""What the server is asked for."""

KEY = "key-of-the-chain"

_IN_FOLDER = "import os, sys; os.chdir(sys.argv.pop(1)); from llamafactory.cli import main; main()"


@dataclass(frozen=True)
class Way:
    """What was made on the way."""

    run: Path
    """The run whose export the model was trained on; it holds the test split."""
    model: Path
    """The fine-tuned model."""
    adapter: Path
    """A LoRA adapter of it that was taught the next label of each task instead of the right one."""
    turned: Path
    """The run with those labels."""

    @property
    def folder(self) -> Path:
        """Everything lies below it."""
        return self.run.parents[1]

    @property
    def export(self) -> Path:
        """The training set."""
        return self.run / "exports" / "sharegpt"


def go(folder: Path) -> Way:
    """Make two training sets, train a model on the one, and an adapter of it on the other.

    Raises:
        RuntimeError: a step failed; the message holds the end of its output.
    """
    run = _run(folder, "goods", tiny_model(), turned=False)
    _train(run, "train_full.yaml", *FULL)
    model = run / "exports" / "saves" / "goods-full"
    turned = _run(folder, "turned", model, turned=True)
    _train(turned, "train_lora.yaml", *LORA)
    return Way(run, model, turned / "exports" / "saves" / "turned-lora", turned)


def _run(folder: Path, name: str, model: Path, turned: bool) -> Path:
    source = write_goods(folder / name, turned)
    file = folder / f"{name}.yaml"
    template = folder / "template.yaml"
    template.write_text((HERE / "template.yaml").read_text("utf-8").replace("labels.yaml", str(LABELS)), "utf-8")
    file.write_text(recipe(source, model, name, template), "utf-8")
    curate("run", file, "--out", folder / "runs" / name)
    return folder / "runs" / name


def _train(run: Path, file: str, *changes: str) -> None:
    folder = str(run / "exports" / "sharegpt")
    Environment("llamafactory").make().run(
        "-c", _IN_FOLDER, folder, "train", file, *changes, *BATCH, *ON_A_PROCESSOR, timeout=1500
    )


@contextmanager
def served(way: Way) -> Iterator[str]:
    """Serve model and adapter as `curate serve` says, to those who have the key; give the address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    named = ("--name", MODEL, "--adapter", f"{ADAPTER}={way.adapter}", "--port", port)
    told = curate("serve", way.model, "--for", way.run, *named)
    command = [*told["command"], "--allowed-local-media-path", str(way.folder)]
    with vllm(command, f"http://127.0.0.1:{port}", {**told["environment"], "VLLM_API_KEY": KEY}) as address:
        yield address


def curate(*arguments: object) -> Any:
    """Run a command of curate; give what it says as JSON.

    Raises:
        RuntimeError: it ended with another code than 0.
    """
    command = [sys.executable, "-m", "curate.cli.main", *map(str, arguments), "--json"]
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "CURATE_API_KEY": KEY}, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[2:])} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return json.loads(done.stdout)
