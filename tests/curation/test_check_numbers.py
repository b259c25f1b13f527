"""The numbers check: source and translation correspond as values."""

import json
import random
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.checks.base import Observation
from curation.checks.numbers import NumbersCheck
from curation.demo.generator import draw_problems, load_texts
from mcot.core.languages import TARGETS
from mcot.core.rows import from_rows

# False rejects among 250 human translations, in percent; what is left is mostly the translators' own slips.
LARGEST_REJECTED = {"ja": 5.5, "zh": 3, "fr": 3}


def _check(language: str, source: str, translation: str) -> tuple[float | None, list[Observation]]:
    row = {"id": "1", "language": language, "source_question": source, "question": translation}
    scored = NumbersCheck().score(from_rows([row]))
    assert scored.scores["numbers_rationale"] == [None]
    return scored.scores["numbers_question"][0], scored.observations[0]


@pytest.mark.parametrize(
    ("language", "source", "translation"),
    [("fr", "He is half as old.", "Il est deux fois moins âgé."),
     ("ru", "She has 1,234.5 kg and a dozen eggs.", "У неё 1 234,5 кг и 12 яиц."),
     ("ja", "She takes 2/3 of 30 eggs.", "30個の卵の3分の2を取ります。"),
     ("ja", "16 eggs per day", "1日に16個"),
     ("zh", "He pays 50% of $80,000.", "他付了8万美元的一半。"),
     ("zh", "a 30% discount", "打七折"),
     ("de", "from 1 PM to 5:00 PM", "von 13 Uhr bis 17 Uhr"),
     ("sw", "by 5 pm", "kufikia saa 11 jioni"),
     ("es", "One of the two boys ate 3 pies.", "Uno de los niños comió tres tartas."),
     ("th", "two and a half hours", "สองชั่วโมงครึ่ง"),
     ("te", "two thirds of the 12 boys", "12 అబ్బాయిలలో మూడింట రెండువంతులు"),
     ("bn", "16 eggs in three days", "তিন দিনে ১৬টি ডিম"),
     ("fr", "a minute and a half", "1,5 minute"),
     ("fr", "1/4 of the boys", "1 garçon sur 4"),
     ("sw", "Two boys have 8.", "Wavulana wawili wana 8, wote wawili wana wangapi?")],
)  # fmt: skip
def test_corresponding(language: str, source: str, translation: str) -> None:
    assert _check(language, source, translation) == (1.0, [])


@pytest.mark.parametrize(
    ("language", "source", "translation", "score", "reason", "detail"),
    [("de", "12 boys ate 5 pies", "21 Jungen aßen 5 Torten", 0.5, "numbers.changed", "12 -> 21"),
     ("de", "12 boys ate 5 pies", "Jungen aßen 5 Torten", 2 / 3, "numbers.missing", "12 is missing"),
     ("ja", "12 boys ate 5 pies", "12人の男の子が5個、7個食べた", 0.8, "numbers.added", "7 is not in the source"),
     ("ru", "three pies", "четыре пирога", 0.0, "numbers.changed", "three -> четыре"),
     ("es", "1 hour for 5 boys", "2 horas para 5 niños", 0.75, "numbers.added", "2 is not in the source"),
     ("zh", "4 friends, the second and the fourth", "2个朋友，第二个和第四个", 0.0, "numbers.changed", "4 -> 2"),
     ("fr", "the car costs $20,000", "la voiture coûte 200 000 $", 0.0, "numbers.changed", "20,000 -> 200 000")],
)  # fmt: skip
def test_not_corresponding(
    language: str, source: str, translation: str, score: float, reason: str, detail: str
) -> None:
    got, observations = _check(language, source, translation)
    assert got == pytest.approx(score)
    assert observations == [Observation(reason, "question", detail)]


@given(st.text(max_size=60), st.text(alphabet="0123456789 .,/二三半", max_size=60))
def test_unknown_text_never_raises(source: str, translation: str) -> None:
    for language in ("ja", "fr"):
        score, _ = _check(language, source, translation)
        assert score is None or 0 <= score <= 1


def test_long_text_takes_linear_time() -> None:
    score, _ = _check("de", "12 boys, " * 100_000, "13 Jungen, " * 100_000)
    assert score == 0.0


@pytest.mark.parametrize("language", [language.code for language in TARGETS])
def test_generated_problems_are_kept(language: str) -> None:
    english, texts = load_texts("en"), load_texts(language)
    rows = [
        {"id": str(index), "language": language, "source_question": " ".join(english.question(problem)),
         "question": " ".join(texts.question(problem)), "source_rationale": "\n".join(english.solution(problem)),
         "rationale": "\n".join(texts.solution(problem))}
        for index, problem in enumerate(draw_problems(11, 120))
    ]  # fmt: skip
    scored = NumbersCheck().score(from_rows(rows))
    assert [found for found in scored.observations if found] == []


@pytest.mark.parametrize("language", [language.code for language in TARGETS])
def test_human_translations(language: str, shared_data: Path) -> None:
    """Most are kept; with one number changed, hardly any."""
    rng = random.Random(5)
    kept = changed = found = 0
    english, texts = (_mgsm(shared_data, code) for code in ("en", language))
    for source, translation in zip(english, texts, strict=True):
        if _check(language, source, translation)[0] != 1:
            continue
        kept += 1
        # A lone 1 is an article or "per" elsewhere, and "50" after a mark may be cents that don't change.
        places = [match for match in re.finditer(r"(?<![\d.,:/])[1-9]\d*(?![.,:/]?\d)", translation) if match[0] != "1"]
        if places:
            place = rng.choice(places)
            planted = f"{translation[: place.start()]}{int(place[0]) * 7 + 2}{translation[place.end() :]}"
            changed += 1
            found += _check(language, source, planted)[0] != 1
    assert 100 * (1 - kept / len(english)) <= LARGEST_REJECTED.get(language, 2)
    assert found / changed >= 0.98


def _mgsm(folder: Path, language: str) -> list[str]:
    return [row["question"] for row in json.loads((folder / "mgsm" / f"test_{language}.json").read_text("utf-8"))]
