"""How each language puts its number words together."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

__all__ = ["GRAMMARS", "Grammar"]

_NONE: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Grammar:
    """What may stand between the parts of a number.

    Attributes:
        tens: between a ten and a unit: "twenty-five", "treinta y cinco".
        hundreds: after a hundred or more: "two hundred and five".
        multiplied: before a multiplier: "two hundred".
        halves: between a whole and a fraction that is added: "2 and a half".
        parts: between a numerator and the name of the parts: "two thirds".
        largest_hundreds: up to how many hundreds are counted: "fifteen hundred" in English, పదిహేను వందలు.
        multiplier_first: whether the multiplier comes first: "mia mbili" (hundred two) is 200.
        unit_first: whether a unit comes before its number: "dola 20".
        twenties: whether 60 and 80 take the numbers to 19: "soixante et onze".
        ordinals: between the two words of an ordinal where it is no gap of `tens`: "vigésimo primero".
        added: what a word before a whole adds to it, or to its hundreds: সাড়ে তিন is 3 1/2, সাড়ে তিনশো 350.
        subtracted: fractions that are less than the whole before them: "moja kasorobo" is 3/4.
        people: finds a word that counts people and multiplies nothing: in ఇద్దరూ వంద, two share a hundred.
    """

    tens: frozenset[str] = _NONE
    hundreds: frozenset[str] = frozenset({" "})
    multiplied: frozenset[str] = frozenset({" "})
    halves: frozenset[str] = _NONE
    parts: frozenset[str] = frozenset({" ", "-"})
    largest_hundreds: int = 9
    multiplier_first: bool = False
    unit_first: bool = False
    twenties: bool = False
    ordinals: frozenset[str] = _NONE
    added: Mapping[str, Fraction] = field(default_factory=dict)
    subtracted: frozenset[str] = _NONE
    people: re.Pattern[str] | None = None


def _gaps(*gaps: str) -> frozenset[str]:
    return frozenset(gaps)


# সাড়ে তিন is 3 1/2, সোয়া তিন 3 1/4, পৌনে তিন 2 3/4. Most texts write one of the letters in one piece.
_BENGALI_ADDED = {
    form: added
    for word, added in (("সাড\u09bcে", Fraction(1, 2)), ("সোয\u09bcা", Fraction(1, 4)), ("পৌনে", Fraction(-1, 4)))
    for form in (word, word.replace("ড\u09bc", "\u09dc").replace("য\u09bc", "\u09df"))
}
_TELUGU_PEOPLE = re.compile("ద్దర|గ్గుర|గుర[ుూేి]|వ్వుర|రువుర|మంది")

GRAMMARS: dict[str, Grammar] = {
    "en": Grammar(
        tens=_gaps("-", " "),
        hundreds=_gaps(" ", " and ", "-", "-and-", ", "),
        multiplied=_gaps(" ", "-"),
        halves=_gaps(" and ", "-and-", "-and-a-", " and a "),
        largest_hundreds=99,
    ),
    "sw": Grammar(
        tens=_gaps(" na "),
        hundreds=_gaps(" na ", " ", ", "),
        halves=_gaps(" na "),
        multiplier_first=True,
        unit_first=True,
        subtracted=frozenset({"kasorobo", "kasoro robo"}),
    ),
    "bn": Grammar(hundreds=_gaps(" ", ""), multiplied=_gaps(" ", ""), largest_hundreds=99, added=_BENGALI_ADDED),
    "te": Grammar(
        tens=_gaps(" ", ""),
        hundreds=_gaps(" ", ""),
        multiplied=_gaps(" ", ""),
        largest_hundreds=99,
        people=_TELUGU_PEOPLE,
    ),
    "th": Grammar(tens=_gaps(""), hundreds=_gaps("", " "), multiplied=_gaps("", " "), halves=_gaps(""), parts=_NONE),
    "ja": Grammar(hundreds=_NONE, multiplied=_NONE, halves=_gaps(""), parts=_NONE),
    "zh": Grammar(hundreds=_NONE, multiplied=_NONE, halves=_gaps(""), parts=_NONE),
    "ru": Grammar(tens=_gaps(" "), halves=_gaps(" с ")),
    "es": Grammar(tens=_gaps(" y "), halves=_gaps(" y "), ordinals=_gaps(" ")),
    "fr": Grammar(
        tens=_gaps("-", " ", "-et-", " et "),
        hundreds=_gaps(" ", "-", " et "),
        multiplied=_gaps(" ", "-"),
        halves=_gaps(" et "),
        twenties=True,
    ),
    "de": Grammar(hundreds=_gaps(" ", " und "), halves=_gaps(" und ")),
}
