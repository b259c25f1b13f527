"""Read the answers out of responses and hold them against the gold ones."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Literal, NamedTuple, get_args

import pyarrow as pa

from evaluation import official, robust
from evaluation.markers import find_markers
from evaluation.samples import SCHEMA
from evaluation.statements import own_part
from mcot.core.errors import UserError, choose
from mcot.core.language_id import LanguageIdentifier
from mcot.core.languages import LANGUAGES
from mcot.core.progress import Progress
from mcot.core.reading import expect

__all__ = ["SCORERS", "ScorerName", "score_samples", "scorer_signature"]

ScorerName = Literal["robust", "official"]
SCORERS: tuple[ScorerName, ...] = get_args(ScorerName)

# Below this probability of the language asked for, a response is read in the language that it is in: a model that
# was asked in German and reasons in English writes 1,250 for 1250.
_IN_ANOTHER_LANGUAGE = 0.2
# A response's language shows in this many characters.
_TELLING_CHARACTERS = 2000
_BATCH = 500
# Fewer words than this, a label or a unit, do not show a language; nor do fewer characters of an unspaced script.
_FEWEST_WORDS, _FEWEST_CHARACTERS = 5, 10
_WORD = re.compile(r"[^\W\d_]{2,}")
_UNSPACED = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u4e00-\u9fff]")


class _Scored(NamedTuple):
    """What scoring fills in of one sample."""

    prediction: str | None
    correct: bool
    response_language: str | None
    in_language: float | None


def scorer_signature(scorer: str) -> str:
    """What a scorer's results depend on: its name and version, and how languages are told.

    Raises:
        UserError: there is no such scorer.
    """
    _check(scorer)
    version = official.VERSION if scorer == "official" else robust.VERSION
    return f"{scorer}|version:{version}|language:{_identifier().signature}"


def score_samples(samples: pa.Table, scorer: str = "robust") -> pa.Table:
    """Fill in what scoring fills in: prediction, correct, scorer, response_language, in_language.

    Args:
        samples: of the schema, with language, gold and response; in any order.
        scorer: one of `SCORERS`.

    Raises:
        UserError: there is no such scorer.
    """
    _check(scorer)
    score = _score_officially if scorer == "official" else _score_robustly
    scored: list[_Scored] = []
    with Progress("scoring", total=len(samples), unit="responses") as progress:
        for batch in samples.select(["response", "language", "gold", "ended"]).to_batches(_BATCH):
            responses, *columns = (column.to_pylist() for column in batch.columns)
            texts = [response or "" for response in responses]
            languages = _tell_languages(texts)
            scored += [
                _score_one(text, found, language, gold, ended, score)
                for text, found, language, gold, ended in zip(texts, languages, *columns, strict=True)
            ]
            progress.advance(len(batch))
    filled = {name: [getattr(one, name) for one in scored] for name in _Scored._fields}
    filled["scorer"] = [scorer] * len(samples)
    arrays = [
        pa.array(filled[field.name], field.type) if field.name in filled else samples[field.name] for field in SCHEMA
    ]
    return pa.table(arrays, schema=SCHEMA)


_Score = Callable[[str, str, str, bool | None], tuple[str | None, bool]]


def _tell_languages(responses: Sequence[str]) -> list[Mapping[str, float]]:
    texts = [own_part(response)[:_TELLING_CHARACTERS] for response in responses]
    expect(texts)
    return _identifier().probabilities([(text, None, None) for text in texts])


def _score_one(
    response: str, probabilities: Mapping[str, float], language: str, gold: str, ended: bool | None, score: _Score
) -> _Scored:
    likeliest = max(probabilities, key=lambda code: probabilities[code]) if probabilities else None
    asked = min(probabilities.get(language, 0.0), 1.0) if probabilities else None
    elsewhere = asked is not None and asked < _IN_ANOTHER_LANGUAGE and likeliest in LANGUAGES
    if likeliest and elsewhere and _is_evident(own_part(response), likeliest):
        language = likeliest
    prediction, correct = score(response, language, gold, ended)
    return _Scored(prediction, correct, likeliest if likeliest in LANGUAGES else None, asked)


def _is_evident(text: str, language: str) -> bool:
    """Whether a text shows its language: by announcing an answer in it, or by a sentence. "Total = 1.250" does not."""
    if any(marker.language == language for marker in find_markers(text, language)):
        return True
    return len(_WORD.findall(text)) >= _FEWEST_WORDS or len(_UNSPACED.findall(text)) >= _FEWEST_CHARACTERS


def _score_robustly(response: str, language: str, gold: str, ended: bool | None) -> tuple[str | None, bool]:
    prediction = robust.read_robustly(response, language, ended=ended)
    return prediction, robust.equals(prediction, gold)


def _score_officially(response: str, _language: str, gold: str, _ended: bool | None) -> tuple[str | None, bool]:
    prediction = official.read_officially(response, gold)
    return prediction, official.equals_officially(prediction, gold)


@cache
def _identifier() -> LanguageIdentifier:
    identifier = LanguageIdentifier()
    identifier.open()
    return identifier


def _check(scorer: str) -> None:
    if scorer not in SCORERS:
        raise UserError(f"scorer: got {scorer!r}; {choose(scorer, SCORERS)}")
