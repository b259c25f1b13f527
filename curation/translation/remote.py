"""A translator whose batches are translated by others: the same batches, so the same translations."""

from collections.abc import Callable, Iterator, Sequence
from threading import Lock
from typing import Any, Protocol, runtime_checkable

from curation.translation.base import Hypothesis, Notify, Translator
from mcot.core.languages import Language, get_language

__all__ = ["Batching", "RemoteTranslator", "TranslationWorker"]


@runtime_checkable
class Batching(Translator, Protocol):
    """A translator that can say which sentences it would put together.

    Attributes:
        gpus: how many GPUs, or what part of one, it takes where it is opened; 0 for a CPU.
    """

    gpus: float

    def open_tokenizer(self) -> None:
        """Load what `batches` needs."""

    def batches(self, sentences: Sequence[str], source: Language) -> list[list[int]]:
        """The places of the sentences of each batch. Given a batch alone, the same batch comes of it."""


class TranslationWorker:
    """A translator where the work is done (`mcot.core.engines.Worker`)."""

    def __init__(self, translator: Translator) -> None:
        self._translator = translator
        self.gpus = translator.gpus if isinstance(translator, Batching) else 0.0

    def open(self) -> None:
        """Load the model."""
        self._translator.open()

    def work(self, sentences: Sequence[str], source: str, target: str) -> list[Hypothesis]:
        """The hypotheses of a batch."""
        return self._translator.translate(sentences, get_language(source), get_language(target))


class RemoteTranslator:
    """Sends a translator's batches to workers. Several threads may use it at once.

    Args:
        translator: whose batches they are; its model is not loaded here.
        call: does jobs of `TranslationWorker.work`, and gives their results in order.

    Attributes:
        name, signature: the translator's.
    """

    def __init__(self, translator: Translator, call: Callable[[Sequence[tuple[Any, ...]]], Iterator[Any]]) -> None:
        self._translator, self._call = translator, call
        self.name, self.signature = translator.name, translator.signature
        # A tokenizer is told its language before it is used.
        self._lock = Lock()

    def open(self) -> None:
        """Load what is needed to make batches."""
        if isinstance(self._translator, Batching):
            self._translator.open_tokenizer()

    def translate(
        self, sentences: Sequence[str], source: Language, target: Language, notify: Notify | None = None
    ) -> list[Hypothesis]:
        """A hypothesis for each sentence, in order."""
        batches = self._batches(sentences, source)
        jobs = [([sentences[place] for place in batch], source.code, target.code) for batch in batches]
        hypotheses: dict[int, Hypothesis] = {}
        for batch, results in zip(batches, self._call(jobs), strict=True):
            hypotheses.update(zip(batch, results, strict=True))
            if notify:
                notify(len(hypotheses), len(sentences))
        return [hypotheses[place] for place in range(len(sentences))]

    def _batches(self, sentences: Sequence[str], source: Language) -> list[list[int]]:
        if not isinstance(self._translator, Batching):
            return [list(range(len(sentences)))] if sentences else []
        with self._lock:
            return self._translator.batches(sentences, source)
