"""What is protected, and that it comes back."""

import pytest

from curation.translation.spans import has_words, missing, protect, restore

PROTECTED = [
    ("Natalia sold 48/2 = <<48/2=24>>24 clips in May.", "Natalia sold 24 clips in May."),
    ("Weng earns 12/60 = $<<12/60=0.2>>0.2 per minute.", "Weng earns 0.2 per minute."),
    ("Betty needs 100 - 50 - 30 - 15 = $<<100-50-30-15=5>>5 more.", "Betty needs 5 more."),
    ("She earned 0.2 x 50 = $<<0.2*50=10>>10.", "She earned 10."),
    ("It is 2 * (40 + 6) = 92 meters.", "It is 92 meters."),
    ("It costs $1,234.50 in all.", "It costs 1234.5 in all."),
    ("He paid $5 and $6.50.", "He paid 5 and 6.5."),
    ("Let x = 5 and 2x + 3 = 13.", "Let 5 and 13."),
    ("It is \\boxed{72} or $\\frac{1}{2}$.", "It is 72 or 2."),
    ("Call `print(3)` now.", "Call 3 now."),
    # A stand-in never equals a number that is there already: it takes another hundred, whose plural is the same.
    ("Ana has 43 + 22 = 65 cups and 65 keys.", "Ana has 165 cups and 65 keys."),
    ("He paid $5 for one and $5 for two.", "He paid 5 for one and 105 for two."),
    # Words touch equations where no spaces are written.
    ("クッキーは3 + 4 = 7個です。", "クッキーは7個です。"),
    ("মোট 24 - 3 = 21টি আছে।", "মোট 21টি আছে।"),
]
UNPROTECTED = ["He ate 1/2 of a pizza.", "5-10 minutes", "at 3-4 pm", "a man, I am", "20% of 60", "1,200 and 3.5", ""]


@pytest.mark.parametrize(("text", "expected"), PROTECTED)
def test_protect(text: str, expected: str) -> None:
    protected = protect(text)
    assert protected.text == expected
    assert restore(protected.text, protected.spans) == (text, ())


@pytest.mark.parametrize("text", UNPROTECTED)
def test_protect_leaves_alone(text: str) -> None:
    assert protect(text).spans == ()


@pytest.mark.parametrize(
    ("hypothesis", "expected", "lost"),
    [
        ("Natalia aliuza klipu 24.", "Natalia aliuza klipu 48/2 = 24.", 0),
        ("নাটালিয়া ২৪টি বিক্রি করেছে", "নাটালিয়া 48/2 = 24টি বিক্রি করেছে", 0),
        ("24 und 24", "24 und 24", 1),
        ("vierundzwanzig", "vierundzwanzig", 1),
        ("124", "124", 1),
    ],
)
def test_restore(hypothesis: str, expected: str, lost: int) -> None:
    spans = protect("Natalia sold 48/2 = 24.").spans
    text, missed = restore(hypothesis, spans)
    assert (text, len(missed)) == (expected, lost)


def test_restore_reads_grouped_numbers() -> None:
    spans = protect("The fence costs 92 * $14 = $1288.").spans
    assert restore("La clôture coûte 1 288.", spans) == ("La clôture coûte 92 * $14 = $1288.", ())
    assert restore("Der Zaun kostet 1.288.", spans) == ("Der Zaun kostet 92 * $14 = $1288.", ())


@pytest.mark.parametrize(
    ("hypothesis", "lost"), [("kuna 48/2=24 hapa", 0), ("kuna 48 / 2 = 24", 0), ("kuna 48/2 = 25", 1), ("", 1)]
)
def test_missing(hypothesis: str, lost: int) -> None:
    assert len(missing(hypothesis, protect("Natalia sold 48/2 = 24.").spans)) == lost


@pytest.mark.parametrize(
    ("text", "expected"),
    [("3 + 4 = 7", False), ("48/2=24", False), ("$5", False), ("----", False), ("12", False), ("So 3 + 4 = 7", True)],
)
def test_has_words(text: str, expected: bool) -> None:
    assert has_words(text) is expected
