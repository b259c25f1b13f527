"""Is the translation about as long as translations into its language are, and does it come to its end?

A truncated, a rambling or a half translated text shows in its length. What is compared is the number of
letters, digits and LaTeX aside: a solution of equations is copied by a translation as it stands, and would
pull every language's ratio to 1. Where there are equations, length counts for less.

A text cut short shows in its end too, however many numbers survive. A problem ends with its question: where
the source's last sentence is one, the translation has a question mark or asks with a word of its language
(Thai has no question mark, and others do without). Where the source ends with a full stop, so does the
translation, but for Thai, which has none; after a number it may be left out.

Measured on MGSM's human translations, 250 questions a language: none of 2,500 ends unlike its source, and one
is too long. Cut at 45% of their length, with no other check, 0.2% are kept.
"""

import math
import re
from typing import NamedTuple

import pyarrow as pa

from curation.checks.base import Observation, Part, Scored, score_parts
from mcot.core.reading import read

__all__ = ["PRIORS", "LengthCheck", "LengthPrior", "count_letters", "deviation", "lacks_end"]


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

# What a solution says around its equations may be put into far fewer words, and that no step is lost the equations
# themselves tell: its deviation counts by so much less. Of 30 GSM8K solutions translated anew into Chinese and Telugu,
# two and three were under 60% of the expected length, all complete.
WITH_EQUATIONS = 1.75

# The most that a text without its end scores: a doubt, as it may be complete and carelessly punctuated.
WITHOUT_END = 0.5
# Words of a text's end that a detail quotes.
_LONGEST_QUOTE = 40

_CLOSING = "\"'’”»)]}*_」』） \t\r\n "
_STOPS = ".!?…。！？．｡।॥"
_EQUATION = re.compile("[=＝]")
_QUESTION_MARK = re.compile("[?？]")
# How a problem asks: the language's interrogatives, and verbs that tell to find or to calculate. A word that
# makes other sentences too (French "que", German "wo") is of no use.
_ASKING = {
    "en": r"\b(?:how|what|which|who|whose|where|when|why|find|calculate|determine)\b",
    "sw": r"ngapi\b|\b(?:gani|nini|nani|wapi|lini|vipi|je|ipi|upi|yupi|zipi|tafuta|kokotoa|hesabu)\b",
    "bn": r"(?<!\S)(?:কত|কয়|কয়|কোন|কী|কেমন|নির্ণয়|গণনা|কি(?!\S))",
    "te": r"ఎన్న|ఎంత|ఎంద|ఏమి|ఏము|ఏది|ఏంట|ఎవర|ఎక్కడ|ఎప్పుడ|ఎలా|(?<!\S)ఏ(?!\S)|లెక్కించ|కనుగొన",
    "th": "กี่|เท่าไร|เท่าไหร่|เท่าใด|อะไร|ไหน|ใด|ไหม|มั้ย|หรือไม่|หรือเปล่า|ใคร|เมื่อไ|อย่างไร|ยังไง|จง|คำนวณ",
    "ja": "何|いくら|いくつ|どれ|どの|どこ|どちら|どう|誰|幾|いつで|求め|計算|か。|か$",
    "zh": "多少|几|幾|什么|多[大长远重高久快]|哪|谁|怎|何|吗|呢|求|计算",
    "ru": r"\bскольк|\bкак(?:ой|ая|ое|ие|ом|ую|ова?|ово|ого|им|их)\b|\bкто\b|насколько|\b(?:найди|вычисл|определ)",
    "es": r"¿|\b(?:cuánt|qué|cuál|quién|dónde|cuándo|cómo|calcul|determin|encuentr|hall|averigu|indi)",
    "fr": r"\b(?:combien|quel|est-ce|calcul|détermin|trouve)|-t-(?:il|elle|on)\b",
    "de": r"\b(?:wie ?viel|wie (?:alt|lang|groß|weit|hoch|oft|schwer|teuer|schnell)|berechne|bestimme|finde)"
    r"|(?-i:\b(?:Wie|Was|Welche|Wer|Wo|Wann)\b)",
}  # fmt: skip
_ASKS = {code: re.compile(pattern, re.IGNORECASE) for code, pattern in _ASKING.items()}


def count_letters(text: str) -> int:
    """The letters of a text, LaTeX, code, calculator marks and URLs aside. Combining vowel signs don't count."""
    return read(text).letters


def deviation(source_letters: int, letters: int, language: str) -> float:
    """How far a translation's length is from the expected, in natural logarithms: 0 as expected, -0.69 half of it.

    Short texts vary more: the variance of a length grows with the length itself (Gale & Church 1993,
    Computational Linguistics 19:1), so the standard deviation of a ratio's logarithm goes with
    1 / sqrt(length). For a source of fewer letters than MGSM's typical question, the deviation is divided
    by sqrt(typical / letters). Both lengths must be positive.
    """
    value = math.log(letters / source_letters) - PRIORS[language].median
    return value / math.sqrt(max(1.0, TYPICAL_LETTERS / source_letters))


def lacks_end(source: str, text: str, language: str) -> bool:
    """Whether a text of a language breaks off before its English source's last sentence ends."""
    source, text = source.rstrip(_CLOSING), text.rstrip(_CLOSING)
    if source[-1:] not in ".!?" or not text:
        return False
    if source[-1] == "?":
        return not _QUESTION_MARK.search(text) and not _ASKS[language].search(text)
    if language == "th" or text[-1] in _STOPS:
        return False
    return not (text[-1].isdigit() and source.rstrip(_STOPS)[-1:].isdigit())


class LengthCheck:
    """Scores exp(-|deviation|): 1 for a text of the expected length, 0.5 for one cut in half or doubled.

    A text that breaks off scores 0.5 at most. Observes `length.short` and `length.long` where the deviation is
    an outlier, a modified z-score beyond 3.5, and `length.short` where the end is missing, quoting what stands
    there. A source without letters has no score.
    """

    name = "length"

    def __init__(self) -> None:
        self.signature = (
            f"length|unit:letters|priors:mgsm|mad:{SMALLEST_MAD}|outlier:{OUTLIER}|without_end:{WITHOUT_END}|version:3"
        )

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
        if part == "rationale" and _EQUATION.search(source) and _EQUATION.search(text):
            value /= WITH_EQUATIONS
        prior = PRIORS[language]
        observations = []
        if NORMAL_MAD * abs(value) / max(prior.mad, SMALLEST_MAD) > OUTLIER:
            share = letters / (source_letters * math.exp(prior.median))
            reason = "length.short" if value < 0 else "length.long"
            observations.append(Observation(reason, part, f"{100 * share:.0f}% of the expected length"))
        score = math.exp(-abs(value))
        if lacks_end(source, text, language):
            score = min(score, WITHOUT_END)
            end = " ".join(text.split())[-_LONGEST_QUOTE:]
            what = "question" if source.rstrip(_CLOSING).endswith("?") else "full stop"
            observations.append(Observation("length.short", part, f'lacks the {what} at its end: "\u2026{end}"'))
        return score, observations
