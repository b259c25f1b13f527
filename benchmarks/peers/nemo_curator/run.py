"""NeMo Curator's filters and metrics, called as its stages on one batch in memory: Ray is left out of the time."""

from typing import Any

from benchmarks.peers.clock import Given, Part, Work, run_part


def over_batch(stages: list[Any], columns: dict[str, list[str]]) -> Work:
    """Stages one after another over a batch."""
    import pandas as pd
    from nemo_curator.tasks import DocumentBatch  # type: ignore[import-not-found]

    for stage in stages:
        stage.setup()

    def work(length: int | None = None) -> None:
        frame = pd.DataFrame({name: texts[:length] for name, texts in columns.items()})
        batch = DocumentBatch(dataset_name="rows", data=frame)
        for stage in stages:
            batch = stage.process(batch)

    work(1)
    return work


def language(given: Given) -> Work:
    """`FastTextLangId` through `Score`."""
    from nemo_curator.stages.text.filters import Score  # type: ignore[import-not-found]
    from nemo_curator.stages.text.filters.fasttext import FastTextLangId  # type: ignore[import-not-found]

    stage = Score(FastTextLangId(model_path=str(given.model)), score_field="language")
    return over_batch([stage], {"text": given.texts()})


def chrf(given: Given) -> Work:
    """Its stage for back-translations, `chrf` alone."""
    from nemo_curator.stages.text.experimental.translation.evaluation.text_quality import (  # type: ignore[import-not-found]
        TextQualityMetricStage,
    )

    stage = TextQualityMetricStage(metrics=[{"type": "chrf", "threshold": 50.0}])
    columns = {"text": given.texts("source_question"), "backtranslated_text": given.texts("back_question")}
    return over_batch([stage], columns)


def repetition(given: Given) -> Work:
    """Its filters of repeated n-grams, by language, as words are split by language."""
    from nemo_curator.stages.text.filters import Score
    from nemo_curator.stages.text.filters.heuristic.repetition import (  # type: ignore[import-not-found]
        RepeatingDuplicateNGramsFilter,
        RepeatingTopNGramsFilter,
    )

    works = []
    for code, texts in given.by_language().items():
        filters = [RepeatingTopNGramsFilter(n=n, lang=code) for n in (2, 3, 4)]
        filters += [RepeatingDuplicateNGramsFilter(n=n, lang=code) for n in range(5, 11)]
        stages = [Score(one, score_field=f"score_{place}") for place, one in enumerate(filters)]
        works.append(over_batch(stages, {"text": texts}))
    return lambda: [work() for work in works]


PARTS = {
    "language": Part(
        language,
        "FastTextLangId in a Score stage: the likeliest of lid.176's 176 labels for the whole text; no probability of "
        "the row's own language, names and the source are not looked at",
    ),
    "chrF": Part(
        chrf,
        "TextQualityMetricStage, metric chrf: sacreBLEU's sentence chrF, without the word n-grams of chrF++",
    ),
    "repetition": Part(
        repetition,
        "the n-gram filters of Gopher (n 2 to 10), each splitting the text again; words by spaces but for zh and ja",
    ),
}

if __name__ == "__main__":
    run_part(PARTS, ["nemo-curator", "fasttext", "sacrebleu", "pandas"])
