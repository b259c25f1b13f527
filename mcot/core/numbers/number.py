"""What a number in a text is."""

from fractions import Fraction
from typing import NamedTuple

__all__ = ["Number"]


class Number(NamedTuple):
    """A number that stands in a text.

    Attributes:
        value: as written; 45 for "45%", the magnitude for "-5".
        start, end: where it stands in the text, in characters.
        text: ``text[start:end]``.
        certain: False for what is often no number: articles ("un"), "one of them", ordinals, "second".
        alternatives: other values that the same writing may have: 1.35 or 1350 for "1.350", 1/2 for "50%".
        ordinal: whether it is one, or may be: "third", "第3".
        definite: whether it refers back to what was said: "the 400-meter hurdles" "diese 5".
        factor: whether it says how many times: "three times", "twice", "3倍", "tres veces".
        pair: whether it is a word for two things that belong together: "pair", "couple".
    """

    value: Fraction
    start: int
    end: int
    text: str
    certain: bool = True
    alternatives: tuple[Fraction, ...] = ()
    ordinal: bool = False
    definite: bool = False
    factor: bool = False
    pair: bool = False
