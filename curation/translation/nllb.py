"""Translation by an NLLB checkpoint (Costa-jussà et al. 2022) through transformers."""

from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from curation.translation.base import Hypothesis, Notify
from mcot.core.checkpoints import Checkpoint, find_checkpoint, first_line
from mcot.core.errors import ModelError
from mcot.core.hardware import choose_hardware
from mcot.core.languages import ENGLISH, LANGUAGES, Language
from mcot.core.runs import sign
from mcot.core.settings import DEMO_MODEL, TranslatorSettings

__all__ = ["DEMO_FOLDER", "NllbTranslator"]

DEMO_FOLDER = Path(__file__).parents[1] / "demo" / "model"
_ARCHITECTURES = ("m2m_100", "nllb-moe")
# Source tokens of a batch by default. On a CPU larger batches only make short sentences wait for long ones.
_CPU_BATCH, _GPU_BATCH = 2048, 16384
_ADVICE = "give a Hub id such as 'facebook/nllb-200-3.3B', a folder of an NLLB checkpoint, or 'demo'"
# NLLB was trained on up to 512 tokens (its sinusoidal positions would take more).
_LONGEST_SOURCE = 512


def _longest_hypothesis(source_tokens: int, maximum: int) -> int:
    """Tokens that a hypothesis may have.

    A translation that is longer than twice its source and some is a loop; without this one loop keeps a
    batch going to the full maximum. Each sentence has its own, whatever its batch goes to.
    """
    return min(maximum, 2 * source_tokens + 24)


class NllbTranslator:
    """An NLLB checkpoint: a Hub id, a folder, or the embedded demo model.

    Raises:
        ModelError: there is no such model, or it is no NLLB model.
    """

    def __init__(self, settings: TranslatorSettings) -> None:
        self._settings = settings
        self._found = _find(settings)
        self._device, self._dtype = choose_hardware(settings.device, settings.dtype, where="translator.device")
        # A kernel of another library or number type may choose another word where two are all but equal.
        libraries = [f"{name} {version(name)}" for name in ("transformers", "torch", "tokenizers", "sentencex")]
        self._batch_tokens = settings.batch_tokens or (_CPU_BATCH if self._device == "cpu" else _GPU_BATCH)
        behaviour = [settings.beams, settings.max_length, self._batch_tokens]
        name = DEMO_MODEL if settings.model == DEMO_MODEL else self._found.title
        self.name = f"{name}@{self._found.revision[:12]} {sign(behaviour, self._device, self._dtype)[:8]}"
        self.signature = sign("nllb", 2, self.name, behaviour, self._device, self._dtype, libraries)

    def open(self) -> None:
        """Load tokenizer and weights."""
        # Imported here: torch takes seconds, and a command that translates nothing should not wait for it.
        import torch
        from safetensors import SafetensorError
        from transformers import AutoModelForSeq2SeqLM, AutoTokenizer
        from transformers.utils import logging

        # Its bars for loading would break ours.
        logging.disable_progress_bar()
        settings = self._settings
        place, options = self._found.place, self._found.options
        try:
            self._tokenizer: Any = AutoTokenizer.from_pretrained(place, **options)
            self._model: Any = AutoModelForSeq2SeqLM.from_pretrained(
                place, dtype=getattr(torch, self._dtype), attn_implementation="sdpa", **options
            ).eval().to(self._device)  # fmt: skip
        except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
            raise ModelError(
                f"translator.model {settings.model!r}: can't be loaded as a translation model: {first_line(error)}"
            ) from error

        codes: Any = self._tokenizer.convert_tokens_to_ids([known.flores for known in LANGUAGES.values()])
        if self._tokenizer.unk_token_id in codes or None in codes:
            raise ModelError(
                f"translator.model {settings.model!r}: its tokenizer lacks FLORES-200 language codes such as "
                f"{ENGLISH.flores!r}, so it is no NLLB model; {_ADVICE}"
            )

    def translate(
        self, sentences: Sequence[str], source: Language, target: Language, notify: Notify | None = None
    ) -> list[Hypothesis]:
        """A hypothesis for each sentence, in order.

        Sentences of like length go together, as many as `batch_tokens` allows; after running out of memory a
        batch is halved.
        """
        if not sentences:
            return []
        tokenizer = self._tokenizer
        tokenizer.src_lang = source.flores
        encoded: list[list[int]] = tokenizer(list(sentences), truncation=True, max_length=_LONGEST_SOURCE).input_ids
        hypotheses: list[Hypothesis | None] = [None] * len(sentences)
        done = 0
        for batch in self._batches([len(ids) for ids in encoded]):
            for index, hypothesis in zip(batch, self._generate([encoded[i] for i in batch], target), strict=True):
                cut = len(encoded[index]) >= _LONGEST_SOURCE
                hypotheses[index] = Hypothesis(hypothesis.text, hypothesis.ended and not cut)
            done += len(batch)
            if notify:
                notify(done, len(sentences))
        return [hypothesis for hypothesis in hypotheses if hypothesis is not None]

    def _batches(self, lengths: list[int]) -> Iterator[list[int]]:
        """Positions of sentences, the longest first: what does not fit fails at once."""
        budget = max(1, self._batch_tokens // self._settings.beams)
        order = sorted(range(len(lengths)), key=lambda index: (-lengths[index], index))
        start = 0
        while start < len(order):
            size = max(1, budget // lengths[order[start]])
            yield order[start : start + size]
            start += size

    def _generate(self, batch: list[list[int]], target: Language) -> list[Hypothesis]:
        import torch

        try:
            return self._generate_batch(batch, target)
        except (torch.OutOfMemoryError, RuntimeError) as error:
            if len(batch) == 1 or not _is_out_of_memory(error):
                raise
        # Outside the handler: the exception's frames would keep the batch's tensors alive.
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        half = len(batch) // 2
        return self._generate(batch[:half], target) + self._generate(batch[half:], target)

    def _generate_batch(self, batch: list[list[int]], target: Language) -> list[Hypothesis]:
        import torch

        tokenizer, model, settings = self._tokenizer, self._model, self._settings
        inputs = tokenizer.pad({"input_ids": batch}, return_tensors="pt").to(model.device)
        limits = [_longest_hypothesis(len(ids), settings.max_length) for ids in batch]
        with torch.inference_mode():
            output = model.generate(
                **inputs,
                forced_bos_token_id=tokenizer.convert_tokens_to_ids(target.flores),
                num_beams=settings.beams,
                do_sample=False,
                max_length=None,
                # The language code that the decoder is forced to begin with is a new token too.
                max_new_tokens=max(limits),
            ).tolist()
        hypotheses = []
        for ids, limit in zip(output, limits, strict=True):
            # Position 0 is the decoder's start token, which is </s> as well.
            end = ids.index(tokenizer.eos_token_id, 1) if tokenizer.eos_token_id in ids[1:] else len(ids)
            text = tokenizer.decode(ids[: min(end, limit + 1)], skip_special_tokens=True)
            hypotheses.append(Hypothesis(text.strip(), end < len(ids) and end <= limit + 1))
        return hypotheses


def _is_out_of_memory(error: BaseException) -> bool:
    import torch

    # The CPU's allocator raises a plain RuntimeError.
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)


def _find(settings: TranslatorSettings) -> Checkpoint:
    where = f"translator.model {settings.model!r}"
    embedded = settings.model == DEMO_MODEL
    return find_checkpoint(
        str(DEMO_FOLDER) if embedded else settings.model,
        revision=None if embedded else settings.revision,
        where=where,
        advice=_ADVICE,
        check=lambda architecture: _check_architecture(where, architecture),
        with_owner=True,
    )


def _check_architecture(key: str, architecture: str) -> None:
    if architecture not in _ARCHITECTURES:
        raise ModelError(f"{key}: is a {architecture!r} model, not NLLB (m2m_100); {_ADVICE}")
