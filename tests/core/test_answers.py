"""Canonical answers, and where solutions state them."""

import json
from fractions import Fraction
from pathlib import Path

import pytest

from mcot.core.answers import canonical, final_answer, find_statement
from mcot.core.languages import LANGUAGES, Language


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # Integers, decimals, signs.
        ("72", "72"),
        ("72.", "72"),
        ("007", "7"),
        ("1.50", "1.5"),
        ("1.000", "1"),
        (".5", "0.5"),
        ("-.5", "-0.5"),
        ("-3", "-3"),
        ("- 3", "-3"),
        ("−3", "-3"),
        ("-0", "0"),
        ("+5", "5"),
        # Thousands in groups of three, and nothing else.
        ("1,234,567.80", "1234567.8"),
        ("1,00,000", None),
        ("12,34", None),
        ("2,5", None),
        # Currency, percent, units, words.
        ("$1,200.00", "1200"),
        ("-$5", "-5"),
        ("$-5", "-5"),
        ("€ 7.20", "7.2"),
        ("Rs. 50", "50"),
        ("50%", "50"),
        ("18 dollars a day", "18"),
        ("5 dozen", "5"),
        ("5km", "5"),
        ("5 cm^2", "5"),
        ("5 m²", "5"),
        ("$5/hour", "5"),
        ("2 million", "2000000"),
        ("72 (seventy-two)", "72"),
        ("**72**", "72"),
        # Fractions.
        ("1/2", "1/2"),
        ("2/4", "1/2"),
        ("4/2", "2"),
        ("-1/2", "-1/2"),
        ("1 1/2 hours", "3/2"),
        ("½", "1/2"),
        ("2½", "5/2"),
        ("3/0", None),
        ("1.5/2", None),
        ("1/2/3", None),
        # LaTeX.
        (r"\frac{1}{2}", "1/2"),
        (r"$\dfrac{3}{4}$", "3/4"),
        (r"\frac12", "1/2"),
        (r"1\frac{1}{2}", "3/2"),
        (r"-\frac{1}{2}", "-1/2"),
        (r"\$18.90", "18.9"),
        (r"25\%", "25"),
        (r"10,\!000", "10000"),
        (r"10{,}000", "10000"),
        (r"45^\circ", "45"),
        (r"5\text{ cm}^2", "5"),
        (r"\(72\)", "72"),
        (r"\boxed{72}", "72"),
        (r"\sqrt{2}", None),
        (r"2\pi", None),
        (r"\frac{\sqrt{3}}{2}", None),
        ("10^{3}", None),
        ("24_5", None),
        # Equations.
        ("x = 5", "5"),
        ("5 + 3 = 8", "8"),
        ("x=5, y=6", None),
        # No number, or more than one.
        ("", None),
        ("five", None),
        ("B", None),
        ("(B)", None),
        ("(B) 5", None),
        ("2π", None),
        ("5x", None),
        ("A5", None),
        ("3:1", None),
        ("16 - 4", None),
        ("5 apples and 3 oranges", None),
        ("1e5", None),
        ("²", None),
        ("1" * 5000, None),
        # Digits of other scripts.
        ("৭২", "72"),
        ("১,২০০", "1200"),
        ("౧/౨", "1/2"),
        ("１２", "12"),
        ("72个", "72"),
        ("3万", "30000"),
        ("5千克", "5"),
    ],
)
def test_canonical(text: str, expected: str | None) -> None:
    assert canonical(text) == expected
    if expected is not None:
        assert canonical(expected) == expected
        Fraction(expected)


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("1.234,50", "de", "1234.5"),
        ("1,5", "de", "1.5"),
        ("80.000", "de", "80000"),
        ("12,375", "de", "12.375"),
        # English writing, which models mix in.
        ("80,000", "de", "80000"),
        ("1,234.50", "de", "1234.5"),
        ("14.67", "de", "14.67"),
        ("0.125", "de", "0.125"),
        ("1 234,5 €", "fr", "1234.5"),
        ("1\u202f234,5", "fr", "1234.5"),
        ("2 500", "ru", "2500"),
        ("1.250", "es", "1250"),
        ("1.250", "sw", "1.25"),
        ("1,00,000", "bn", "100000"),
    ],
)
def test_separators_of_a_language(text: str, language: str, expected: str) -> None:
    assert canonical(text, language) == expected


@pytest.mark.parametrize(
    ("rationale", "language", "expected"),
    [
        ("48 + 24 = 72\n#### 72", "en", "72"),
        ("#### 1,200", "en", "1200"),
        (r"So it is \boxed{\frac{1}{2}}.", "en", "1/2"),
        ("The answer is: $1,234.50.", "en", "1234.5"),
        ("The answer is 72. I checked it 2 times.", "en", "72"),
        ("Answer: Rs. 5. Thus 6 are left.", "en", "5"),
        (r"The final answer is: $\boxed{18}$. Is it 5?", "en", "18"),
        ("#### 10\nThe answer is: 10", "en", "10"),
        # The last statement counts, number or not.
        ("The answer is 5. No: the answer is 6.", "en", "6"),
        ("The answer is 5.\nThe answer is: \\sqrt{2}", "en", None),
        ("The answer is (B).", "en", None),
        ("The answer is", "en", None),
        (r"\boxed{7", "en", "7"),
        ("He has 72 left.", "en", None),
        ("", "en", None),
        ("Jibu ni $65,000.", "sw", "65000"),
        ("উত্তর হল ৭২।", "bn", "72"),
        ("సమాధానం ౭౨.", "te", "72"),
        ("คำตอบคือ ๗๒", "th", "72"),
        ("答えは72です。次は5。", "ja", "72"),
        ("答案是：72。", "zh", "72"),
        ("Ответ: 1,5.", "ru", "1.5"),
        ("Ответ на вопрос 2", "ru", None),
        ("Die Antwort ist 82666,67.", "de", "82666.67"),
        ("The answer is 3.", "de", "3"),
    ],
)
def test_final_answer(rationale: str, language: str, expected: str | None) -> None:
    assert final_answer(rationale, language) == expected


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=list(LANGUAGES))
@pytest.mark.parametrize("answer", ["72", "-3", "0.5", "1/2", "1200"])
def test_every_language_reads_its_own_phrase(language: Language, answer: str) -> None:
    phrase = language.answer_phrase.format(answer=answer)
    assert final_answer(f"3 + 4 = 7\n{phrase}", language.code) == answer


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("He has 72 left.", "en", "72"),
        ("16-4=12", "en", "12"),
        ("It is 10 - 3", "en", "3"),
        ("The change is -5", "en", "-5"),
        ("1, 2, 3.", "en", "3"),
        ("about 1,200 apples", "en", "1200"),
        ("Es sind 1.250,5 Meter", "de", "1250.5"),
        ("মোট ৭২টি", "bn", "72"),
        # What is stated counts, even where it is no number.
        ("There are 3. The answer is (B).", "en", None),
        ("none", "en", None),
    ],
)
def test_lenient_takes_the_last_number(text: str, language: str, expected: str | None) -> None:
    assert final_answer(text, language, lenient=True) == expected


def test_statement_tells_where_it_stands() -> None:
    text = "He pays 5.\nThe answer is: 72 dollars. Good."
    statement = find_statement(text, "en")
    assert statement is not None
    assert statement.text == "72 dollars."
    assert text[statement.start : statement.end] == "The answer is: 72 dollars."


def test_published_outputs_agree(shared_data: Path) -> None:
    """Where the published scorer found a whole number in the language's phrase, so do we."""
    read = differing = 0
    for language in ("sw", "bn", "en"):
        for line in (shared_data / "mcot_outputs" / f"mgsm_{language}.jsonl").read_text("utf-8").splitlines():
            output = json.loads(line)
            answer = final_answer(output["response"], language)
            if answer is not None and output["prediction"] is not None:
                read += 1
                differing += float(Fraction(answer)) != float(output["prediction"])
    assert read > 700
    assert differing <= 0.01 * read
