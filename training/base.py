"""The model that training goes on from: where it is, what version, and how it is loaded."""

from pathlib import Path
from typing import Any

from mcot.core.checkpoints import Checkpoint, find_checkpoint, first_line
from mcot.core.errors import ModelError
from training.settings import ModelSettings

__all__ = ["load_tokenizer", "load_weights", "locate"]

_ADVICE = "give a Hub id such as 'mistralai/Mistral-7B-v0.1', or a folder with config.json, weights and tokenizer"


def locate(settings: ModelSettings) -> Checkpoint:
    """Find the model of `settings.path`.

    Raises:
        ModelError: there is no such model.
    """
    path = str(settings.path)
    where = f"model {path!r}"
    found = find_checkpoint(path, revision=settings.revision, where=where, advice=_ADVICE)
    if not found.on_hub and not any(
        file.name.startswith(("tokenizer", "vocab", "spiece")) for file in Path(path).iterdir()
    ):
        raise ModelError(f"{where}: the folder has no tokenizer (tokenizer.json); put the model's own beside it")
    return found


def load_tokenizer(base: Checkpoint) -> Any:
    """The model's tokenizer, padding on the right as training needs it.

    Raises:
        ModelError: it can't be loaded.
    """
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(base.place, padding_side="right", **base.options)
    except Exception as error:
        # What a missing or damaged tokenizer raises is as various as tokenizers are.
        raise ModelError(f"{base.where}: its tokenizer can't be loaded: {first_line(error)}; {_ADVICE}") from error
    if tokenizer.pad_token_id is None and tokenizer.eos_token is not None:
        # What stands there is masked, and no loss is taken on it.
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def load_weights(base: Checkpoint, *, dtype: str, attention: str, quantized: bool) -> Any:
    """The model.

    Args:
        dtype: of the weights, as torch calls it.
        attention: as `transformers` calls it.
        quantized: to 4 bits (NF4, Dettmers et al. 2023), for QLoRA.

    Raises:
        ModelError: it can't be loaded, or is no causal language model.
    """
    import torch
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig

    options: dict[str, Any] = {**base.options, "dtype": getattr(torch, dtype), "attn_implementation": attention}
    if quantized:
        options["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=torch.bfloat16,
        )  # fmt: skip
    try:
        return AutoModelForCausalLM.from_pretrained(base.place, **options)
    except (OSError, ValueError, KeyError, RuntimeError, ImportError, SafetensorError) as error:
        raise ModelError(
            f"{base.where}: can't be loaded as a causal language model: {first_line(error)}; {_ADVICE}"
        ) from error
