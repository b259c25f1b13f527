"""What checks read of a text, one by one and many at once."""

import re
import sys

import pytest

from mcot.core.reading import SCRIPTS, expect, is_alphanumeric, prose, read

_LETTER = re.compile(r"[^\W\d_]")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("He pays $5 and $6, \\text{so} <<5+6=11>>11 e\u0301t\u0301", "He pays $5 and $6,  11 ét\u0301"),
        ("`x = 3` and ```y\n= 4``` then", "and then"),
        ("see https://a.org/b?c=d or www.a.org, write to a.b@c.org", "see or write to"),
        ("$$x + 1$$ of $x^2$ is \\[ 3 \\] and \\( 4 \\)", "of is and"),
        ("for $5 he gets $10_", "for $5 he gets $10_"),
        ("a < b, a = $5", "a < b, a = $5"),
    ],
)
def test_prose(text: str, expected: str) -> None:
    assert prose(text).split() == expected.split()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("16 - 3 = 13", {}),
        ("abc", {"Latn": 1.0}),
        ("Janet", {"Latn": 1.0}),
        ("Janet яйцо", {"Latn": 0.0, "Cyrl": 1.0}),
        ("αβγ", {"other": 1.0}),
        ("二つ", {"Kana": 1.9 / 4.7, "Hani": 2.8 / 4.7}),
    ],
)
def test_shares(text: str, expected: dict[str, float]) -> None:
    assert read(text).shares == pytest.approx(expected)


def test_names_and_words() -> None:
    reading = read("Janet buys 3 kg of `flour` for Zoë")
    assert reading.names == {"Janet", "Zoë"}
    assert reading.latin_words == ["Janet", "buys", "kg", "of", "for", "Zoë"]
    assert read("\u09e7\u09e8 ডিম").latin_words == []


TEXTS = [
    "", "Zwei Äpfel, 3 kg", "দুইটি ডিম ১২", "รวม ๓ ฟอง", "二つ、合計18個です。", "три яйца x", "αβγ ½ ² Ⅷ _", "\ud800 a",
    "ﬁﬃ İ ǅ",
]  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
def test_letters_are_those_that_regular_expressions_find(text: str) -> None:
    reading = read(text)
    assert reading.letters == len(_LETTER.findall(reading.prose))
    for (pattern, _), length in zip(SCRIPTS.values(), reading.lengths[1:], strict=True):
        assert length == len("".join(pattern.findall(reading.prose)))
    known = re.compile("|".join(pattern.pattern for pattern, _ in SCRIPTS.values()))
    assert reading.lengths[0] == len(_LETTER.findall(known.sub(" ", reading.prose)))


def test_many_are_read_like_one() -> None:
    texts = [f"{text} again" for text in TEXTS]
    alone = [read(f"{text} again") for text in TEXTS]
    expect([*texts, None, *texts, *(f"more {number}" for number in range(3000))])
    for text, reading in zip(texts, alone, strict=True):
        assert (read(text).letters, read(text).lengths) == (reading.letters, reading.lengths)
        assert read(text).shares == reading.shares


def test_nothing_beyond_the_last_letter_is_one() -> None:
    kinds = is_alphanumeric()
    everything = "".join(map(chr, range(sys.maxunicode + 1)))
    assert {match.start() for match in re.finditer(r"[^\W_]", everything)} == set(kinds.nonzero()[0].tolist())
