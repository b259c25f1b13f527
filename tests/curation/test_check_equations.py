"""The equations check: the translation calculates what its source does."""

import pytest

from curation.checks.base import Observation
from curation.checks.equations import EquationsCheck
from curation.demo.generator import draw_problems, load_texts
from mcot.core.languages import TARGETS
from mcot.core.rows import from_rows

STEPS = "She sold 48/2 = <<48/2=24>>24 clips.\nIn all 48+24 = <<48+24=72>>72 clips.\n#### 72"


def _check(language: str, source: str | None, translation: str | None) -> tuple[float | None, list[Observation]]:
    row = {"id": "1", "language": language, "source_rationale": source, "rationale": translation}
    scored = EquationsCheck().score(from_rows([row]))
    return scored.scores["equations_rationale"][0], scored.observations[0]


@pytest.mark.parametrize(
    ("language", "source", "translation"),
    [("de", STEPS, "Sie verkaufte 48/2 = <<48/2=24>>24 Klammern.\nZusammen 48+24 = <<48+24=72>>72.\n#### 72"),
     ("bn", STEPS, "তিনি ৪৮ ÷ ২ = ২৪টি বিক্রি করেন।\nমোট ৪৮ + ২৪ = ৭২টি।"),
     ("sw", "5 x 3 = 15 eggs", "5 * 3 = mayai 15"),
     ("fr", "1.5 * 2 = 3 and 1,000 + 1 = 1,001", "1,5 × 2 = 3 et 1 000 + 1 = 1 001"),
     ("ja", "60% of 10 = 6", "10の60%=6"),
     ("ja", "21 in the first row + 15 in the second row = 36", "1列目の21 + 2列目の15 = 36"),
     ("de", "2 times 3 = 6", "2 x 3 = 6"),
     ("es", "(5 * 3) + 2 = 17", "5 × 3 + 2 = 17"),
     ("de", "48/2 is 24", "48/2 = 24"),
     ("ru", "2 weeks have 2*7 = 14 days", "в 2 неделях 2*7 = 14 дней"),
     ("ru", "In the second week 1/2 * 5000 = 2500", "На второй — 1/2 * 5000 = 2500"),
     ("ru", "1 hour = 60 minutes. 2 * 60 = 120", "В часе 60 минут. 2 * 60 = 120"),
     ("ru", "3 hours are 3 * 60 = 180", "3 часа — это 3 * 60 = 180"),
     ("de", "That is 3 * 4 = 12 of 20 eggs.", "Von 20 Eiern – also Eiern – sind das 3 * 4 = 12."),
     ("th", "In all <<5+5=10>>10. 10 * 2 = 20", "ทั้งหมด 10  10 × 2 = 20")],
)  # fmt: skip
def test_same(language: str, source: str, translation: str) -> None:
    assert _check(language, source, translation) == (1.0, [])


@pytest.mark.parametrize(
    ("source", "translation", "score", "seen"),
    [("48/2 = 24", "48/3 = 24", 0.0,
      {"equations.altered": "48/2 = 24 became 48/3 = 24", "equations.false": "48/3 = 24 does not hold"}),
     ("48/2 = 24", "48*2 = 24", 0.0,
      {"equations.altered": "48/2 = 24 became 48*2 = 24", "equations.false": "48*2 = 24 does not hold"}),
     ("3 * 4 = 12", "4 * 3 = 12", 0.0, {"equations.altered": "3 * 4 = 12 became 4 * 3 = 12"}),
     ("(5 + 3) * 2 = 16", "5 + 3 * 2 = 16", 0.0,
      {"equations.altered": "(5 + 3) * 2 = 16 became 5 + 3 * 2 = 16",
       "equations.false": "5 + 3 * 2 = 16 does not hold"}),
     ("1 + 1 = 2\n2 + 1 = 3", "1 + 1 = 2", 0.5, {"equations.missing": "2 + 1 = 3 is missing"}),
     ("1 + 1 = 2", "1 + 1 = 2\n2 + 1 = 3", 0.5, {"equations.added": "2 + 1 = 3 is not in the source"}),
     ("1 + 1 = 2", "zwei", 0.0, {"equations.missing": "1 + 1 = 2 is missing"}),
     ("5 * 3 = 15\n2 * 4 = 8", "5 * 3 = 8\n2 * 4 = 15", 0.0,
      {"equations.altered": "2 * 4 = 8 became 2 * 4 = 15", "equations.false": "2 * 4 = 15 does not hold"}),
     ("Cost = 15 dollars\nSale = 8 dollars", "Kosten = 8 Dollar\nPreis = 15 Dollar", 0.5,
      {"equations.missing": "15 is missing", "equations.added": "15 is not in the source"}),
     ("He has 7.\n1 + 1 = 2", "1 + 1 = 2\nEr hat 7.", 0.0,
      {"equations.altered": "steps 1, 2 stand in another order"}),
     ("1 + 1 = 3", "1 + 1 = 3", 1.0, {"equations.source_false": "the source's own: 1 + 1 = 3"})],
)  # fmt: skip
def test_altered(source: str, translation: str, score: float, seen: dict[str, str]) -> None:
    got, observations = _check("de", source, translation)
    assert got == pytest.approx(score)
    assert seen.items() <= {observation.reason: observation.detail for observation in observations}.items()


@pytest.mark.parametrize(
    ("source", "translation"),
    [(None, None), ("1 + 1 = 2", None), ("She has 3.", "Sie hat 3."), ("", "")],
)
def test_nothing_to_compare(source: str | None, translation: str | None) -> None:
    assert _check("de", source, translation) == (None, [])


def test_swapped_steps_are_seen_once() -> None:
    first, second, answer = STEPS.split("\n")
    score, observations = _check("de", STEPS, f"{second}\n{first}\n{answer}")
    assert score == 0.5
    assert [one.reason for one in observations] == ["equations.missing", "equations.added"]


@pytest.mark.parametrize("language", [language.code for language in TARGETS])
def test_parallel_solutions(language: str) -> None:
    english, texts = load_texts("en"), load_texts(language)
    for problem in draw_problems(5, 20):
        source, translation = ("\n".join(table.solution(problem)) for table in (english, texts))
        assert _check(language, source, translation)[0] == 1.0
