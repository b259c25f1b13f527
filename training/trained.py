"""The trained folder: model, tokenizer, card; adapter or merged; and `training.json`, which says that it is whole."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mcot.core.checkpoints import first_line
from mcot.core.errors import ModelError, RunError
from mcot.core.files import read_json, replace_folders, sign_files, write_json
from training.quiet import quiet_libraries

__all__ = ["Trained", "check_folder", "merge_adapter", "read_facts", "read_trained", "write_model", "write_trained"]

MARK = "training.json"
_MODEL, _MERGED = "model", "merged"


@dataclass(frozen=True, slots=True)
class Trained:
    """A trained model.

    Attributes:
        folder: the training's: settings, metrics, `training.json`.
        model: the model's; of an adapter the adapter's, unless it was merged.
        metrics: steps, losses and so on.
        fresh: whether it was trained now, and not found done.
    """

    folder: Path
    model: Path
    metrics: dict[str, Any]
    fresh: bool


def check_folder(folder: Path) -> None:
    """See that a folder is new or a training's.

    Raises:
        RunError: it holds something else.
    """
    another = "valid: a new folder, or one of an earlier training; set another `output`"
    if folder.exists() and not folder.is_dir():
        raise RunError(f"folder {folder}: is a file; {another}")
    if not folder.is_dir() or (folder / ".work").exists() or (folder / MARK).exists():
        return
    if (folder / _MODEL).exists() and (folder / "metrics.jsonl").exists():
        # Killed between the model and the mark.
        return
    # Names with a dot in front are ours from a training that was killed as it began, or the system's.
    if any(not path.name.startswith(".") for path in folder.iterdir()):
        raise RunError(f"folder {folder}: is not empty and holds no training (no {MARK}); {another}")


def read_trained(folder: Path, signature: str) -> Trained | None:
    """What is in a folder, if it was trained under a signature and is whole."""
    known = read_json(folder / MARK)
    if known.get("signature") != signature or known.get("files") != _sign(folder / _MODEL):
        return None
    return Trained(folder, _best(folder), dict(known.get("metrics", {})), fresh=False)


def _best(folder: Path) -> Path:
    return folder / (_MERGED if (folder / _MERGED / "config.json").exists() else _MODEL)


def _sign(folder: Path) -> str | None:
    files = [path for path in folder.iterdir() if path.is_file()] if folder.is_dir() else []
    return sign_files(files) if files else None


def write_model(folder: Path, saved: Path, tokenizer: Any, card: str) -> None:
    """Put a saved model in its place, with its tokenizer and its card.

    Args:
        folder: of the training.
        saved: what the trainer has saved; it is moved.
    """
    (folder / MARK).unlink(missing_ok=True)
    with replace_folders([folder / _MODEL]) as (new,):
        for path in sorted(saved.iterdir()):
            # The arguments of training are pickled, and tell of this machine; settings.yaml has them.
            if path.name != "training_args.bin":
                shutil.move(path, new / path.name)
        tokenizer.save_pretrained(new)
        (new / "README.md").write_text(card, "utf-8")
        # Weights are written for their owner alone; who may read the card may read them.
        for path in new.iterdir():
            path.chmod((new / "README.md").stat().st_mode)
    if (folder / _MERGED).exists():
        shutil.rmtree(folder / _MERGED)


def write_trained(folder: Path, signature: str, metrics: dict[str, Any], facts: Mapping[str, Any]) -> Trained:
    """Say that training is done: `training.json`, written last."""
    content = {"signature": signature, "files": _sign(folder / _MODEL), "metrics": metrics, **facts}
    write_json(folder / MARK, content)
    return Trained(folder, _best(folder), metrics, fresh=True)


def read_facts(folder: Path) -> dict[str, Any]:
    """What the folder's training was of, as `write_trained` was told."""
    own = ("files", "metrics")
    return {name: value for name, value in read_json(folder / MARK).items() if name not in own}


def merge_adapter(trained: Trained) -> Trained:
    """The adapter and the model that it is of as one model, in `merged/`; a model that is no adapter as it is.

    Raises:
        ModelError: the model that the adapter is of is not there.
    """
    adapter = trained.folder / _MODEL
    if not (adapter / "adapter_config.json").exists() or trained.model != adapter:
        return trained
    from peft import AutoPeftModelForCausalLM
    from transformers import AutoTokenizer, GenerationConfig

    try:
        with quiet_libraries():
            merged: Any = AutoPeftModelForCausalLM.from_pretrained(adapter, dtype="auto").merge_and_unload()
    except (OSError, ValueError) as error:
        base = read_json(adapter / "adapter_config.json").get("base_model_name_or_path")
        raise ModelError(f"model {base!r}, which the adapter in {adapter} is of, can't be loaded: {first_line(error)}; "
                         "put it there again")  from error  # fmt: skip
    merged.generation_config = GenerationConfig.from_pretrained(adapter)
    with replace_folders([trained.folder / _MERGED]) as (new,):
        merged.save_pretrained(new)
        AutoTokenizer.from_pretrained(adapter).save_pretrained(new)
        card = (adapter / "README.md").read_text("utf-8").replace("library_name: peft", "library_name: transformers")
        (new / "README.md").write_text(card, "utf-8")
    return Trained(trained.folder, _best(trained.folder), trained.metrics, trained.fresh)
