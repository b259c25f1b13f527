"""Is the translation in its language?

The score is the probability of the expected language among the eleven (`mcot.core.language_id`).

Measured on MGSM's human translations, 250 questions a language: scores >= 0.7 have all but one of the
Russian (0.699). Scored as any of the other languages, English copies included, none of 25,000 reaches 0.3.
"""

from collections.abc import Iterator, Sequence

import pyarrow as pa

from curation.checks.base import Observation, Outcome, Part, Scored, score_parts_together
from mcot.core.language_id import BUILT_IN_MODEL, LanguageIdentifier, Text
from mcot.core.languages import LANGUAGES

__all__ = ["LanguageCheck"]

# Probabilities add up to one, or by fastText's rounding to a little more.
_BEYOND_OTHERS = 0.51


class LanguageCheck:
    """Scores the probability of a text's expected language among the eleven, 0 to 1.

    A text without letters (an equation alone) has no score. Where another language is likelier, observes
    `language.wrong` with that language and its probability.

    Args:
        model: what `LanguageIdentifier` takes.

    Raises:
        ModelError: `model` is neither a file nor looks like one of the Hub.
    """

    name = "language"

    def __init__(self, model: str = BUILT_IN_MODEL) -> None:
        self._identifier = LanguageIdentifier(model)
        self.signature = f"language|{self._identifier.signature}"

    def open(self) -> None:
        """Load the model, from the Hub where it is there.

        Raises:
            ModelError: it can't be had, is no fastText model, or doesn't know the languages.
        """
        self._identifier.open()

    def score(self, table: pa.Table) -> Scored:
        """Score question and rationale of every row."""
        return score_parts_together(
            table,
            lambda part: [part],
            self._score,
            name=self.name,
            optional=lambda part: [f"source_{part}", "rationale" if part == "question" else "question"],
        )

    def _score(self, texts: Sequence[Text], languages: Sequence[str], part: Part) -> Iterator[Outcome]:
        for found, language in zip(self._identifier.probabilities(texts), languages, strict=True):
            if not found:
                yield None, []
                continue
            score = min(found.get(language, 0.0), 1.0)
            top = language if score > _BEYOND_OTHERS else max(found, key=lambda code: found[code])
            if top == language:
                yield score, []
                continue
            name = LANGUAGES[top].name if top in LANGUAGES else top
            yield score, [Observation("language.wrong", part, f"looks like {name} ({min(found[top], 1.0):.2f})")]
