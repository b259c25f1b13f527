"""What several checks need of a text, found once: its prose, its letters by script, its names.

Letters are counted for many texts at once, one look-up a character in a table of Unicode. `expect` tells what a table
has, which the first `read` of any of it reads; a text that nobody expected is read alone, at some ten times the cost.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import chain, pairwise

import numpy as np
from numpy.typing import NDArray

__all__ = ["LATIN_WORD", "SCRIPTS", "Reading", "expect", "is_alphanumeric", "prose", "read"]

# Bounded where many beginnings could each look for their end through a megabyte; an address has 64 characters
# at most before its "@" (RFC 5321).
_NOT_PROSE = re.compile(
    r"```.*?```|`[^`\n]*`|<<[^<>\n]*>>|https?://\S+|www\.\S+|[^\s@]{1,64}@[^\s@]+\.\w+"
    r"|\$\$.+?\$\$|\\\[.{1,1000}?\\\]|\\\(.{1,1000}?\\\)|\$(?=[^$\n]*[\\^_{=])[^$\n]*?[^\s$\\]\$(?!\d)"
    r"|\\[A-Za-z]+(?:\{[^{}\n]*\})*",
    re.DOTALL,
)
_OTHER_THAN_PROSE = ("<<", "`", "\\", "@", "$$", "http", "www.")
# What LaTeX between two dollar signs has; "$5 and $6" has none of it.
_LATEX = re.compile(r"\$[^$]*[\\^_{=]")
_LATIN_LETTERS = "A-Za-z\u00aa\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e00-\u1eff"
# Letters and the marks that belong to them; white space, signs and digits aside. The second value is how
# much of a text each stands for, in letters of English: letters of MGSM's English questions over those of
# the translations. A Chinese character says what nearly three Latin letters say.
SCRIPTS: dict[str, tuple[re.Pattern[str], float]] = {
    "Latn": (re.compile(f"[{_LATIN_LETTERS}]+"), 1.0),
    "Beng": (re.compile("[\u0980-\u09e3\u09f0\u09f1\u09fc-\u09fe]+"), 0.95),
    "Telu": (re.compile("[\u0c00-\u0c63]+"), 0.85),
    "Thai": (re.compile("[\u0e01-\u0e3a\u0e40-\u0e4e]+"), 0.95),
    "Cyrl": (re.compile("[\u0400-\u0481\u048a-\u052f]+"), 0.95),
    "Kana": (re.compile("[\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\uff66-\uff9d]+"), 1.9),
    "Hani": (re.compile("[\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af]+"), 2.8),
}
# Two or more letters: a single one is a variable or a unit, and says nothing about the language.
LATIN_WORD = re.compile(f"[{_LATIN_LETTERS}]{{2,}}")
_CAPITALS = "".join(
    letter for letter in re.findall(f"[{_LATIN_LETTERS}]", "".join(map(chr, range(0x1F00)))) if letter.isupper()
)
_NAME = re.compile(f"[{_CAPITALS}][{_LATIN_LETTERS}]+")
_NAME_OR_VARIABLE = re.compile(
    f"(?<![{_LATIN_LETTERS}])(?:[A-Z\u00c0-\u00d6\u00d8-\u00de][{_LATIN_LETTERS}]*|[{_LATIN_LETTERS}](?![{_LATIN_LETTERS}]))"
)
_SENTENCE_END = re.compile(r"[.?!:;\n](?:(?<=\n)|[\"')\u00bb\u201d]*\s)")
_LETTER = re.compile(r"[^\W\d_]+")
_ALPHANUMERIC = re.compile(r"[^\W_]+")

# Characters of the texts that are counted at once, for which a core's cache has room, and of those whose readings are
# kept.
_BATCH = 1 << 16
_REMEMBERED = 1 << 21
# Behind the last ideographs of Unicode 16 come tags, variation selectors and what is for private use: no letters.
_CODE_POINTS, _LAST_LETTER = 0x110000, 0x323AF


def prose(text: str) -> str:
    """The text, composed (NFC), without code, LaTeX, calculator marks, URLs and addresses."""
    return _proses([text])[0]


def _proses(texts: Sequence[str]) -> list[str]:
    composed = [text if text.isascii() else unicodedata.normalize("NFC", text) for text in texts]
    # Most signs are in none of the texts.
    together = "\n".join(composed)
    signs = [sign for sign in _OTHER_THAN_PROSE if sign in together]
    if not signs and "$" not in together:
        return composed
    return [
        _NOT_PROSE.sub(" ", text)
        if any(sign in text for sign in signs) or ("$" in text and _LATEX.search(text))
        else text
        for text in composed
    ]


class Reading:
    """A text, and what there is in it.

    Attributes:
        text: as written.
        prose: see `prose`; what follows is of the prose.
        scripts: those of `SCRIPTS` that it has letters of.
        letters: how many there are, of any script. Combining vowel signs are none.
        lengths: letters and their marks by script: first the letters of no script of `SCRIPTS`, then one number for
            each of these.
    """

    def __init__(self, text: str, own: str, letters: int, lengths: Sequence[int], there: int) -> None:
        self.text, self.prose, self.letters, self.lengths = text, own, letters, lengths
        self.scripts, self._only_script = _SCRIPTS_THERE[there]
        # Not cached properties, whose lock takes as long as a short text.
        self._names: frozenset[str] | None = None
        self._latin_sentences: list[list[str]] | None = None
        self._latin_words: list[str] | None = None

    @property
    def names(self) -> frozenset[str]:
        """Words of Latin letters from a capital on: names, and what begins a sentence."""
        if self._names is None:
            self._names = frozenset(_NAME.findall(self.text))
        return self._names

    def sentences(self) -> list[tuple[int, int]]:
        """Where the sentences of the prose begin and end, by the marks of Latin script."""
        ends = [match.end() for match in _SENTENCE_END.finditer(self.prose)]
        return list(pairwise([0, *ends, len(self.prose)]))

    @property
    def latin_sentences(self) -> list[list[str]]:
        """The words of two or more Latin letters of each of `sentences`, not to be changed."""
        if self._latin_sentences is None:
            self._latin_sentences = [LATIN_WORD.findall(self.prose, *place) for place in self.sentences()]
        return self._latin_sentences

    @property
    def latin_words(self) -> list[str]:
        """The words of two or more Latin letters, in order, not to be changed."""
        if self._latin_words is None:
            self._latin_words = list(chain.from_iterable(self.latin_sentences)) if self.lengths[1] else []
        return self._latin_words

    @property
    def shares(self) -> Mapping[str, float]:
        """The share of each script; empty where there are no letters.

        Capitalised and one-letter Latin words count only where there is nothing else. Keys are ISO 15924
        codes, with "Kana" for both syllabaries and "other" for scripts of none of the eleven.
        """
        if self._only_script:
            return self._only_script
        other, *known = self.lengths
        lengths = {
            script: weight * length
            for (script, (_, weight)), length in zip(SCRIPTS.items(), known, strict=True)
            if length
        }
        if other:
            lengths["other"] = float(other)
        if len(lengths) > 1 and "Latn" in lengths:
            lengths["Latn"] = float(len("".join(SCRIPTS["Latn"][0].findall(_NAME_OR_VARIABLE.sub(" ", self.prose)))))
        total = sum(lengths.values())
        return {script: length / total for script, length in lengths.items()}


class _Readings(dict[str, Reading]):
    """Readings by text, and what is expected to be asked for.

    The texts have at most `_REMEMBERED` characters, or are those of one `expect`.
    """

    characters = 0
    expected: Iterable[str | None] = ()

    def add(self, readings: Iterable[Reading]) -> None:
        for reading in readings:
            self[reading.text] = reading
            self.characters += len(reading.text)

    def __missing__(self, text: str) -> Reading:
        """Read what is expected, and the text."""
        if self.characters > _REMEMBERED:
            self.clear()
            self.characters = 0
        expected, self.expected = self.expected, ()
        batch: list[str] = []
        characters = 0
        for one in dict.fromkeys((*expected, text)):
            if one and one not in self:
                batch.append(one)
                characters += len(one)
                if characters > _BATCH:
                    self.add(_read(batch))
                    batch, characters = [], 0
        self.add(_read(batch))
        return self[text] if text else _read([text])[0]


_known = _Readings()


def read(text: str) -> Reading:
    """The reading of a text."""
    return _known[text]


def expect(texts: Iterable[str | None]) -> None:
    """Tell which texts are going to be asked for, in place of those that were told before."""
    _known.expected = texts


def _read(texts: Sequence[str]) -> list[Reading]:
    proses = _proses(texts)
    sizes = np.fromiter(map(len, proses), np.int64, len(proses))
    # Lone surrogates are characters like any other.
    codes = np.frombuffer("".join(proses).encode("utf-32-le", "surrogatepass"), "<u4")
    kinds = _kinds()[codes] + np.repeat(np.arange(len(texts)) << 4, sizes)
    counts = np.bincount(kinds, minlength=16 * len(texts)).reshape(-1, 2, 8)
    letters = counts[:, 1].sum(axis=1)
    # Of what no script has, only letters count: the rest is white space, signs and digits.
    counts[:, 0, 0] = 0
    lengths = counts.sum(axis=1)
    there = (lengths > 0) @ (1 << np.arange(8))
    return [
        Reading(*row) for row in zip(texts, proses, letters.tolist(), lengths.tolist(), there.tolist(), strict=True)
    ]


def _scripts_there(there: int) -> tuple[Sequence[str], Mapping[str, float] | None]:
    """Which scripts there are, and all of a text's shares if there is but one."""
    scripts = [script for place, script in enumerate(SCRIPTS, 1) if there >> place & 1]
    return scripts, {scripts[0]: 1.0} if len(scripts) == 1 and not there & 1 else None


# By a bit for each of a text's `lengths`: whether it is more than none.
_SCRIPTS_THERE = [_scripts_there(there) for there in range(1 << (len(SCRIPTS) + 1))]


@cache
def _kinds() -> NDArray[np.uint8]:
    """For each code point the place of its script in `SCRIPTS`, from 1 on, and 8 more for a letter."""
    kinds = sum(place * _matches(pattern) for place, (pattern, _) in enumerate(SCRIPTS.values(), 1))
    return (kinds + 8 * _matches(_LETTER)).astype(np.uint8)


@cache
def is_alphanumeric() -> NDArray[np.bool_]:
    """For each code point whether it is a letter or a digit."""
    return _matches(_ALPHANUMERIC).astype(np.bool_)


def _matches(pattern: re.Pattern[str]) -> NDArray[np.uint8]:
    """For each code point whether a pattern matches it: 1 or 0."""
    found = np.zeros(_CODE_POINTS, np.uint8)
    everything = np.arange(_LAST_LETTER + 1, dtype="<u4").tobytes().decode("utf-32-le", "surrogatepass")
    for match in pattern.finditer(everything):
        found[match.start() : match.end()] = 1
    return found
