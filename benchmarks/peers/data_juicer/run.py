"""Data-Juicer's filters, called on batches of 1,000 samples in memory: its dataset layer is left out of the time."""

import tempfile
from pathlib import Path
from typing import Any

from benchmarks.peers.clock import Given, Part, Work, run_part

# What its operators take by default.
BATCH = 1000


def over_batches(operator: Any, given: Given) -> Work:
    """Statistics and decisions of a filter for every question."""
    from data_juicer.utils.constant import Fields  # type: ignore[import-not-found]

    texts = given.texts()

    def batch(start: int) -> dict[str, list[Any]]:
        chosen = texts[start : start + BATCH]
        return {operator.text_key: chosen, Fields.stats: [{} for _ in chosen]}

    def work() -> None:
        for start in range(0, len(texts), BATCH):
            list(operator.process(operator.compute_stats(batch(start))))

    return work


def language(given: Given) -> Work:
    """`language_id_score_filter`; the model where its cache looks for one, under the name that it asks for."""
    from data_juicer.ops.filter import language_id_score_filter as module  # type: ignore[import-not-found]
    from data_juicer.utils import model_utils  # type: ignore[import-not-found]

    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "lid.176.bin").symlink_to(given.model.resolve())
        model_utils.DJEMH = folder
        operator = module.LanguageIDScoreFilter(min_score=0.5)
        work = over_batches(operator, Given(given.path, given.rows[:1], given.model, None))
        work()
    return over_batches(operator, given)


def repetition(given: Given) -> Work:
    """`character_repetition_filter`, then `word_repetition_filter` at their defaults."""
    from data_juicer.ops.filter.character_repetition_filter import (  # type: ignore[import-not-found]
        CharacterRepetitionFilter,
    )
    from data_juicer.ops.filter.word_repetition_filter import (  # type: ignore[import-not-found]
        WordRepetitionFilter,
    )

    works = [over_batches(one(), given) for one in (CharacterRepetitionFilter, WordRepetitionFilter)]
    return lambda: [work() for work in works]


PARTS = {
    "language": Part(
        language,
        "language_id_score_filter: the likeliest of lid.176's 176 labels for the whole text, one threshold for all; no "
        "probability of the row's own language, names and the source are not looked at",
    ),
    "repetition": Part(
        repetition,
        "character_repetition_filter and word_repetition_filter: one ratio each over n-grams of 10 characters and of "
        "10 words; words by spaces, in every language",
    ),
}

if __name__ == "__main__":
    run_part(PARTS, ["py-data-juicer", "fasttext-predict", "datasets"])
