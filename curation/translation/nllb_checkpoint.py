"""Finding and loading an NLLB checkpoint (Costa-jussà et al. 2022): what every way to run one begins with."""

from pathlib import Path
from pickle import UnpicklingError
from typing import Any

from mcot.core.checkpoints import Checkpoint, find_checkpoint, first_line
from mcot.core.errors import ModelError
from mcot.core.languages import ENGLISH, LANGUAGES
from mcot.core.settings import DEMO_MODEL, TranslatorSettings

__all__ = ["DEMO_FOLDER", "find_nllb", "load_tokenizer", "load_weights", "title"]

DEMO_FOLDER = Path(__file__).parents[1] / "demo" / "model"
_ADVICE = "give a Hub id such as 'facebook/nllb-200-3.3B', a folder of an NLLB checkpoint, or 'demo'"


def find_nllb(settings: TranslatorSettings, *, architectures: tuple[str, ...], what: str) -> Checkpoint:
    """Where the settings' model is.

    Args:
        settings: which model, and of which revision.
        architectures: those that can be run, as transformers calls them.
        what: names them in an error.

    Raises:
        ModelError: there is no such model, or it is of another architecture.
    """
    where = f"translator.model {settings.model!r}"
    embedded = settings.model == DEMO_MODEL

    def check(architecture: str) -> None:
        if architecture not in architectures:
            raise ModelError(f"{where}: is a {architecture!r} model, not {what}; {_ADVICE}")

    found = find_checkpoint(
        str(DEMO_FOLDER) if embedded else settings.model,
        revision=None if embedded else settings.revision,
        where=where,
        advice=_ADVICE,
        check=check,
        with_owner=True,
    )
    # Workers elsewhere may have another working folder.
    return found if found.on_hub else found._replace(place=str(Path(found.place).absolute()))


def title(settings: TranslatorSettings, found: Checkpoint) -> str:
    """The model's name and the first digits of its revision."""
    return f"{DEMO_MODEL if settings.model == DEMO_MODEL else found.title}@{found.revision[:12]}"


def load_tokenizer(found: Checkpoint) -> Any:
    """The checkpoint's tokenizer.

    Raises:
        ModelError: it can't be loaded, or is none of NLLB's.
    """
    from transformers import AutoTokenizer

    try:
        tokenizer: Any = AutoTokenizer.from_pretrained(found.place, **found.options)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise _unloadable(found, error) from error
    codes: Any = tokenizer.convert_tokens_to_ids([known.flores for known in LANGUAGES.values()])
    if tokenizer.unk_token_id in codes or None in codes:
        raise ModelError(
            f"{found.where}: its tokenizer lacks FLORES-200 language codes such as {ENGLISH.flores!r}, so it is no "
            f"NLLB model; {_ADVICE}"
        )
    return tokenizer


def load_weights(found: Checkpoint, dtype: str) -> Any:
    """The checkpoint's model on the CPU, ready to translate.

    Args:
        found: the checkpoint.
        dtype: a number type that torch has.

    Raises:
        ModelError: it can't be loaded.
    """
    # Imported here: torch takes seconds, and a command that translates nothing should not wait for it.
    import torch
    from safetensors import SafetensorError
    from transformers import AutoModelForSeq2SeqLM
    from transformers.utils import logging

    # Its bars for loading would break ours.
    logging.disable_progress_bar()
    try:
        return AutoModelForSeq2SeqLM.from_pretrained(
            # NLLB's own weights are .bin files: of these tensors are read, and nothing is unpickled.
            found.place, dtype=getattr(torch, dtype), attn_implementation="sdpa", weights_only=True, **found.options
        ).eval()  # fmt: skip
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError, UnpicklingError) as error:
        raise _unloadable(found, error) from error


def _unloadable(found: Checkpoint, error: Exception) -> ModelError:
    return ModelError(f"{found.where}: can't be loaded as a translation model: {first_line(error)}")
