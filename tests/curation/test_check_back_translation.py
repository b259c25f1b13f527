"""Back-translations: chrF++ that is sacreBLEU's, and what the check makes of texts."""

from pathlib import Path

import pytest
from sacrebleu.metrics.chrf import CHRF

from curation.checks.back_translation import BackTranslationCheck, chrf_plus_plus
from tests.curation.checked_texts import EGGS, TRANSLATIONS, mgsm_questions, run


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
    texts = {code: mgsm_questions(shared_data, code)[:60] for code in ("en", "de", "es", "bn", "zh")}
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
