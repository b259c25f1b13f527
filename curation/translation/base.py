"""What every translator is."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from mcot.core.languages import Language

__all__ = ["Hypothesis", "Notify", "Translator"]

# Called with the number of sentences translated so far, and of all.
Notify = Callable[[int, int], None]


class Hypothesis(NamedTuple):
    """A translation of a sentence.

    Attributes:
        ended: whether the model ended it by itself; if not it was cut off, or the source was.
    """

    text: str
    ended: bool


class Translator(Protocol):
    """Translates sentences.

    Attributes:
        name: for the rows' `translator`: model, revision, signature of the settings.
        signature: everything that its output depends on.
    """

    name: str
    signature: str

    def open(self) -> None:
        """Load what is expensive."""

    def translate(
        self, sentences: Sequence[str], source: Language, target: Language, notify: Notify | None = None
    ) -> list[Hypothesis]:
        """A hypothesis for each sentence, in order."""
