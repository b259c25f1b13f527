"""Where a model is: a folder here, or a repository of the Hugging Face Hub, at a known version."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from mcot.core.errors import ModelError
from mcot.core.files import sign_files

__all__ = ["Checkpoint", "find_checkpoint", "first_line"]

_WEIGHTS = (".safetensors", ".bin")
# What decides what a model does: weights, configuration, tokenizer, chat template.
_SIGNED = (*_WEIGHTS, ".json", ".model", ".jinja", ".txt")


class Checkpoint(NamedTuple):
    """A model that is there.

    Attributes:
        place: a folder or a Hub id.
        revision: a Hub commit, or a signature of the folder's files.
        architecture: its `model_type`, as transformers calls it.
        on_hub: whether it is the Hub's.
        where: what an error calls it.
    """

    place: str
    revision: str
    architecture: str
    on_hub: bool
    where: str

    @property
    def title(self) -> str:
        """Its name without the folders above it."""
        return self.place if self.on_hub else Path(self.place).resolve().name

    @property
    def options(self) -> dict[str, Any]:
        """What `from_pretrained` is given besides the place: of a Hub model the commit that was signed."""
        return {"revision": self.revision if self.on_hub else "main", "trust_remote_code": False}


def find_checkpoint(
    place: str,
    *,
    revision: str | None,
    where: str,
    advice: str,
    check: Callable[[str], None] | None = None,
    with_owner: bool = False,
) -> Checkpoint:
    """Find a model.

    Args:
        place: a folder or a Hub id.
        revision: of the Hub: a commit, tag or branch.
        where: what an error calls it, such as "translator.model 'x'".
        advice: what an error says to do.
        check: raises `ModelError` where an architecture is none of those wanted.
        with_owner: whether a Hub id must name its owner; some old ones have none ("gpt2").

    Raises:
        ModelError: there is no such model, or the folder is none.
    """
    folder = Path(place)
    if folder.is_dir():
        if revision is not None:
            raise ModelError(f"{where}: a folder has no revision; leave out revision {revision!r}")
        architecture = _read_architecture(folder, where, advice)
        if check is not None:
            check(architecture)
        files = [path for path in folder.iterdir() if path.suffix in _SIGNED and path.is_file()]
        if not any(path.suffix in _WEIGHTS for path in files):
            raise ModelError(f"{where}: the folder has no weights (*.safetensors); {advice}")
        return Checkpoint(place, sign_files(files), architecture, on_hub=False, where=where)
    names = place.count("/") + 1
    if folder.exists() or names > 2 or (with_owner and names < 2) or place.startswith((".", "/")):
        raise ModelError(f"{where}: no such folder; {advice}")
    from transformers import AutoConfig

    try:
        config: Any = AutoConfig.from_pretrained(place, revision=revision or "main", trust_remote_code=False)
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{where}: is no folder here and could not be had from the Hub ({first_line(error)}); {advice}"
        ) from None
    if check is not None:
        check(config.model_type)
    commit = str(getattr(config, "_commit_hash", None) or revision or "main")
    return Checkpoint(place, commit, config.model_type, on_hub=True, where=where)


def _read_architecture(folder: Path, where: str, advice: str) -> str:
    config = folder / "config.json"
    if not config.is_file():
        adapter = " but an adapter: merge it into its model first" if (folder / "adapter_config.json").exists() else ""
        raise ModelError(f"{where}: the folder has no config.json, so it is no model{adapter}; {advice}")
    try:
        return str(json.loads(config.read_text("utf-8"))["model_type"])
    except KeyError:
        raise ModelError(f"{where}: its config.json names no model_type; {advice}") from None
    except (ValueError, TypeError):
        raise ModelError(f"{where}: its config.json names no model_type: it is no JSON object; {advice}") from None


def first_line(error: BaseException) -> str:
    """What an error says, on one line."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
