"""Generation by a causal language model through transformers: a folder or a model of the Hub."""

from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from typing import Any

from evaluation.cache import Generation
from evaluation.prompts import Prompt
from evaluation.settings import ModelSettings
from mcot.core.checkpoints import Checkpoint, find_checkpoint, first_line
from mcot.core.errors import ModelError
from mcot.core.hardware import choose_hardware
from mcot.core.runs import sign

__all__ = ["TransformersBackend", "cut_at", "find_model"]

_CPU_BATCH, _GPU_BATCH = 8, 64
_ADVICE = "give a Hub id such as 'Qwen/Qwen2.5-0.5B-Instruct', or a folder with config.json, weights and tokenizer"


class TransformersBackend:
    """A causal language model: greedy or sampled, prompts of like length together, padded on the left.

    Raises:
        ModelError: there is no such model, it is no causal one, or the device is not there.
    """

    apart = False

    def __init__(self, settings: ModelSettings) -> None:
        self._settings = settings
        self.revision: str | None
        self._found = find_model(settings)
        self.revision = self._found.revision
        self._device, self._dtype = choose_hardware(settings.device, settings.dtype, where="device")
        self.batch_size = settings.batch_size or (_CPU_BATCH if self._device == "cpu" else _GPU_BATCH)
        # A kernel of another library or number type may choose another token where two are all but equal.
        libraries = [f"{name} {version(name)}" for name in ("transformers", "torch", "tokenizers")]
        name = settings.model if self._found.on_hub else ""
        self.signature = sign("transformers", 1, name, self.revision, self._device, self._dtype, libraries)
        self._model: Any = None
        self._tokenizer: Any = None

    def open(self) -> None:
        """Load tokenizer and weights."""
        # Imported here: torch takes seconds, and a command that generates nothing should not wait for it.
        import torch
        from safetensors import SafetensorError
        from transformers import AutoModelForCausalLM, AutoTokenizer
        from transformers.utils import logging

        # Its bars for loading would break ours.
        logging.disable_progress_bar()
        where = f"model {self._settings.model!r}"
        place, options = self._found.place, self._found.options
        try:
            self._tokenizer = AutoTokenizer.from_pretrained(place, padding_side="left", **options)
            self._model = AutoModelForCausalLM.from_pretrained(
                place, dtype=getattr(torch, self._dtype), attn_implementation="sdpa", **options
            ).eval().to(self._device)  # fmt: skip
        except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
            raise ModelError(f"{where}: can't be loaded as a causal language model: {first_line(error)}") from error
        if not self._ends():
            raise ModelError(f"{where}: neither its tokenizer nor its configuration names an end of text; "
                             "set eos_token in its tokenizer_config.json")  # fmt: skip
        if self._tokenizer.pad_token_id is None:
            # What stands there is masked.
            self._tokenizer.pad_token_id = self._ends()[0]
        if self._settings.prompt.style == "chat" and not self._tokenizer.chat_template:
            raise ModelError(f"{where}: its tokenizer has no chat template; set prompt: {{style: completion}}")

    def close(self) -> None:
        """Let go of the memory."""
        import torch

        self._model = self._tokenizer = None
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def generate(
        self, prompts: Sequence[Prompt], seeds: Sequence[int], notify: Callable[[str], None] | None = None
    ) -> Iterator[tuple[int, Generation]]:
        """Answer a batch of prompts; after running out of memory it is halved."""
        yield from enumerate(self._generate([self._encode(prompt) for prompt in prompts], list(seeds)))

    def _ends(self) -> list[int]:
        """The tokens that end a text: a chat's turn may end otherwise than a document."""
        named = self._model.generation_config.eos_token_id
        ends = list(named) if isinstance(named, list | tuple) else [named]
        return [end for end in dict.fromkeys([*ends, self._tokenizer.eos_token_id]) if end is not None]

    def _encode(self, prompt: Prompt) -> list[int]:
        if prompt.text is not None:
            return list(self._tokenizer(prompt.text).input_ids)
        try:
            text = self._tokenizer.apply_chat_template(prompt.chat, tokenize=False, add_generation_prompt=True)
        except Exception as error:  # noqa: BLE001
            # The template is the model's own program, and raises what it likes: "System role not supported".
            raise ModelError(
                f"model {self._settings.model!r}: its chat template takes no such chat: {first_line(error)}; see "
                "prompt.system and prompt.few_shot"
            ) from None
        # The template has written the tokens that begin a text.
        return list(self._tokenizer(text, add_special_tokens=False).input_ids)

    def _generate(self, batch: list[list[int]], seeds: list[int]) -> list[Generation]:
        import torch

        try:
            return self._generate_batch(batch, seeds[0])
        except (torch.OutOfMemoryError, RuntimeError) as error:
            if not _is_out_of_memory(error):
                raise
            if len(batch) == 1:
                raise ModelError(
                    f"model {self._settings.model!r}: one prompt of {len(batch[0])} tokens does not fit in the memory; "
                    "use a smaller model, dtype bfloat16, or another device"
                ) from None
        # Outside the handler: the exception's frames would keep the batch's tensors alive.
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        half = len(batch) // 2
        return self._generate(batch[:half], seeds[:half]) + self._generate(batch[half:], seeds[half:])

    def _generate_batch(self, batch: list[list[int]], seed: int) -> list[Generation]:
        import torch

        sampling, stop = self._settings.sampling, list(self._settings.stop)
        self._check_length(max(map(len, batch)))
        inputs = self._tokenizer.pad({"input_ids": batch}, return_tensors="pt").to(self._model.device)
        torch.manual_seed(seed)
        drawn: dict[str, Any] = {"do_sample": False, "temperature": None, "top_p": None, "top_k": None}
        if sampling.temperature:
            drawn = {"do_sample": True, "temperature": sampling.temperature, "top_p": sampling.top_p, "top_k": 0}
        with torch.inference_mode():
            output = self._model.generate(
                **inputs,
                **drawn,
                num_beams=1,
                repetition_penalty=1.0,
                max_length=None,
                max_new_tokens=sampling.max_new_tokens,
                eos_token_id=self._ends(),
                pad_token_id=self._tokenizer.pad_token_id,
                **({"stop_strings": stop, "tokenizer": self._tokenizer} if stop else {}),
            )[:, inputs["input_ids"].shape[1] :].tolist()
        return [self._read(ids, stop) for ids in output]

    def _check_length(self, tokens: int) -> None:
        """A model can't see beyond its positions; some fail there, some write nonsense."""
        positions = getattr(self._model.config, "max_position_embeddings", None)
        if positions is not None and tokens + self._settings.sampling.max_new_tokens > positions:
            raise ModelError(
                f"model {self._settings.model!r}: a prompt of {tokens} tokens and sampling.max_new_tokens "
                f"{self._settings.sampling.max_new_tokens} do not fit in its {positions} positions; lower "
                "max_new_tokens, or show fewer few-shot problems (prompt.shots)"
            )

    def _read(self, ids: list[int], stop: list[str]) -> Generation:
        """An answer of its tokens."""
        ends = self._ends()
        end = next((place for place, token in enumerate(ids) if token in ends), None)
        text = self._tokenizer.decode(ids[:end], skip_special_tokens=True)
        cut = cut_at(text, stop)
        return Generation(text if cut is None else cut, end is not None or cut is not None)


def cut_at(text: str, stop: Sequence[str]) -> str | None:
    """A text up to the first of some others; None if it has none of them."""
    places = [place for place in map(text.find, stop) if place >= 0]
    return text[: min(places)] if places else None


def find_model(settings: ModelSettings) -> Checkpoint:
    """Where a model is, and its revision.

    Raises:
        ModelError: there is no such model.
    """
    where = f"model {settings.model!r}"
    return find_checkpoint(settings.model, revision=settings.revision, where=where, advice=_ADVICE)


def _is_out_of_memory(error: BaseException) -> bool:
    import torch

    # The CPU's allocator raises a plain RuntimeError.
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)
