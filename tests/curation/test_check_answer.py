"""The answer check: the translated solution's answer is the gold one."""

import pytest

from curation.checks.answer import AnswerCheck
from curation.checks.base import Observation
from mcot.core.languages import TARGETS, Language
from mcot.core.rows import from_rows


def _check(language: str, rationale: str | None, answer: str | None) -> tuple[float | None, list[Observation]]:
    scored = AnswerCheck().score(
        from_rows([{"id": "1", "language": language, "rationale": rationale, "answer": answer}])
    )
    return scored.scores["answer_rationale"][0], scored.observations[0]


@pytest.mark.parametrize(
    ("language", "rationale", "answer", "score"),
    [("de", "3 + 15 = 18. Die Antwort ist 18.", "18", 1.0),
     ("bn", "উত্তর হল ১৮।", "18", 1.0),
     ("fr", "La réponse est 1 234,5.", "1234.5", 1.0),
     ("es", "La respuesta es 2.500.", "2500", 1.0),
     ("es", "La respuesta es 2.500.", "2.5", 1.0),
     ("ja", "答えは3万です。", "30000", 1.0),
     ("sw", "Mayai 18\n#### 18", "18", 1.0),
     ("ru", "Ответ: 1/2.", "0.5", 1.0),
     ("zh", "所以她有18个。", "18", 1.0),
     ("zh", "所以她有17个。", "18", None),
     ("th", "", "18", None),
     ("th", None, "18", None),
     ("te", "సమాధానం 18.", None, None),
     ("te", "సమాధానం 18.", "(B)", None)],
)  # fmt: skip
def test_score(language: str, rationale: str | None, answer: str | None, score: float | None) -> None:
    assert _check(language, rationale, answer) == (score, [])


@pytest.mark.parametrize("language", TARGETS, ids=lambda language: language.code)
def test_each_language_states_it(language: Language) -> None:
    code, phrase = language.code, language.answer_phrase
    assert _check(code, phrase.format(answer="18"), "18") == (1.0, [])
    differs = Observation("answer.differs", "rationale", "17, gold is 18")
    assert _check(code, phrase.format(answer="17"), "18") == (0.0, [differs])
