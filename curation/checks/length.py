"""Is the translation about as long as translations into its language are?

A truncated, a rambling or a half translated text shows in its length. What is compared is the number of
letters, digits and LaTeX aside: a solution of equations is copied by a translation as it stands, and would
pull every language's ratio to 1.
"""

import math
import re
from typing import NamedTuple

import pyarrow as pa

from curation.checks.base import Observation, Part, Scored, score_parts
from curation.checks.language import prose

__all__ = ["PRIORS", "LengthCheck", "LengthPrior", "count_letters", "deviation"]


class LengthPrior(NamedTuple):
    """How long translations from English are.

    Attributes:
        median: of the natural logarithm of letters of the translation / letters of the source.
        mad: median absolute deviation of the same.
    """

    median: float
    mad: float


# MGSM (Shi et al. 2022): 250 GSM8K questions and their human translations; made by benchmarks/length_priors.py.
PRIORS: dict[str, LengthPrior] = {
    "sw": LengthPrior(0.140, 0.071),
    "bn": LengthPrior(-0.429, 0.093),
    "te": LengthPrior(-0.409, 0.081),
    "th": LengthPrior(-0.182, 0.095),
    "ja": LengthPrior(-0.614, 0.122),
    "zh": LengthPrior(-1.017, 0.092),
    "ru": LengthPrior(0.057, 0.078),
    "es": LengthPrior(0.080, 0.065),
    "fr": LengthPrior(0.109, 0.084),
    "de": LengthPrior(0.151, 0.066),
}
# The median of the source letters of those questions: what the priors' spread holds for.
TYPICAL_LETTERS = 168
# One set of translators spreads less than the many models and domains that are checked against it.
SMALLEST_MAD = 0.08
# The modified z-score and its cut-off (Iglewicz & Hoaglin 1993): 0.6745 MAD is a normal's standard deviation.
NORMAL_MAD = 0.6745
OUTLIER = 3.5

_LETTERS = re.compile(r"[^\W\d_]+")


def count_letters(text: str) -> int:
    """The letters of a text, LaTeX, code, calculator marks and URLs aside. Combining vowel signs don't count."""
    return len("".join(_LETTERS.findall(prose(text))))


def deviation(source_letters: int, letters: int, language: str) -> float:
    """How far a translation's length is from the expected, in natural logarithms: 0 as expected, -0.69 half of it.

    Short texts vary more: the variance of a length grows with the length itself (Gale & Church 1993,
    Computational Linguistics 19:1), so the standard deviation of a ratio's logarithm goes with
    1 / sqrt(length). For a source of fewer letters than MGSM's typical question, the deviation is divided
    by sqrt(typical / letters). Both lengths must be positive.
    """
    value = math.log(letters / source_letters) - PRIORS[language].median
    return value / math.sqrt(max(1.0, TYPICAL_LETTERS / source_letters))


class LengthCheck:
    """Scores exp(-|deviation|): 1 for a text of the expected length, 0.5 for one cut in half or doubled.

    Observes `length.short` and `length.long` where the deviation is an outlier: a modified z-score beyond
    3.5. A source without letters has no score.
    """

    name = "length"

    def __init__(self) -> None:
        self.signature = f"length|unit:letters|priors:mgsm|mad:{SMALLEST_MAD}|outlier:{OUTLIER}|version:1"

    def open(self) -> None:
        """Nothing to load."""

    def score(self, table: pa.Table) -> Scored:
        """Score question and rationale of every row."""
        return score_parts(table, lambda part: [f"source_{part}", part], self._score, name=self.name)

    def _score(self, source: str, text: str, *, language: str, part: Part) -> tuple[float | None, list[Observation]]:
        source_letters, letters = count_letters(source), count_letters(text)
        if not source_letters:
            return None, []
        if not letters:
            return 0.0, [Observation("length.short", part, "no letters at all")]
        value = deviation(source_letters, letters, language)
        prior = PRIORS[language]
        observations = []
        if NORMAL_MAD * abs(value) / max(prior.mad, SMALLEST_MAD) > OUTLIER:
            share = letters / (source_letters * math.exp(prior.median))
            reason = "length.short" if value < 0 else "length.long"
            observations.append(Observation(reason, part, f"{100 * share:.0f}% of the expected length"))
        return math.exp(-abs(value)), observations
