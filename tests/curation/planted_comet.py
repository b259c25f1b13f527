"""COMET models and a Hub cache that hold nothing, and COMET's process with a planted worker in it."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from curation.quality_estimation import estimator
from mcot.core.environments import Environment

COMMIT = "0123456789abcdef0123456789abcdef01234567"
HPARAMS = "class_identifier: unified_metric\nencoder_model: XLM-RoBERTa\npretrained_model: {}\n"
ENCODER = {"config.json": "{}", "tokenizer.json": '{"version": 1}', "README.md": "an encoder"}


def write_files(folder: Path, files: Mapping[str, str]) -> Path:
    """Files by their names. Gives the folder."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    return folder


def make_model(folder: Path, *, encoder: str | None = None) -> Path:
    """A model's folder, and beside it its encoder's where none is named."""
    named = encoder or str(write_files(folder.with_name(f"{folder.name}-encoder"), ENCODER))
    return write_files(folder, {"hparams.yaml": HPARAMS.format(named), "checkpoints/model.ckpt": "weights"})


class PlantedCache:
    """A cache of the Hub's files, as its client keeps them."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(folder))

    def add(self, name: str, files: Mapping[str, str]) -> Path:
        """Files of a repository that were downloaded. Gives their folder."""
        place = self.folder / f"models--{name.replace('/', '--')}"
        write_files(place / "refs", {"main": COMMIT})
        return write_files(place / "snapshots" / COMMIT, files)


class PlantedProcess:
    """What COMET's process runs instead of the real worker (`comet_worker`), in this project's own environment."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        text = Path(__file__).with_name("comet_worker.py").read_text("utf-8")
        write_files(folder, {"worker.py": text})
        monkeypatch.setattr(estimator, "_HERE", folder)
        monkeypatch.setattr(Environment, "ensure", lambda *_: Path(sys.executable))
        monkeypatch.setattr(Environment, "check_python", lambda *_: None)

    def order(self, *orders: str) -> None:
        """What it does with the next requests: `kill`, `fail`, `error`, or `none` for nothing special."""
        write_files(self.folder, {"orders.txt": "".join(f"{order}\n" for order in orders)})

    @property
    def told(self) -> list[dict[str, Any]]:
        """All that it was sent: what to load, and pairs."""
        file = self.folder / "told.jsonl"
        return [json.loads(line) for line in file.read_text("utf-8").splitlines()] if file.exists() else []

    @property
    def pairs(self) -> list[list[str]]:
        """The pairs that it was sent, in order."""
        return [pair for told in self.told for pair in told.get("pairs", [])]
