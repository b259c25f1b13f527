"""Places where a number must have stood and none does: half a fraction, a unit or counter word with nothing before it.

Such a place shows a loss that the values alone do not: where the same number stands elsewhere in the text, or where
it was a 1, which languages may leave out.
"""

import re
from collections.abc import Sequence

from mcot.core.numbers.hole_patterns import HOLES
from mcot.core.numbers.number import Number

__all__ = ["find_holes"]

# "/4 of" and "1/ of". A stroke between other things divides ("12 /4 = 3", "x /2", "km/h") or offers a choice.
_STROKE = re.compile(
    r"(?<![^\s(（「“\"])(?<![\d)\]}%=*+×÷/²³$€£<>-]\s)(?<!\b[b-df-nq-xzB-Z]\s)/(?!0)\d{1,3}"
    r"(?![\d.,/]*\d)(?!\s?[=+*×÷/<)-])"
    r"|(?<![\d/.,])(?!0)\d{1,3}/(?=\s+[^\W\d]|\s*[。，、]|\s?[.,;?!]?$)"
    # Beside ideographs and kana, which no space parts from it; "5元/3个" and "$3/磅" are prices.
    r"|(?<=[ぁ-ヶ一-龠])(?<!\d[ぁ-ヶ一-龠])(?<!\d[ぁ-ヶ一-龠][ぁ-ヶ一-龠])/(?!0)\d{1,3}(?![\d.,/]*\d)(?=\s?[^\W\d_])"
    r"|(?<![\d/.,$€£¥])(?!0)\d{1,3}/(?=[ぁ-ヶ一-龠])"
)
# "kwa wiki ." among marks that stand where they should; Thai has no marks, Japanese and Chinese have their own.
# Found from the mark on: words may be as long as a text.
_BEFORE_MARK = re.compile(r"(?<=[^\W\d_]) [.,](?=\s|$)|(?<=[\u0980-\u09e3\u0c00-\u0c63]) [.,](?=\s|$)")
_MARK = re.compile(r"[^\W_][.,](?=\s|$)")
_WITHOUT_MARKS = frozenset({"th", "ja", "zh"})
# Of 17:30 one side; a colon after any other number introduces something.
_TIME_WORDS = (
    r"[ap]\.?\s?m\b|uhr\b|h\b|น\.|โมง|ถึง|до\b|и\b|утра|вечера|дня|to\b|bis\b|à\b|hasta\b|గంట|నుం|వర|টা|থেকে|পর্যন্ত"
    r"|から|まで|に|到|至|点|时|na\b|hadi\b|asubuhi|mchana|jioni|usiku"
)
_CLOCK = re.compile(
    rf"(?<![\d:.,])[0-9]{{1,2}}:(?=\s*(?:$|[.?!।。]|(?:{_TIME_WORDS})))|(?<![^\s(（])(?<!\d\s):[0-5][0-9](?![\d:])",
    re.IGNORECASE,
)
_SOURCE_CLOCK = re.compile(r"\d:[0-5]\d|\d ?[ap]\.?m\b|o'clock", re.IGNORECASE)
_CURRENCY = re.compile(r"[$€£¥₹৳](?![^\Wぁ-ヶ一-龠]|\\)")
# "How many $", "in $": the sign is the name of the currency.
_CURRENCY_NAMED = re.compile(
    r"(?:how (?:many|much)|viele?|combien de|cuántos|сколько|কত|ngapi|ఎన్ని|กี่|多少|几|何|いくら"
    r"|[(（/]|\b(?:in|en|в|us|per|pro))\s?$",
    re.IGNORECASE,
)
_AFTER_CURRENCY = re.compile(r"[\s\xa0]?[\d.,?_()（）<=\-−]|\s*(?:\n|$)")
_NEAR = 16
_MARKS = " \xa0\n、。，．；「」『』（）()"


def find_holes(text: str, language: str, source: str = "", numbers: Sequence[Number] = ()) -> list[str]:
    """What of a translation counts nothing: "/4", "17:", "-stündig", "個".

    Args:
        text: the translation.
        language: ISO 639-1, its own.
        source: what it is a translation of; what stands there alike is no loss.
        numbers: what `read_numbers` found in the text.
    """
    places: dict[int, str] = {}
    for signs, pattern in HOLES.get(language, ()):
        if not signs or any(sign in text for sign in signs):
            # By where they end: two patterns may see the same.
            places.update((match.end(), match[0].strip(_MARKS)) for match in pattern.finditer(text))
    found = list(places.values())
    if (" ." in text or " ," in text) and language not in _WITHOUT_MARKS and _MARK.search(text):
        found += _before_marks(text)[len(_BEFORE_MARK.findall(source)) :]
    if "/" in text:
        found += _beyond(_STROKE, text, source)
    if ":" in text and _SOURCE_CLOCK.search(source):
        found += _beyond(_CLOCK, text, source)
    if _CURRENCY.search(text) and "\\" not in text:
        found += _without_amount(text, numbers)[len(_without_amount(source, ())) if source else 0 :]
    return found


def _beyond(pattern: re.Pattern[str], text: str, source: str) -> list[str]:
    """What a pattern finds in a text, but for as many as it finds in the source."""
    found = [match[0].strip() for match in pattern.finditer(text)]
    return found[sum(1 for _ in pattern.finditer(source)) :] if found else found


def _before_marks(text: str) -> list[str]:
    """Marks with a space before them, and the word before that."""
    return [
        text[max(0, match.start() - _NEAR) : match.start()].rsplit(maxsplit=1)[-1] + match[0]
        for match in _BEFORE_MARK.finditer(text)
    ]


def _without_amount(text: str, numbers: Sequence[Number]) -> list[str]:
    """Signs of currency with no number on either side."""
    starts, ends = {number.start for number in numbers}, {number.end for number in numbers}
    return [
        match[0]
        for match in _CURRENCY.finditer(text)
        if not (
            _AFTER_CURRENCY.match(text, match.end())
            or text[max(0, match.start() - 2) : match.start()].strip(" \xa0")[-1:].isdigit()
            or not ends.isdisjoint(range(match.start() - 2, match.start() + 1))
            or not starts.isdisjoint(range(match.end(), match.end() + 3))
            or _CURRENCY_NAMED.search(text, max(0, match.start() - _NEAR), match.start())
        )
    ]
