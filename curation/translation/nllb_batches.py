"""What every way to run an NLLB checkpoint shares: sentences to tokens, batches, and tokens to hypotheses."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from typing import Any

from curation.translation.base import Hypothesis, Notify
from curation.translation.nllb_checkpoint import load_tokenizer, title
from mcot.core.checkpoints import Checkpoint
from mcot.core.languages import Language
from mcot.core.runs import sign
from mcot.core.settings import TranslatorSettings

__all__ = ["LONGEST_SOURCE", "BatchTranslator"]

# NLLB was trained on up to 512 tokens (its sinusoidal positions would take more).
LONGEST_SOURCE = 512
# Source tokens of a batch by default. On a CPU larger batches only make short sentences wait for long ones.
_CPU_BATCH, _GPU_BATCH = 2048, 16384
# What the allocators of torch and CTranslate2 say, on a CPU and on a GPU, besides their own kinds of exceptions.
_OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "failed to allocate", "bad_alloc", "ALLOC_FAILED")


def _longest_hypothesis(source_tokens: int, maximum: int) -> int:
    """Tokens that a hypothesis may have, the code of its language and the end among them.

    A translation that is longer than twice its source and some is a loop; without this one loop keeps a
    batch going to the full maximum. Each sentence has its own, whatever its batch goes to.
    """
    return min(maximum, 2 * source_tokens + 24)


class BatchTranslator(ABC):
    """An NLLB checkpoint that something runs, batch by batch.

    Args:
        settings: of the translator.
        found: the checkpoint.
        device: `cpu`, or what a GPU is called.
        numbers: what it is calculated in.
        engine: in the translator's name, after the model; nothing for transformers.
        libraries: the packages whose versions its output depends on.

    Attributes:
        name, signature: see `Translator`.
        gpus: how many GPUs, or what part of one, it takes.
    """

    _tokenizer: Any

    def __init__(
        self, settings: TranslatorSettings, found: Checkpoint, *,
        device: str, numbers: str, engine: Sequence[str], libraries: Sequence[str],
    ) -> None:  # fmt: skip
        self._settings, self._found, self._device = settings, found, device
        self.gpus = settings.gpu_share if device == "cuda" else 0.0
        self._batch_tokens = settings.batch_tokens or (_CPU_BATCH if device == "cpu" else _GPU_BATCH)
        behaviour = [settings.beams, settings.max_length, self._batch_tokens]
        self.name = " ".join([title(settings, found), *engine, sign(behaviour, device, numbers)[:8]])
        # A kernel of another library or number type may choose another word where two are all but equal.
        versions = [f"{package} {version(package)}" for package in libraries]
        self.signature = sign("nllb", 3, self.name, behaviour, device, numbers, versions)

    @abstractmethod
    def open(self) -> None:
        """Load tokenizer and weights."""

    @abstractmethod
    def _decode(self, batch: list[list[int]], target: Language, longest: int) -> list[list[int]]:
        """The tokens that follow the decoder's start: the language's code, the text, the end if it came."""

    def translate(
        self, sentences: Sequence[str], source: Language, target: Language, notify: Notify | None = None
    ) -> list[Hypothesis]:
        """A hypothesis for each sentence, in order.

        Sentences of like length go together, as many as `batch_tokens` allows; after running out of memory a
        batch is halved.
        """
        if not sentences:
            return []
        encoded = self._encode(sentences, source)
        hypotheses: list[Hypothesis | None] = [None] * len(sentences)
        done = 0
        for batch in self._batches([len(ids) for ids in encoded]):
            for index, hypothesis in zip(batch, self._generate([encoded[i] for i in batch], target), strict=True):
                cut = len(encoded[index]) >= LONGEST_SOURCE
                hypotheses[index] = Hypothesis(hypothesis.text, hypothesis.ended and not cut)
            done += len(batch)
            if notify:
                notify(done, len(sentences))
        return [hypothesis for hypothesis in hypotheses if hypothesis is not None]

    def open_tokenizer(self) -> None:
        """Load what `batches` needs: no weights."""
        self._tokenizer = load_tokenizer(self._found)

    def batches(self, sentences: Sequence[str], source: Language) -> list[list[int]]:
        """The places of the sentences that `translate` puts together; a batch of them given alone stays one."""
        return list(self._batches([len(ids) for ids in self._encode(sentences, source)])) if sentences else []

    def _encode(self, sentences: Sequence[str], source: Language) -> list[list[int]]:
        self._tokenizer.src_lang = source.flores
        encoded = self._tokenizer(list(sentences), truncation=True, max_length=LONGEST_SOURCE)
        return list(encoded.input_ids)

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
        limits = [_longest_hypothesis(len(ids), self._settings.max_length) for ids in batch]
        try:
            outputs = self._decode(batch, target, max(limits))
        except (RuntimeError, MemoryError) as error:
            if len(batch) == 1 or not _is_out_of_memory(error):
                raise
        else:
            return [self._read(ids, limit) for ids, limit in zip(outputs, limits, strict=True)]
        import torch

        # Outside the handler: the exception's frames would keep the batch's tensors alive.
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        half = len(batch) // 2
        return self._generate(batch[:half], target) + self._generate(batch[half:], target)

    def _read(self, ids: list[int], limit: int) -> Hypothesis:
        tokenizer = self._tokenizer
        end = ids.index(tokenizer.eos_token_id) if tokenizer.eos_token_id in ids else len(ids)
        text = tokenizer.decode(ids[: min(end, limit)], skip_special_tokens=True)
        return Hypothesis(text.strip(), end < min(len(ids), limit))


def _is_out_of_memory(error: BaseException) -> bool:
    return isinstance(error, MemoryError) or any(words in str(error) for words in _OUT_OF_MEMORY)
