"""Numbers as values, in eleven languages; the texts are in `number_cases.yaml`."""

import random
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
import yaml
from babel.numbers import format_decimal
from hypothesis import given
from hypothesis import strategies as st
from num2words import num2words

from mcot.core.errors import UserError
from mcot.core.languages import LANGUAGES
from mcot.core.numbers import read_numbers

CASES: dict[str, dict[str, str]] = yaml.safe_load((Path(__file__).parent / "number_cases.yaml").read_text("utf-8"))


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [(language, text, expected) for language, table in CASES.items() for text, expected in table.items()],
)
def test_read_numbers(language: str, text: str, expected: str) -> None:
    numbers = read_numbers(text, language)
    assert " ".join(f"{n.value}{'' if n.certain else '?'}" for n in numbers) == expected
    assert [n.text for n in numbers] == [text[n.start : n.end] for n in numbers]
    assert [n.start for n in numbers] == sorted(n.start for n in numbers)


@pytest.mark.parametrize(
    ("language", "text", "alternative"),
    [("en", "1.350", "1350"), ("de", "1.350", "27/20"), ("es", "1,350", "1350"), ("en", "50%", "1/2"),
     ("en", "1:00 PM", "13"), ("en", "from 1 to 4 PM", "13"), ("de", "von 13 bis 16 Uhr", "1"), ("fr", "13 h", "1"),
     ("sw", "saa 7 mchana", "1"), ("sw", "saa 11:00 jioni", "5"), ("ja", "3割", "3/10"), ("zh", "七折", "70"),
     ("zh", "一倍", "2"), ("en", "half an hour", "30"), ("en", "the third", "3"), ("zh", "百分之五十", "1/2")],
)  # fmt: skip
def test_alternatives(language: str, text: str, alternative: str) -> None:
    assert Fraction(alternative) in read_numbers(text, language)[0].alternatives


@pytest.mark.parametrize("language", LANGUAGES)
def test_there_are_forty_real_life_cases(language: str) -> None:
    assert len(CASES[language]) >= 40


@pytest.mark.parametrize("language", LANGUAGES)
@given(value=st.decimals(min_value=0, max_value=10**12, places=2), grouping=st.booleans(), native=st.booleans())
def test_formatted_numbers_read_back(language: str, value: Decimal, grouping: bool, native: bool) -> None:
    text = format_decimal(
        value,
        locale=language,
        group_separator=grouping,
        numbering_system="default" if not native else _native(language),
    )
    assert [number.value for number in read_numbers(f"x {text}.", language)] == [Fraction(value)]


def _native(language: str) -> str:
    return {"bn": "beng", "te": "telu", "th": "thai"}.get(language, "latn")


@pytest.mark.parametrize("language", ["en", "es", "fr", "de", "ru", "ja", "th", "te", "bn"])
def test_spelled_numbers_read_back(language: str) -> None:
    rng = random.Random(7)
    # In Telugu, num2words joins the thousands with forms that nobody writes.
    large = () if language == "te" else (rng.randrange(1000, 1_000_000) for _ in range(200))
    for value in [*range(1000), *large]:
        text = num2words(value, lang=language)
        assert [number.value for number in read_numbers(text, language)] == [value], text


@pytest.mark.parametrize("language", LANGUAGES)
@given(text=st.text(max_size=60) | st.text(alphabet="0123456789.,/' \xa0½一二三百万分の之%:-", max_size=40))
def test_unknown_text_never_raises(language: str, text: str) -> None:
    for number in read_numbers(text, language):
        assert text[number.start : number.end] == number.text


@pytest.mark.parametrize(
    "text",
    [
        "9" * 10**6,
        "1," * 300_000,
        "一" * 500_000,
        "two " * 100_000,
        "a" * 10**6,
        "dreizehn" * 50 + "x",
        "\ud800 3 \x00",
    ],
)
@pytest.mark.parametrize("language", ["en", "sw", "zh", "th", "de"])
def test_long_text_takes_linear_time(language: str, text: str) -> None:
    read_numbers(text, language)


def test_unknown_language() -> None:
    with pytest.raises(UserError, match="valid: en"):
        read_numbers("3", "xx")
