"""OpusFilter's filters, each alone, and its two sets of filters whole."""

import logging
from typing import Any

from benchmarks.opusfilter_peer.run import make_filters
from benchmarks.peers.clock import Given, Part, Work, run_part

Pairs = list[tuple[str, str]]


def pairs_by_language(given: Given) -> dict[str, Pairs]:
    """Source and translation of every row."""
    found: dict[str, Pairs] = {}
    for row, source, text in zip(given.rows, given.texts("source_question"), given.texts(), strict=True):
        found.setdefault(row["language"], []).append((source, text))
    return found


def score_all(made: list[tuple[Any, Pairs]]) -> Work:
    """Every filter's scores, after each has read its models."""
    for one, pairs in made:
        list(one.score(pairs[:1]))
    return lambda: [list(one.score(pairs)) for one, pairs in made]


def alone(name: str, given: Given, **parameters: Any) -> Work:
    """One filter with its default parameters."""
    from opusfilter import filters  # type: ignore[import-not-found]

    return score_all([(getattr(filters, name)(**parameters), pairs) for pairs in pairs_by_language(given).values()])


def lingua(given: Given) -> Work:
    """Its own choice of language identification, in both languages of a pair."""
    from opusfilter.lid import LinguaFilter  # type: ignore[import-not-found]

    by_language = pairs_by_language(given).items()
    return score_all([(LinguaFilter(languages=["en", code]), pairs) for code, pairs in by_language])


def fast_text(given: Given) -> Work:
    """With the model of all others, in both languages of a pair."""
    from opusfilter.lid import FastTextFilter

    path = str(given.model.resolve())
    by_language = pairs_by_language(given).items()
    return score_all([(FastTextFilter(languages=["en", code], model_path=path), pairs) for code, pairs in by_language])


def whole(name: str, given: Given) -> Work:
    """All filters of a set on every pair, as its score step does."""
    by_language = pairs_by_language(given).items()
    return score_all([(one, pairs) for code, pairs in by_language for _, one in make_filters(code, name)])


PARTS = {
    "language": Part(fast_text, "FastTextFilter: lid.176's likeliest label; source and translation both"),
    "language, Lingua": Part(
        lingua, "LinguaFilter, which its generated configurations use; source and translation both"
    ),
    "length": Part(
        lambda given: alone("LengthRatioFilter", given, unit="char"),
        "LengthRatioFilter in characters: one ratio for all languages; the end is not looked at",
    ),
    "repetition": Part(
        lambda given: alone("RepetitionFilter", given),
        "RepetitionFilter: one regular expression for a string of 3 to 100 characters that comes again at once",
    ),
    "numbers": Part(
        lambda given: alone("NonZeroNumeralsFilter", given),
        "NonZeroNumeralsFilter: likeness of the sequences of non-zero digits; no number words, no fractions",
    ),
    "untranslated": Part(
        lambda given: alone("SimilarityFilter", given),
        "SimilarityFilter: edit distance between source and translation as wholes",
    ),
    "whole": Part(
        lambda given: whole("defaults", given),
        "all of its default filters on every pair (its score step); no chrF, no reading, no writing",
    ),
    "whole, chosen": Part(
        lambda given: whole("chosen", given),
        "five default filters that suit the texts, on every pair; no chrF, no reading, no writing",
    ),
}

if __name__ == "__main__":
    logging.disable(logging.WARNING)
    run_part(PARTS, ["opusfilter", "lingua-language-detector", "fasttext-predict"])
