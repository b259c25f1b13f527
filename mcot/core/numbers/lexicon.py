"""A language's number words, and one regular expression that finds numbers in its texts."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

import yaml

from mcot.core.languages import get_language
from mcot.core.numbers.digits import FRACTION_SIGNS, digits_pattern, exact
from mcot.core.numbers.ideographs import NUMERALS, SPOKEN_DECIMAL, ideographs_pattern, is_numeral

__all__ = ["Kind", "Lexicon", "Word", "load_lexicon", "one_case"]

FOLDER = Path(__file__).parents[1] / "number_words"
# PyYAML has the one in C where it was built with libyaml, and is ten times as fast then: 11 tables take 1 s without.
_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Kind = Literal[
    "cardinal", "multiplier", "fraction", "multiplicative", "ordinal", "denominator", "implied", "digits", "none"
]
# A word of several kinds ("third") has the first one's value, the others' are its alternatives.
_KINDS: tuple[tuple[str, Kind], ...] = (
    ("cardinals", "cardinal"),
    ("multipliers", "multiplier"),
    ("fractions", "fraction"),
    ("multiplicatives", "multiplicative"),
    ("ordinals", "ordinal"),
    ("denominators", "denominator"),
    # What another language may say with a number: noon (12), a dime (10). It is never put together with others.
    ("implied", "implied"),
)
# Where nouns and endings are written together with the number before them.
_GLUING = frozenset({"bn", "te"})
_SHORTEST_PREFIX = 3
# So many characters of a word tell that it may be a number: 9 words of 10 are passed over by them.
_TELLING_CHARACTERS = 4
# "twice", "ninefold"; what a word of this kind says beyond it is a dozen, a score, a hundred.
_LARGEST_FACTOR_WORD = 9
# What letters continue a word. Python's \w leaves out the vowel signs of Bengali and Telugu.
_LETTERS = {
    "Latn": "a-zß-öø-ɏ",
    "Cyrl": "а-яё",
    "Beng": "\u0980-\u09e5\u09f0-\u09ff\u200c\u200d",
    "Telu": "\u0c00-\u0c65\u0c70-\u0c7f\u200c\u200d",
}
# The vowels and tones of Thai that stand above or below a letter: ห้าม้วน is five rolls, and begins with no ห้าม.
_MARKS = "\u0e31\u0e34-\u0e3a\u0e47-\u0e4e"
# Unicode's normal form never holds these Bengali letters, most texts do.
_PRECOMPOSED = {"য\u09bc": "\u09df", "ড\u09bc": "\u09dc", "ঢ\u09bc": "\u09dd"}


class Word(NamedTuple):
    """What a number word is worth."""

    kind: Kind
    value: Fraction
    certain: bool = True
    alternatives: tuple[Fraction, ...] = ()
    ordinal: bool = False
    factor: bool = False
    pair: bool = False


@dataclass(frozen=True, slots=True)
class Lexicon:
    """What `mcot.core.numbers.reader` needs to know of a language.

    Attributes:
        words: by their writing in lower case.
        pattern: finds numbers and passes over what stands before each; its group `digits`, `word`, `run` (of
            ideographs), `spoken` (三点五), `fused` (a compound written as one word) or `derived` (a word that begins
            with a numeral) says what was found, and where; none, if nothing was.
        counters: finds a counter word right after an ideograph.
        times: finds what makes a factor of the number before it: "times", "倍".
        times_before: what makes a factor of the number after it: "mara ".
        fewer: finds what turns a factor before it round: " times less".
        definite: what before a number refers back: "those ", "diese ".
        definite_after: finds the same after a number, where the language puts it there.
        morphemes: parts of fused compounds, with their values.
        prefixes: beginnings of derived words, with their values.
        names: words that are people's names where they have a capital letter and count nothing.
        units: by their English names, regular expressions of what the unit's names begin with.
        before_unit: a regular expression of what may stand between a fraction and its unit: "half an hour".
    """

    language: str
    words: Mapping[str, Word]
    pattern: re.Pattern[str]
    counters: re.Pattern[str]
    times: re.Pattern[str]
    times_before: tuple[str, ...]
    fewer: re.Pattern[str] | None
    definite: tuple[str, ...]
    definite_after: re.Pattern[str] | None
    morphemes: Mapping[str, Fraction]
    prefixes: Mapping[str, Fraction]
    names: frozenset[str]
    units: Mapping[str, str]
    before_unit: str


def one_case(text: str) -> str:
    """The text in lower case, character by character: places stay the same."""
    lower = text.lower()
    if len(lower) == len(text):
        return lower
    return "".join(small if len(small := character.lower()) == 1 else character for character in text)


def _passed_over(words: Sequence[str], letters: str | None, *, ideographic: bool) -> tuple[str, str]:
    """What a search passes over: all that begins no number, and what began like one and is none.

    Args:
        words: all that a number in words may begin with.
        letters: what words are made of, in a language that separates them: a word is passed over as a whole.
        ideographic: whether ideographs are numbers.
    """
    signs = "0-9" + "".join(FRACTION_SIGNS) + (NUMERALS if ideographic else "")
    first = "." + signs + re.escape("".join(sorted({word[0] for word in words})))
    beginnings = _trie({word[:_TELLING_CHARACTERS] for word in words})
    if letters:
        return rf"(?!{beginnings})[{letters}]++|[^{letters}{first}]++|\.(?![0-9])", f"[{letters}]++|(?s:.)"
    return rf"[^{first}]++|\.(?![0-9])|(?!{beginnings}|[.{signs}])(?s:.)", "(?s:.)"


@cache
def load_lexicon(language: str) -> Lexicon:
    """The lexicon of a language. Raises `UserError` for an unknown language."""
    script = get_language(language).script
    text = (FOLDER / f"{language}.yaml").read_text("utf-8")
    table: dict[str, Any] = yaml.load(text, Loader=_LOADER)  # noqa: S506 either is a safe one
    words = _read_words(table)
    ideographic = language in ("ja", "zh")
    # Ideographs are read as a whole: of 第十三, 第十 is no word.
    listed = [word for word in words if not (ideographic and is_numeral(word.removeprefix("第")))]
    letters = _LETTERS.get(script)
    # A word ends with its letters, and none ends between a letter and the marks above or below it.
    start, end = (f"(?<![{letters}])", f"(?![{letters}])") if letters else ("", f"(?![{_MARKS}])")
    morphemes = {str(key): Fraction(value) for key, value in table.get("morphemes", {}).items()}
    prefixes = {str(key): Fraction(value) for key, value in table.get("prefixes", {}).items()}
    if language in _GLUING:
        prefixes |= {
            text: word.value
            for text, word in words.items()
            if word.kind != "none" and len(text) >= _SHORTEST_PREFIX + word.ordinal and " " not in text
        }
    parts = [f"(?P<spoken>{SPOKEN_DECIMAL})"] if language == "zh" else []
    parts.append(f"(?P<word>{start}{_trie(listed)}{end})")
    if ideographic:
        # Digits with a scale (3万) come before plain digits.
        parts.append(f"(?P<run>{ideographs_pattern()})")
    parts.append(f"(?P<digits>{digits_pattern(language)})")
    if morphemes:
        one = _trie(morphemes)
        # What ends a word, but for its ending, and what a word goes on with: "Fünftagewoche", "Vierergruppe".
        last, middle = ("|".join(map(re.escape, table.get(key, ()))) or "(?!)" for key in ("suffixes", "compounded"))
        tail = rf"(?:{last})[{letters}]{{0,3}}|(?:{middle})[{letters}]{{0,14}}"
        # Atomic: "dreizehn" may be read as one morpheme or two, and trying both would take exponential time.
        parts.append(f"(?P<fused>{start}(?>{one}(?:und|{one})*)(?:{tail})?{end})")
    if prefixes:
        parts.append(f"(?P<derived>{start}{_trie(prefixes)}[{letters}]{{2,}})")
    passed, broken_off = _passed_over([*listed, *morphemes, *prefixes], letters, ideographic=ideographic)
    counters = "|".join(map(re.escape, table.get("counters", ()))) or "(?!)"
    return Lexicon(
        language,
        words,
        # Possessive: what was passed over is not looked at again.
        re.compile(rf"(?:{passed})*+(?:{'|'.join(parts)}|{broken_off}|\Z)"),
        counters=re.compile(rf"[ ]?(?:{counters})"),
        times=re.compile(rf"[ \xa0-]?(?:{'|'.join(map(re.escape, table['times']))})"),
        times_before=tuple(table.get("times_before", ())),
        fewer=re.compile(table["fewer"]) if "fewer" in table else None,
        definite=tuple(table["definite"]),
        definite_after=re.compile(table["definite_after"]) if "definite_after" in table else None,
        morphemes=morphemes,
        prefixes=prefixes,
        names=frozenset(table.get("names", ())),
        units=table["units"],
        before_unit=table["before_unit"],
    )


def _read_words(table: Mapping[str, Any]) -> dict[str, Word]:
    ambiguous = set(map(str, table.get("ambiguous", ())))
    pairs = set(map(str, table.get("pairs", ())))
    words: dict[str, Word] = {}
    for key, kind in _KINDS:
        for text, written in (table.get(key) or {}).items():
            value = exact(*Fraction(str(written)).as_integer_ratio())
            known = words.get(text)
            if known is None:
                # "Four degrees below zero" is -4 too, and "zero dollars" are none.
                certain = kind not in ("ordinal", "denominator", "implied") and value > 0 and text not in ambiguous
                pair = text in pairs
                factor = kind == "multiplicative" and 1 < value <= _LARGEST_FACTOR_WORD and not pair
                words[text] = Word(kind, value, certain, (), kind == "ordinal", factor, pair)
            elif value != known.value:
                alternatives = (*known.alternatives, value)
                words[text] = known._replace(alternatives=alternatives, ordinal=kind == "ordinal")
    for text in table.get("not_numbers", ()):
        words[str(text)] = Word("none", Fraction(0), certain=False)
    return {variant: word for text, word in words.items() for variant in _variants(str(text))}


def _variants(word: str) -> set[str]:
    """The ways in which Unicode may write a word."""
    composed = unicodedata.normalize("NFC", one_case(word)).replace("’", "'")
    precomposed = composed
    for decomposed, letter in _PRECOMPOSED.items():
        precomposed = precomposed.replace(decomposed, letter)
    return {composed, precomposed, unicodedata.normalize("NFD", composed)}


def _trie(words: Iterable[str]) -> str:
    """A regular expression that matches the longest of the words; its time doesn't grow with their number."""
    root: dict[str, Any] = {}
    for word in words:
        node = root
        for character in word:
            node = node.setdefault(character, {})
        node[""] = {}
    return _trie_pattern(root)


def _literal(character: str) -> str:
    return "[ \\xa0]" if character == " " else re.escape(character)


def _trie_pattern(node: dict[str, Any]) -> str:
    branches = []
    for character in sorted(filter(None, node)):
        text, below = _literal(character), node[character]
        while len(below) == 1 and "" not in below:
            ((following, below),) = below.items()
            text += _literal(following)
        branches.append(text if list(below) == [""] else text + _trie_pattern(below))
    if not branches:
        return ""
    singles = [branch for branch in branches if len(branch) == 1]
    if len(singles) > 1:
        branches = [f"[{''.join(singles)}]", *(branch for branch in branches if len(branch) > 1)]
    if len(branches) == 1 and "" not in node:
        return branches[0]
    return f"(?:{'|'.join(branches)}){'?' if '' in node else ''}"
