"""The length check, and texts that lack their end."""

import math
from pathlib import Path

import pytest

from curation.checks.length import PRIORS, SMALLEST_MAD, WITHOUT_END, LengthCheck, deviation, lacks_end
from mcot.core.languages import TARGETS
from mcot.core.rows import from_rows
from tests.curation.checked_texts import EGGS, TRANSLATIONS, Seen, mgsm_questions, run


def test_priors_cover_the_languages() -> None:
    assert list(PRIORS) == [language.code for language in TARGETS]


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_a_translation_has_the_expected_length(language: str) -> None:
    score, seen = run(LengthCheck(), language, EGGS, TRANSLATIONS[language])
    assert score is not None
    assert score > 0.6
    assert seen == []


LONG = "abcdefgh " * 30  # 240 letters, beyond the length where short texts get their allowance


@pytest.mark.parametrize(
    ("source", "letters", "score", "seen"),
    [
        # Spanish expects exp(0.080) = 1.083 letters for each of English: 260 of 240.
        (LONG, 260, 1.0, []),
        (LONG, 200, 0.77, []),
        (LONG, 130, 0.5, [("length.short", "50% of the expected length")]),
        (LONG, 81, 0.31, [("length.short", "31% of the expected length")]),
        (LONG, 520, 0.5, [("length.long", "200% of the expected length")]),
        (LONG, 2600, 0.1, [("length.long", "1000% of the expected length")]),
        # Nine letters: half of it can still be a translation.
        ("ten apples", 5, 0.86, []),
        ("ten apples", 90, 0.6, [("length.long", "923% of the expected length")]),
    ],
)
def test_length(source: str, letters: int, score: float, seen: Seen) -> None:
    got, observed = run(LengthCheck(), "es", source, "a" * letters)
    assert got == pytest.approx(score, abs=0.01)
    assert observed == seen


@pytest.mark.parametrize(
    ("source", "text", "expected"),
    [
        (EGGS, None, (None, [])),
        (None, EGGS, (None, [])),
        ("48/2 = 24", "48/2 = 24", (None, [])),
        (EGGS, "", (0.0, [("length.short", "no letters at all")])),
        (EGGS, "12 - 3 = 9", (0.0, [("length.short", "no letters at all")])),
    ],
)
def test_length_of_nothing(source: str | None, text: str | None, expected: tuple[float | None, Seen]) -> None:
    assert run(LengthCheck(), "es", source, text) == expected


def test_length_counts_for_less_beside_equations() -> None:
    table = from_rows(
        [
            {"id": "1", "language": "es", "source_rationale": LONG + end, "rationale": "a" * 130 + end}
            for end in (" is 2 * 3 = 6", "")
        ]
    )
    assert LengthCheck().score(table).scores["length_rationale"] == pytest.approx([0.68, 0.5], abs=0.01)


def test_deviation_allows_short_texts_more() -> None:
    assert deviation(1000, round(1000 * math.exp(PRIORS["de"].median)), "de") == pytest.approx(0.0, abs=1e-3)
    far = [deviation(letters, 3 * letters, "de") for letters in (8, 40, 168, 400)]
    assert far == sorted(far)
    assert far[2] == far[3] > SMALLEST_MAD


ADDITION = "Ana buys 12 eggs. Find how many she has."
SUM = "3 + 4 = 7, so the answer is 7."


@pytest.mark.parametrize(
    ("language", "source", "text", "lacks"),
    [
        *((language, EGGS, text, False) for language, text in TRANSLATIONS.items()),
        # Without its question: the first sentence alone, or a clause of it.
        ("sw", EGGS, "Ana ananunua mayai 12 na kumpa Tom matatu kati ya hayo.", True),
        ("bn", EGGS, "আনা ১২টি ডিম কিনে তার মধ্যে তিনটি টমকে", True),
        ("te", EGGS, "అనా 12 గుడ్లు కొని వాటిలో మూడు టామ్‌కు ఇస్తుంది.", True),
        ("th", EGGS, "แอนาซื้อไข่ 12 ฟองและให้ทอมไปสามฟอง", True),
        ("ja", EGGS, "アナは卵を12個買い、そのうち3個をトムにあげました。", True),
        ("zh", EGGS, "安娜买了12个鸡蛋，给了汤姆其中的三个。", True),
        ("ru", EGGS, "Анна покупает 12 яиц и отдаёт три из них Тому.", True),
        ("es", EGGS, "Ana compra 12 huevos y le da tres a", True),
        ("fr", EGGS, "Ana achète 12 œufs et en donne trois à Tom, qui", True),
        ("de", EGGS, "Ana kauft 12 Eier und gibt Tom drei davon, wo", True),
        # It asks, or tells to find, without a mark.
        ("ja", EGGS, "アナは卵を12個買いました。残りは何個ですか", False),
        ("zh", EGGS, "安娜买了12个鸡蛋。求剩下的鸡蛋数", False),
        ("fr", EGGS, "Ana achète 12 œufs. Calcule le nombre d'œufs qui lui restent.", False),
        ("de", EGGS, "Ana kauft 12 Eier. Wie viele Eier hat sie noch", False),
        # A statement's full stop; of Thai none is expected, nor after a number where the source has one.
        ("es", ADDITION, "Ana compra 12 huevos. Calcula cuántos tiene.", False),
        ("es", ADDITION, "Ana compra 12 huevos. Calcula", True),
        ("bn", ADDITION, "আনা ১২টি ডিম কেনে। তার কাছে কত আছে নির্ণয় করো।", False),
        ("th", ADDITION, "แอนาซื้อไข่ 12 ฟอง จงหาจำนวนไข่", False),
        ("de", SUM, "3 + 4 = 7, also ist die Antwort 7", False),
        ("de", SUM, "3 + 4 = 7, also ist die", True),
        ("zh", 'He says "stop."', "他说：“停。”", False),
        # A source that doesn't end tells nothing.
        ("es", "Ana buys 12 eggs", "Ana compra 12 huevos", False),
        ("es", EGGS, "", False),
    ],
)
def test_a_text_without_its_end(language: str, source: str, text: str, lacks: bool) -> None:
    assert lacks_end(source, text, language) is lacks
    if text and lacks:
        score, seen = run(LengthCheck(), language, source, text)
        assert score is not None
        assert score <= WITHOUT_END
        assert "length.short" in [reason for reason, _ in seen]


def test_the_missing_end_is_quoted() -> None:
    _, seen = run(LengthCheck(), "es", EGGS, "Ana, que vive en Sevilla, compra 12 huevos en el mercado y le da tres")
    quote = "12 huevos en el mercado y le da tres"
    ((reason, detail),) = seen
    assert reason == "length.short"
    assert detail.startswith('lacks the question at its end: "…')
    assert detail.endswith(f'{quote}"')


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_cut_texts_of_mgsm(language: str, shared_data: Path) -> None:
    sources, texts = mgsm_questions(shared_data, "en"), mgsm_questions(shared_data, language)
    cuts = [text[: int(0.45 * len(text))] for text in texts]
    for candidates, low, high in ((texts, 0.99, 1.0), (cuts, 0.0, 0.02)):
        pairs = zip(sources, candidates, strict=True)
        rows = from_rows([{"language": language, "source_question": s, "question": t} for s, t in pairs])
        values = LengthCheck().score(rows).scores["length_question"]
        assert low <= sum(value is not None and value >= 0.55 for value in values) / len(values) <= high
