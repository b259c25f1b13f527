"""What is protected, and that it comes back."""

import json
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
    # Long numbers are miscopied, and would collide for ever: a hundred more of them is the same number.
    (f"We get a = {10**30} and b = {10**30} there.", "We get 12 and 112 there."),
    # Stand-ins that would be read as one number with their neighbours take them along.
    ("Pay $5 $600 now.", "Pay 600 now."),
    ("<<2+3=5>> 123 apples", "123 apples"),
    ("So 24<<48/2=24>>24 clips", "So 24 clips"),
    ("A $1,23 pen", "A 23 pen"),
    ("6 $500 cards and 9 $200 cards", "500 cards and 200 cards"),
    ("Steve has (1/2)(20)=10 berries", "Steve has 10 berries"),
    ("5 - 3 apples, a = b", "3 apples, 12"),
    (" ".join(["$5"] * 30), "5"),
    # A decimal point groups no digits unless three follow: 0.05 is not read as 5.
    ("Pay $0.05 and $5.00 for 1 + 1 = 2.", "Pay 0.05 and 5 for 2."),
    # Money around words and a mark is no LaTeX.
    ("5 at $7 each so 5*7=$<<5*7=35>>35", "5 at 7 each so 35"),
    ("Write \\[x + \\\\[2pt] y\\] and \\(z\\).", "Write 2 and 12."),
    ("It is 2x3 = 6, and 20x30 more.", "It is 6, and 30 more."),
    # A term that a word continues does not end an equation.
    ("So $1 + $2 + $3 = $250abc", "So 3 = 250abc"),
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


PIECES = ["$", "€", "<<", ">>", "<<1+2=3>>", "\\(", "\\)", "\\[", "\\]", "\\frac{1}{2}", "`", "```", "$x^2$", "{", "}"]
PIECES += [
    *"0123456789",
    *"+-*/=^x×÷−–≈%.,'’()",
    *"abX é字က",
    " ",
    "  ",
    "\u00a0",
    "\u202f",
    "\n",
    "২",
    "٣",
    "100",
    "1,000",
    "0.5",
]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=40).map("".join) | st.text(max_size=40)


@given(TEXTS)
def test_what_is_protected_comes_back(text: str) -> None:
    protected = protect(text)
    assert restore(protected.text, protected.spans) == (text, ())
    assert missing(text, protected.spans) == ()


def test_what_is_protected_comes_back_on_real_lines() -> None:
    path = Path("../shared/data/gsm8k/train.jsonl")
    if not path.exists():
        pytest.skip(f"{path} is not there")
    with path.open(encoding="utf-8") as lines:
        answers = [json.loads(line)["answer"] for line in islice(lines, 1000)]
    texts = [line for answer in answers for line in answer.splitlines()]
    protected = [protect(text) for text in texts]
    assert [restore(p.text, p.spans) for p in protected] == [(text, ()) for text in texts]
    # Every calculator mark is in a span.
    assert not [p.text for p in protected if "<<" in p.text]


# Shapes that took minutes or for ever, when pieces of the pattern could share characters.
REPEATED = [
    *("a-", "1-", "(", "((1", "1 + ", "$1 + ", "-1 + ", "a = ", "$", "$5 ", "$5; $105; ", "$a="),
    *("\\[", "\\[[", "\\(", "\\frac{", "\\frac{{a}", "<<", "<<1=2>>3 ", "$<<1>>", "`", "```", "2x3 ", "1.", "1,000 "),
]
LONG = [(unit * 100_000)[:100_000] for unit in REPEATED]
LONG += ["(" * 100_000 + "1", "$1 + " * 20_000 + "$22 = $250abc", "1" + " " * 100_000 + "a", "1" * 100_000 + " = 3a"]


@pytest.mark.parametrize("text", LONG, ids=[*REPEATED, "(…1", "$1 + … = $250abc", "1 … a", "1… = 3a"])
def test_long_texts_finish(text: str) -> None:
    protected = protect(text)
    assert restore(protected.text, protected.spans) == (text, ())
    has_words(text)
