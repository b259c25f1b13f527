"""Repetition: texts that go round in circles, and texts that only seem to."""

import json
import random
from pathlib import Path

import pytest

from curation.checks.loop_suspects import may_loop
from curation.checks.loops import find_loop
from curation.checks.repetition import RepetitionCheck
from curation.demo.generator import draw_problem, load_texts
from mcot.core.languages import get_language
from mcot.core.rows import SCORES, from_rows

LOOPS = [
    ("de", "Er kauft Äpfel und dann und dann und dann und dann", "und dann", 4),
    ("de", "Er kauft 3 Äpfel. Wie viele hat er jetzt? Wie viele hat er jetzt?", "Wie viele hat er jetzt", 2),
    # The copies differ in spaces, case and marks, and the last one was cut.
    ("es", "Ana come dos. ¿Cuántas le quedan ahora? ¿cuántas le quedan ahora, ¿Cuántas le qu", "Cuántas le quedan", 3),
    # In the middle of a text.
    ("fr", "Il achète trois stylos bleus et deux stylos rouges, achète trois stylos bleus et deux stylos rouges, puis",
     "trois stylos bleus", 2),
    ("sw", "Bei ni dola tatu tatu tatu tatu tatu", "tatu", 5),
    ("ru", "Сколько яблок у него осталось теперь? Сколько яблок у него осталось теперь?", "Сколько яблок", 2),
    ("zh", "他还剩下多少个苹果？他还剩下多少个苹果？", "他还剩下多少个苹果", 2),
    ("zh", "他有三个的的的的的的的的的的", "的", 10),
    ("ja", "彼女の手元に残っている卵は何個ですか？卵は何個ですか？", "卵は何個ですか", 2),
    ("th", "เขาเหลือเงินกี่บาทเขาเหลือเงินกี่บาทเขาเหลือเงินกี่บาท", "เขาเหลือเงินกี่บาท", 3),
    ("bn", "তার কাছে আর কতগুলি ডিম আছে? তার কাছে আর কতগুলি ডিম আছে?", "তার কাছে আর কতগুলি ডিম আছে", 2),
    ("te", "ఇంకా ఎన్ని గుడ్లు ఉన్నాయి? ఇంకా ఎన్ని గుడ్లు ఉన్నాయి?", "ఇంకా ఎన్ని", 2),
]  # fmt: skip
FINE = [
    ("de", ""),
    ("de", "48/2 = 24"),
    ("de", "2 + 2 + 2 + 2 + 2 + 2 + 2 + 2 + 2 + 2 + 2 + 2 = 24"),
    # Doubled words mean "each", "several", "slowly".
    ("sw", "Watoto wanapata pipi mbili mbili polepole."),
    ("bn", "তিনি আলাদা আলাদা রঙের কলম কেনেন"),
    ("zh", "他有很多很多苹果"),
    ("ja", "いろいろなペンをそれぞれ3本ずつ買いました。"),
    # The same of one number after another.
    ("es", "El lunes vende 3 manzanas. El martes vende 3 manzanas. El jueves vende 4 manzanas."),
    ("de", "Schritt 1: Er kauft 3 Äpfel. Schritt 2: Er kauft 4 Äpfel. Schritt 3: Er kauft 5 Äpfel."),
    # A question begins with the words that the sentence before it ends with.
    ("zh", "其余的是半自动挡汽车。半自动挡汽车的百分比是多少？"),
    ("fr", "Le reste est composé de voitures rouges. Les voitures rouges, combien sont-elles ?"),
]


@pytest.mark.parametrize(("language", "text", "piece", "times"), LOOPS)
def test_a_loop_is_found_and_quoted(language: str, text: str, piece: str, times: int) -> None:
    scored = RepetitionCheck().score(from_rows([{"language": language, "question": text}]))
    (score,) = scored.scores["repetition_question"]
    assert score is not None
    assert score < 0.8
    (seen,) = scored.observations[0]
    assert (seen.reason, seen.part) == ("repetition.loop", "question")
    assert piece in seen.detail
    assert seen.detail.startswith("twice" if times == 2 else f"{times} times")


@pytest.mark.parametrize(("language", "text"), FINE)
def test_what_is_no_loop(language: str, text: str) -> None:
    assert find_loop(text) is None


def test_scores_and_nulls() -> None:
    rows: list[dict[str, str | None]] = [
        {"language": "de", "question": "Wie viele?", "rationale": None},
        {"language": "de", "question": "12 + 3", "rationale": "und dann und dann und dann und dann"},
    ]
    scored = RepetitionCheck().score(from_rows(rows))
    assert set(scored.scores) <= set(SCORES)
    assert scored.scores == {"repetition_question": [1.0, None], "repetition_rationale": [None, 0.0]}
    assert [len(seen) for seen in scored.observations] == [0, 1]


def test_what_the_source_repeats_a_translation_may_repeat() -> None:
    source = "Knock the door three times. Knock the door three times."
    text = "Klopfe dreimal an die Tür. Klopfe dreimal an die Tür."
    assert find_loop(text) is not None
    assert find_loop(text, source) is None
    assert find_loop(text * 4, source) is not None


def test_a_share_counts_every_copy() -> None:
    loop = find_loop("abcdefghijklmnopqrst" + "uvwxyzuvwxyzuvwxyzuvwxyz"[:20])
    assert loop is not None
    assert loop.share == pytest.approx(0.5)
    assert loop.piece == "uvwxyz"


@pytest.mark.parametrize("text", ["a " * 500_000, "xyz" * 300_000, "".join(map(str, range(200_000))) + "ab\udc00" * 9])
def test_a_megabyte_takes_no_minutes(text: str) -> None:
    find_loop(text)


LANGUAGES = ["sw", "bn", "te", "th", "ja", "zh", "ru", "es", "fr", "de"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_false_and_missed_alarms_on_mgsm(language: str, shared_data: Path) -> None:
    texts, sources = (
        [row["question"] for row in json.loads((shared_data / "mgsm" / f"test_{code}.json").read_text("utf-8"))]
        for code in (language, "en")
    )
    assert [text for text, source in zip(texts, sources, strict=True) if find_loop(text, source)] == []
    for times, gap in ((1, ""), (1, " "), (2, " ")):
        looped = [text + times * (gap + text[2 * len(text) // 3 :]) for text in texts]
        shares = [loop.share for text in looped if (loop := find_loop(text))]
        assert sum(share > 0.2 for share in shares) >= 0.99 * len(texts)


@pytest.mark.parametrize("language", ["en", *LANGUAGES])
def test_what_has_a_loop_is_suspected(language: str) -> None:
    rng = random.Random(language)
    plain, planted = [], []
    for _ in range(150):
        text = get_language(language).sentence_separator.join(load_texts(language).question(draw_problem(rng)))
        plain.append(text)
        start = rng.randrange(len(text))
        end = start + rng.randrange(1, 70)
        rest = text[end:] if rng.random() < 0.5 else ""
        planted.append(text[:end] + rng.choice(("", " ", ". ")) + text[start:end] * rng.randrange(1, 5) + rest)
    loops = [find_loop(text) is not None for text in planted]
    assert sum(loops) > 30
    assert not any(loop and not may for loop, may in zip(loops, may_loop(planted), strict=True))
    # Else it would save nothing.
    assert sum(may_loop(plain)) < 100


def test_what_is_of_no_script_is_suspected() -> None:
    texts = ["", "12 12 12", "a" * 30_000, "\u09f4\u09f5\u09f6\u09f7" * 3, "ΣΑΣ ΣΑΣ ΣΑΣ ΣΑΣ ΣΑΣ ΣΑΣ"]
    assert may_loop(texts) == [False, False, True, True, True]
