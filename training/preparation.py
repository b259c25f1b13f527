"""Everything before the first step: the tokenizer, the tokens, the weights."""

from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from mcot.core.checkpoints import Checkpoint
from mcot.core.errors import ModelError
from mcot.core.files import read_json, remove_folder, write_json
from training.attention import VARLEN, register_varlen
from training.base import load_tokenizer, load_weights
from training.data import Prepared, prepare, training_texts
from training.hardware import Hardware, check_memory
from training.prompts import Encoder
from training.scratch import make_model, make_tokenizer
from training.settings import TrainingSettings
from training.source import Source
from training.split import Split

__all__ = ["Start", "Workplace", "load_model", "prepare_start"]

# Of each language, as many rows as a small tokenizer can learn from.
_TOKENIZER_ROWS = 20_000


class Workplace:
    """What training needs until it is done, in a folder of its own, and under one signature.

    Args:
        folder: of the trained model.
        signature: of the training; what another one left is removed.
        main: whether this is the process that writes.
    """

    def __init__(self, folder: Path, signature: str, *, main: bool) -> None:
        self.path = folder / ".work"
        self.tokens, self.checkpoints, self.tokenizer = (
            self.path / name for name in ("tokens", "checkpoints", "tokenizer")
        )
        if not main:
            return
        if read_json(self.path / "work.json").get("signature") != signature:
            remove_folder(self.path)
            self.path.mkdir(parents=True)
            write_json(self.path / "work.json", {"signature": signature})
        # What `datasets` made of the tokens in a process that was killed is nobody's.
        for leftover in self.tokens.rglob("cache-*.arrow"):
            leftover.unlink()

    def remove(self) -> None:
        """Training is done, and nothing of it is needed any more."""
        remove_folder(self.path)


class Start(NamedTuple):
    """What training begins with.

    Attributes:
        tokenizer: of the model.
        prepared: the rows in tokens.
        end: the token that ends an answer, which in a chat may be another than that which ends a text.
    """

    tokenizer: Any
    prepared: Prepared
    end: int


def prepare_start(settings: TrainingSettings, source: Source, base: Checkpoint | None, work: Workplace) -> Start:
    """Tokenizer and tokens; taken as they are where an earlier process made them.

    Raises:
        UserError: the model or the dataset is not what it should be.
    """
    pairs = (
        pair
        for language in source.files
        for batch in source.rows(language, ("problem_id", "source_question"))
        for pair in zip(batch["problem_id"].to_pylist(), batch["source_question"].to_pylist(), strict=True)
    )
    split = Split(pairs, share=settings.held_out.share, seed=settings.seed)
    tokenizer = load_tokenizer(base) if base is not None else _own_tokenizer(settings, source, split, work)
    encoder = Encoder(tokenizer, settings.prompt, base.where if base is not None else "model made here")
    prepared = prepare(work.tokens, source, split, encoder, settings)
    return Start(tokenizer, prepared, encoder.encode([("1 + 1 = ?", "2")], next(iter(source.files)))[0].ids[-1])


def _own_tokenizer(settings: TrainingSettings, source: Source, split: Split, work: Workplace) -> Any:
    from transformers import PreTrainedTokenizerFast

    scratch = settings.model.scratch
    if scratch is None:
        raise ValueError("settings with neither a model's path nor how one is made")
    if not (work.tokenizer / "whole.json").exists():
        made = make_tokenizer(training_texts(source, split, settings, _TOKENIZER_ROWS), scratch)
        made.save_pretrained(work.tokenizer)
        write_json(work.tokenizer / "whole.json", {})
    return PreTrainedTokenizerFast.from_pretrained(work.tokenizer)


def load_model(settings: TrainingSettings, hardware: Hardware, tokenizer: Any, base: Checkpoint | None) -> Any:
    """The model that is trained.

    Raises:
        ModelError: it can't be loaded, does not fit in the memory, or sees less than `data.max_length` tokens.
    """
    attention = settings.model.attention
    if attention == VARLEN:
        register_varlen()
    scratch = settings.model.scratch
    if base is None and scratch is not None:
        return make_model(tokenizer, scratch, attention, settings.seed)
    if base is None:
        raise ValueError("settings with neither a model's path nor how one is made")
    _check_size(settings, hardware, base)
    model = load_weights(base, dtype=hardware.dtype, attention=attention, quantized=settings.method == "qlora")
    positions = getattr(model.config, "max_position_embeddings", None)
    if positions is not None and settings.data.max_length > positions:
        raise ModelError(
            f"{base.where}: sees {positions} tokens; data.max_length {settings.data.max_length} is more; lower it"
        )
    if len(tokenizer) > model.get_input_embeddings().num_embeddings:
        raise ModelError(
            f"{base.where}: its tokenizer has {len(tokenizer)} tokens, more than its weights know; give it its own"
        )
    return model


def _check_size(settings: TrainingSettings, hardware: Hardware, base: Checkpoint) -> None:
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    # What can't be made of a configuration alone can't be counted; loading it says what is wrong with it.
    with suppress(OSError, ValueError, KeyError, RuntimeError, ImportError), torch.device("meta"):
        config = AutoConfig.from_pretrained(base.place, **base.options)
        parameters = AutoModelForCausalLM.from_config(config).num_parameters()
        check_memory(settings, hardware, parameters, base.where)
