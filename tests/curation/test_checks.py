"""Language, back-translation, length and untranslated: tables of texts and what the checks make of them."""

import json
import math
import pickle
from pathlib import Path

import pytest
from sacrebleu.metrics.chrf import CHRF

from curation.checks.back_translation import BackTranslationCheck, chrf_plus_plus
from curation.checks.base import Check
from curation.checks.language import LanguageCheck
from curation.checks.length import PRIORS, SMALLEST_MAD, WITHOUT_END, LengthCheck, deviation, lacks_end
from curation.checks.untranslated import UntranslatedCheck
from mcot.core.errors import ModelError
from mcot.core.languages import TARGETS
from mcot.core.rows import SCORES, from_rows

EGGS = "Ana buys 12 eggs and gives three of them to Tom. How many eggs does she have left?"
TRANSLATIONS = {
    "sw": "Ana ananunua mayai 12 na kumpa Tom matatu kati ya hayo. Amebaki na mayai mangapi?",
    "bn": "আনা ১২টি ডিম কেনে এবং তার মধ্যে তিনটি টমকে দেয়। তার কাছে আর কতগুলি ডিম আছে?",
    "te": "అనా 12 గుడ్లు కొని వాటిలో మూడు టామ్‌కు ఇస్తుంది. ఆమె వద్ద ఇంకా ఎన్ని గుడ్లు ఉన్నాయి?",
    "th": "แอนาซื้อไข่ 12 ฟองและให้ทอมไปสามฟอง  เธอเหลือไข่กี่ฟอง",
    "ja": "アナは卵を12個買い、そのうち3個をトムにあげました。彼女の手元に残っている卵は何個ですか？",
    "zh": "安娜买了12个鸡蛋，给了汤姆其中的三个。她还剩下多少个鸡蛋？",
    "ru": "Анна покупает 12 яиц и отдаёт три из них Тому. Сколько яиц у неё осталось?",
    "es": "Ana compra 12 huevos y le da tres a Tom. ¿Cuántos huevos le quedan?",
    "fr": "Ana achète 12 œufs et en donne trois à Tom. Combien d'œufs lui reste-t-il ?",
    "de": "Ana kauft 12 Eier und gibt Tom drei davon. Wie viele Eier hat sie noch?",
}
Seen = list[tuple[str, str]]


@pytest.fixture(scope="module")
def language_check() -> LanguageCheck:
    check = LanguageCheck()
    check.open()
    return check


def run(check: Check, language: str, source: str | None, text: str | None) -> tuple[float | None, Seen]:
    """Score a text as question of one row and rationale of another; both must give the same."""
    rows = [
        {"language": language, f"source_{part}": source, part: text, f"back_{part}": text}
        for part in ("question", "rationale")
    ]
    scored = check.score(from_rows(rows))
    fields = [f"{check.name}_{part}" for part in ("question", "rationale")]
    assert set(scored.scores) == set(fields) <= set(SCORES)
    (question, none), (also_none, rationale) = (scored.scores[field] for field in fields)
    assert none is None
    assert also_none is None
    assert question == rationale
    assert [seen.part for seen in scored.observations[0] + scored.observations[1]] == (
        ["question"] * len(scored.observations[0]) + ["rationale"] * len(scored.observations[1])
    )
    return question, [(seen.reason, seen.detail) for seen in scored.observations[0]]


# Language


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_a_language_is_itself_and_no_other(language: str, language_check: LanguageCheck) -> None:
    score, seen = run(language_check, language, EGGS, TRANSLATIONS[language])
    assert score is not None
    assert 0.7 <= score <= 1.0
    assert seen == []
    for other in TRANSLATIONS.keys() - {language}:
        score, seen = run(language_check, other, EGGS, TRANSLATIONS[language])
        assert score is not None
        assert score < 0.3, other
        assert [reason for reason, _ in seen] == ["language.wrong"]


@pytest.mark.parametrize(
    ("language", "text", "low", "high", "looks"),
    [
        ("sw", EGGS, 0.0, 0.1, "looks like English ("),
        ("th", EGGS, 0.0, 0.0, "looks like English ("),
        # Names and units of measure left in Latin letters are no English.
        ("zh", "Janet Smith 在 Netflix 上看了 16 集，每集 45 min。她看了多少分钟？", 0.85, 1.0, None),
        ("th", "Janet ขับรถ 60 km ไปหา Tom", 0.8, 1.0, None),
        # Half a text in English is half a text.
        ("te", TRANSLATIONS["te"] + " " + EGGS, 0.3, 0.7, None),
        ("zh", "安娜买了鸡蛋。 how many eggs does she have left after that", 0.1, 0.5, "looks like English"),
        ("ja", TRANSLATIONS["zh"], 0.0, 0.0, "looks like Chinese (1.00)"),
        ("zh", TRANSLATIONS["ja"], 0.0, 0.2, "looks like Japanese"),
        # A short Japanese sentence may be mostly characters; a Chinese one has no kana at all.
        ("ja", "30人の生徒の半分は男子です。", 0.99, 1.0, None),
        ("ja", "合計18個です。", 0.99, 1.0, None),
        # Hindi: of a script that none of the eleven has.
        ("bn", "उसके पास कितने अंडे बचे हैं?", 0.0, 0.0, "looks like a script that none of the languages has (1.00)"),
        # Equations, LaTeX, code and addresses are of no language.
        (
            "bn",
            "৪৮/2 = ২৪ টি ডিম $x_{half} = \\frac{total}{two}$ `print(total)` https://example.org/eggs",
            1.0,
            1.0,
            None,
        ),
    ],
)
def test_language_of_mixed_texts(
    language: str, text: str, low: float, high: float, looks: str | None, language_check: LanguageCheck
) -> None:
    score, seen = run(language_check, language, EGGS, text)
    assert score is not None
    assert low <= score <= high
    if looks is None:
        assert seen == [] or score < 0.5
    else:
        assert [reason for reason, _ in seen] == ["language.wrong"]
        assert seen[0][1].startswith(looks)


@pytest.mark.parametrize("text", [None, "", "48/2 = 24", "<<48/2=24>>24", "$$x = 5$$", "১২ + ৩ = ১৫", "😀 !?"])
def test_a_text_without_letters_has_no_language(text: str | None, language_check: LanguageCheck) -> None:
    assert run(language_check, "fr", EGGS, text) == (None, [])


def test_a_check_is_pickled_before_it_is_opened(language_check: LanguageCheck) -> None:
    check = pickle.loads(pickle.dumps(LanguageCheck()))  # noqa: S301 our own bytes
    check.open()
    text = TRANSLATIONS["sw"]
    assert run(check, "sw", EGGS, text) == run(language_check, "sw", EGGS, text)


def test_a_model_file_is_known_by_its_content(tmp_path: Path) -> None:
    built_in = LanguageCheck()
    copy = tmp_path / "copy.ftz"
    assert built_in._identifier._path is not None
    copy.write_bytes(built_in._identifier._path.read_bytes())
    check = LanguageCheck(str(copy))
    check.open()
    score, _ = run(check, "de", EGGS, TRANSLATIONS["de"])
    assert score is not None
    assert score > 0.9
    assert str(tmp_path) not in check.signature
    content = check.signature.split("|")[2]
    copy.write_bytes(copy.read_bytes() + b"\0")
    assert LanguageCheck(str(copy)).signature.split("|")[2] != content


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("missing.ftz", "not found"),
        ("lid.177.ftz", "not found"),
        ("some/folder/", "not found"),
        ("/missing/model.bin", "not found"),
        ("{folder}", "is a folder"),
        ("{folder}/text.bin", "fastText can't load it"),
        # HF_HUB_OFFLINE: what is not in the cache can't be had.
        ("cis-lmu/no-such-model/model.bin", "not to be had from the Hub"),
    ],
)
def test_a_wrong_model_is_one_line(model: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "text.bin").write_text("this is no model\n")
    with pytest.raises(ModelError) as raised:
        LanguageCheck(model.format(folder=tmp_path)).open()
    text = str(raised.value)
    assert message in text
    assert "valid: lid.176.ftz (built in)" in text
    assert "\n" not in text


# Back-translation


def chrf_pairs() -> list[tuple[str, str]]:
    longest = "".join(chr(0x4E00 + number) for number in range(1200))
    return [
        (EGGS, EGGS),
        ("Anna buys twelve eggs and gave 3 to Tom. How many are left?", EGGS),
        *((text, EGGS) for text in TRANSLATIONS.values()),
        *((text, text[3:] + " " + text[:9]) for text in TRANSLATIONS.values()),
        ("", ""), ("", "a"), ("a", ""), (" ", " \n"), ("a", "a"), ("a", "b"), ("ab", "a"), ("abc def", "abc"),
        ("(hi)", "hi"), ("it's (ok).", "its ok"), ("a b", "b a"), ("...", ". . ."), ("aaaaaaa", "aaaaaaaaaaa"),
        ("x\u2003y\u00a0z", "x y z"), ("😀 eggs", "😀 egg"),
        # So many different characters that no 64-bit key holds six of them.
        (longest, longest[50:900] + longest[:70]),
    ]  # fmt: skip


def test_chrf_equals_sacrebleu() -> None:
    pairs = chrf_pairs()
    # Together, so that a pair's n-grams could leak into its neighbour's, and more than are counted at once.
    hypotheses, references = zip(*(pairs * 9), strict=True)
    metric = CHRF(word_order=2)
    expected = [metric.sentence_score(hypothesis, [reference]).score for hypothesis, reference in pairs] * 9
    assert chrf_plus_plus(hypotheses, references) == pytest.approx(expected, abs=1e-9)
    assert [chrf_plus_plus([left], [right])[0] for left, right in pairs] == pytest.approx(
        expected[: len(pairs)], abs=1e-9
    )
    assert chrf_plus_plus([], []) == []


def test_chrf_equals_sacrebleu_on_real_texts(shared_data: Path) -> None:
    texts = {code: _mgsm(shared_data, code)[:60] for code in ("en", "de", "es", "bn", "zh")}
    metric = CHRF(word_order=2)
    for left, right in (("de", "en"), ("es", "de"), ("bn", "bn"), ("zh", "en")):
        hypotheses = [" ".join(text.split()[::2]) for text in texts[left]]
        expected = [
            metric.sentence_score(*pair).score for pair in zip(hypotheses, [[t] for t in texts[right]], strict=True)
        ]
        assert chrf_plus_plus(hypotheses, texts[right]) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("source", "back", "score"),
    [
        (EGGS, EGGS, 100.0),
        (EGGS, None, None),
        (None, EGGS, None),
        (EGGS, "", 0.0),
        ("48/2 = <<48/2=24>>24 clips", "48/2 = 24 clips", 100.0),
        ("48/2 = 24 clips", "48/2 = <<48/2=24>>24 clips", 100.0),
    ],
)
def test_back_translation(source: str | None, back: str | None, score: float | None) -> None:
    assert run(BackTranslationCheck(), "sw", source, back) == (
        pytest.approx(score) if score is not None else None,
        [],
    )


def test_signature_names_the_metric_as_sacrebleu_does() -> None:
    metric = CHRF(word_order=2)
    metric.sentence_score("a", ["a"])
    theirs = str(metric.get_signature()).rpartition("|version:")[0]
    assert BackTranslationCheck().signature.startswith(f"chrF2++|{theirs}|version:")


# Length


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
    sources, texts = _mgsm(shared_data, "en"), _mgsm(shared_data, language)
    cuts = [text[: int(0.45 * len(text))] for text in texts]
    for candidates, low, high in ((texts, 0.99, 1.0), (cuts, 0.0, 0.02)):
        pairs = zip(sources, candidates, strict=True)
        rows = from_rows([{"language": language, "source_question": s, "question": t} for s, t in pairs])
        values = LengthCheck().score(rows).scores["length_question"]
        assert low <= sum(value is not None and value >= 0.55 for value in values) / len(values) <= high


# Untranslated


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


# Real translations: what the default bands do to them


def _mgsm(shared_data: Path, language: str) -> list[str]:
    return [row["question"] for row in json.loads((shared_data / "mgsm" / f"test_{language}.json").read_text("utf-8"))]


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_false_and_missed_alarms_on_mgsm(language: str, shared_data: Path, language_check: LanguageCheck) -> None:
    sources, texts = _mgsm(shared_data, "en"), _mgsm(shared_data, language)
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
