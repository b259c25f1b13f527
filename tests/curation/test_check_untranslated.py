"""The check for what was left in English."""

from pathlib import Path

import pytest

from curation.checks.base import Check
from curation.checks.language import LanguageCheck
from curation.checks.length import LengthCheck
from curation.checks.untranslated import UntranslatedCheck
from mcot.core.rows import from_rows
from tests.curation.checked_texts import EGGS, TRANSLATIONS, mgsm_questions, run


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_a_translation_is_not_a_copy(language: str) -> None:
    assert run(UntranslatedCheck(), language, EGGS, TRANSLATIONS[language]) == (1.0, [])
    copy = run(UntranslatedCheck(), language, EGGS, EGGS)
    quote = "buys 12 eggs and gives three of them to Tom. How many eggs…"
    assert copy == (0.0, [("untranslated.copied", f'copied: "{quote}"')])


@pytest.mark.parametrize(
    ("language", "source", "text", "low", "high", "seen"),
    [
        # Names, numbers, units and equations are the same in both.
        ("es", "Ana, Tom, 5 kg", "Ana, Tom, 5 kg", None, None, []),
        ("es", "48/2 = 24, $x_{total} = 24$", "48/2 = 24, $x_{total} = 24$", None, None, []),
        ("de", "Ana and Tom Miller buy 5 kg.", "Ana und Tom Miller kaufen 5 kg.", 1.0, 1.0, []),
        ("es", None, EGGS, None, None, []),
        ("ja", "20mph, 30mph, 40mph and 50mph", "20mph、30mph、40mphと50mphです。", 1.0, 1.0, []),
        # Copied in capitals, or with other quotes and numbers.
        ("sw", EGGS, EGGS.upper(), 0.0, 0.0, ["untranslated.copied"]),
        ("fr", "She doesn't sell 12 eggs.", "She doesn’t sell 13 eggs!", 0.0, 0.0, ["untranslated.copied"]),
        ("fr", "How many eggs?", "How many eggs?", 0.0, 0.0, ["untranslated.copied"]),
        ("de", "HOW MANY EGGS?", "HOW MANY EGGS?", 0.0, 0.0, ["untranslated.copied"]),
        # One sentence of two.
        ("de", EGGS, "Ana kauft 12 Eier und gibt Tom drei davon. How many eggs does she have left?", 0.3, 0.7,
         ["untranslated.partly"]),
        ("zh", EGGS, "安娜买了12个鸡蛋，给了汤姆其中的三个。How many eggs does she have left?", 0.4, 0.7,
         ["untranslated.partly"]),
        ("bn", EGGS, "আনা ১২টি ডিম কেনে এবং তার মধ্যে তিনটি টমকে দেয়। How many eggs does she have left?", 0.4, 0.75,
         ["untranslated.partly"]),
        # A short sentence, names and all, in any text.
        ("sw", "Seth is twice as old as Tom. How old is Seth?",
         "Umri wa Seth ni mara mbili zaidi ya umri wa Tom. How old is Seth?", 0.5, 0.85, ["untranslated.partly"]),
        ("zh", "Seth is twice as old as Tom. How old is Seth?", "塞思的年龄是汤姆的两倍。How old is Seth?", 0.3, 0.8,
         ["untranslated.partly"]),
        ("fr", "Janet Smith and Tom. They meet.", "Janet Smith and Tom. Ils se rencontrent.", 1.0, 1.0, []),
        # Two words in a row happen.
        ("es", "The restaurant menu has 5 desserts.", "El restaurant menu tiene 5 postres.", 1.0, 1.0, []),
        # Not the source's words, whatever language they are in.
        ("es", EGGS, "Tom walks home along the river every single day.", 1.0, 1.0, []),
    ],
)  # fmt: skip
def test_untranslated(
    language: str, source: str | None, text: str, low: float | None, high: float | None, seen: list[str]
) -> None:
    score, observed = run(UntranslatedCheck(), language, source, text)
    assert [reason for reason, _ in observed] == seen
    if low is None or high is None:
        assert score is None
    else:
        assert score is not None
        assert low <= score <= high


def test_the_copied_segment_is_quoted() -> None:
    _, seen = run(UntranslatedCheck(), "zh", EGGS, "安娜买了鸡蛋。How many eggs does she\nhave left?")
    assert seen == [("untranslated.partly", 'copied: "many eggs does she have left"')]


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_false_and_missed_alarms_on_mgsm(language: str, shared_data: Path, language_check: LanguageCheck) -> None:
    sources, texts = mgsm_questions(shared_data, "en"), mgsm_questions(shared_data, language)
    pairs = zip(sources, texts, strict=True)
    good = from_rows([{"language": language, "source_question": s, "question": t} for s, t in pairs])
    copies = from_rows([{"language": language, "source_question": s, "question": s} for s in sources])
    checks: list[tuple[Check, float]] = [(language_check, 0.7), (LengthCheck(), 0.55), (UntranslatedCheck(), 0.9)]
    for check, keep in checks:
        values = check.score(good).scores[f"{check.name}_question"]
        assert sum(value is None or value < keep for value in values) <= 0.01 * len(values), check.name
    for check in (language_check, UntranslatedCheck()):
        values = check.score(copies).scores[f"{check.name}_question"]
        assert all(value is not None and value < 0.3 for value in values), check.name
