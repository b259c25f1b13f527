"""datatrove's filters, run over documents in memory: reading and writing are left out of the time."""

import json
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.peers.clock import Given, Part, Work, run_part

# Of what its table of word splitters calls the languages.
SPLITTERS = {
    "sw": "swh_Latn", "bn": "ben_Beng", "te": "tel_Telu", "th": "tha_Thai", "ja": "jpn_Jpan", "zh": "cmn_Hani",
    "ru": "rus_Cyrl", "es": "spa_Latn", "fr": "fra_Latn", "de": "deu_Latn",
}  # fmt: skip


def over_documents(steps: list[tuple[Any, list[str]]]) -> Work:
    """Each filter over its texts; once over the first before, so that its model is loaded."""
    from datatrove.data import Document  # type: ignore[import-not-found]

    def run(step: Any, texts: list[str]) -> int:
        documents = (Document(text=text, id=str(place)) for place, text in enumerate(texts))
        return sum(1 for _ in step.run(documents))

    for step, texts in steps:
        run(step, texts[:1])
    return lambda: [run(step, texts) for step, texts in steps]


def language(given: Given) -> Work:
    """`LanguageFilter`, its model put in place of the one that it would fetch."""
    from datatrove.pipeline.filters import LanguageFilter  # type: ignore[import-not-found]
    from fasttext.FastText import _FastText

    step = LanguageFilter(label_only=True)
    step.model._model = _FastText(str(given.model))
    return over_documents([(step, given.texts())])


def repetition(given: Given) -> Work:
    """`GopherRepetitionFilter` by language, as words are split by language."""
    from datatrove.pipeline.filters import GopherRepetitionFilter

    return over_documents(
        [(GopherRepetitionFilter(language=SPLITTERS[code]), texts) for code, texts in given.by_language().items()]
    )


def contamination(given: Given) -> Work:
    """`NGramsDecontFilter` over the sources.

    Its index is made here of the filter's own words, n-grams and hashes, as its indexer wants all of lighteval.
    """
    import numpy as np
    from datatrove.pipeline.decont import NGramsDecontConfig, NGramsDecontFilter  # type: ignore[import-not-found]
    from datatrove.utils.text import ngrams, simplify_text  # type: ignore[import-not-found]

    if given.benchmark is None:
        raise SystemExit("contamination needs --benchmark")
    problems = [row["question"] for row in json.loads(given.benchmark.read_text("utf-8"))]
    config = NGramsDecontConfig(find_query_ngrams=True)
    with tempfile.TemporaryDirectory() as folder:
        step = NGramsDecontFilter(folder, config, language="eng_Latn")
        hashes = {
            step.hash_func(" ".join(run))
            for problem in problems
            for run in ngrams(step.tokenizer.word_tokenize(simplify_text(problem, config.norm_config)), config.n_grams)
        }
        values = np.array(sorted(hashes), dtype=config.hash_config.np_descr)
        values.tofile(Path(folder) / "mgsm.index.hashes")
        return over_documents([(step, given.texts("source_question"))])


PARTS = {
    "language": Part(
        language,
        "LanguageFilter: probabilities of all 176 labels for the whole text; names and the source are not looked at",
    ),
    "repetition": Part(
        repetition,
        "GopherRepetitionFilter: lines, paragraphs and n-grams of 2 to 10 words, the text split by spaCy, PyThaiNLP "
        "or Indic NLP; a text is left at the first sign",
    ),
    "contamination": Part(
        contamination,
        "NGramsDecontFilter: one run of 12 words in common, in English alone, numbers all alike, so that a problem "
        "told with other numbers counts as a leak; translations are not looked at; a text is left at the first run",
    ),
}

if __name__ == "__main__":
    run_part(PARTS, ["datatrove", "fasttext-numpy2-wheel", "spacy", "pythainlp", "indic-nlp-library"])
