"""NLLB checkpoints in CTranslate2's format: converted once, kept for all runs.

A converted model lies in a cache of the user's, `~/.cache/mcot/ctranslate2/<name>/model`, where the name says which
checkpoint at which revision, in which numbers, by which version of CTranslate2. It is made beside its place and then
renamed: what is there is whole. Removing it costs a conversion.
"""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

from curation.translation.nllb_batches import LONGEST_SOURCE
from curation.translation.nllb_checkpoint import load_tokenizer, load_weights
from mcot.core.checkpoints import Checkpoint, first_line
from mcot.core.errors import ModelError, RunError
from mcot.core.files import lock_folder, replace_folders, write_json
from mcot.core.progress import say
from mcot.core.runs import sign

__all__ = ["cache_folder", "converted_model"]

_MODEL = "model"
# Of this module's own making of a model; another makes every model anew.
_FORMAT = 1
# Positions that a converted model knows, of a source's tokens and of a hypothesis's: as many as the settings allow
# (`max_length`: 1024), the decoder's start and the language's code. Unlike transformers it can't add to them later.
_POSITIONS = max(LONGEST_SOURCE, 1024) + 2
# Another process that converts the same model is waited for so many seconds: a model of 3.3 billion weights takes
# minutes.
_PATIENCE = 3600.0


def cache_folder() -> Path:
    """Where converted models are kept: `~/.cache/mcot/ctranslate2`, or the same below `XDG_CACHE_HOME`."""
    cache = os.environ.get("XDG_CACHE_HOME", "")
    # The XDG specification has a relative path ignored.
    return (Path(cache) if Path(cache).is_absolute() else Path.home() / ".cache") / "mcot" / "ctranslate2"


def converted_model(found: Checkpoint, numbers: str, name: str) -> Path:
    """The folder of a checkpoint's converted model, made now if it is not there.

    Args:
        found: the checkpoint.
        numbers: of the weights, as CTranslate2 calls them: `float32`, `int8_float32`, `bfloat16`...
        name: of the checkpoint and its revision, for people.

    Raises:
        ModelError: the checkpoint can't be loaded or converted, or the cache can't be written.
    """
    signature = sign(_FORMAT, found.revision, numbers, version("ctranslate2"))[:8]
    place = cache_folder() / f"{name.replace('/', '--')}-{numbers}-{signature}"
    model = place / _MODEL
    if model.exists():
        return model
    try:
        with _lock(place):
            # Another process may have made it meanwhile.
            if not model.exists():
                try:
                    _make(found, numbers, name, model)
                except OSError:
                    shutil.rmtree(model.with_name(f".{_MODEL}.new"), ignore_errors=True)
                    raise
    except OSError as error:
        raise ModelError(
            f"{found.where}: its conversion for CTranslate2 can't be written to {place}: {error.strerror or error}; "
            "make room there, or set XDG_CACHE_HOME to a folder that can be written and has room"
        ) from error
    return model


@contextmanager
def _lock(place: Path) -> Iterator[None]:
    with ExitStack() as held:
        try:
            held.enter_context(lock_folder(place, "conversion"))
        except RunError:
            say(f"another process is converting the model into {place}; waiting for it")
            held.enter_context(lock_folder(place, "conversion", wait=_PATIENCE))
        yield


def _make(found: Checkpoint, numbers: str, name: str, model: Path) -> None:
    """Convert a checkpoint into a folder that is there at the end, or not at all."""
    began = time.monotonic()
    tokenizer = load_tokenizer(found)
    _check_vocabulary(tokenizer, found)
    say(f"converting {name} for CTranslate2 ({numbers}), which is done once: reading its weights")
    # In full: rounded before, sinusoids and weights would differ from those that transformers calculates with.
    weights = load_weights(found, "float32")
    count = sum(parameter.numel() for parameter in weights.parameters())
    _check_room(model, count, numbers)
    say(f"converting {name}: {count / 1e6:,.0f} million weights to {numbers}")
    spec = _specify(found, weights, tokenizer, numbers)
    say(f"converting {name}: writing {model}")
    with replace_folders([model]) as (folder,):
        spec.save(str(folder))
        facts = {"checkpoint": name, "revision": found.revision, "numbers": numbers}
        write_json(folder / "mcot.json", facts | {"ctranslate2": version("ctranslate2")})
    say(f"converted {name} in {time.monotonic() - began:.0f} s")


def _specify(found: Checkpoint, weights: Any, tokenizer: Any, numbers: str) -> Any:
    """The model in CTranslate2's terms, in the numbers wanted."""
    loader: Any = import_module("ctranslate2.converters.transformers").M2M100Loader()
    _lengthen(weights)
    try:
        spec = loader(weights, tokenizer)
        spec.validate()
        spec.optimize(quantization=numbers)
    except (AttributeError, KeyError, ValueError, RuntimeError) as error:
        raise ModelError(
            f"{found.where}: can't be converted for CTranslate2: {type(error).__name__}: {first_line(error)}; set "
            "`backend: transformers`"
        ) from error
    return spec


def _check_vocabulary(tokenizer: Any, found: Checkpoint) -> None:
    """Tokens go to CTranslate2 by name and are numbered by their order: with a gap all after it would be others."""
    numbers = sorted(tokenizer.get_vocab().values())
    if numbers != list(range(len(numbers))):
        raise ModelError(
            f"{found.where}: its tokenizer's vocabulary has gaps, with which CTranslate2 can't be used; "
            "set `backend: transformers`"
        )


def _check_room(model: Path, count: int, numbers: str) -> None:
    needed = count * (1 if numbers.startswith("int8") else 4 if numbers == "float32" else 2)
    free = shutil.disk_usage(model.parent).free
    if needed > free:
        raise OSError(None, f"it takes {needed / 2**30:.1f} GiB and {free / 2**30:.1f} are free")


def _lengthen(weights: Any) -> None:
    """Give a model's encoder and decoder the sinusoids of every position that may come."""
    for part in (weights.model.encoder, weights.model.decoder):
        table = part.embed_positions
        positions = max(_POSITIONS, table.num_positions)
        table.make_weights(positions + table.offset, table.embedding_dim, table.padding_idx)
