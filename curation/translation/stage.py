"""The stages that translate rows: from English, and back."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa

from curation.translation.base import Translator
from curation.translation.carried import CarriedTexts
from curation.translation.memory import TranslationMemory
from curation.translation.remote import RemoteTranslator, TranslationWorker
from curation.translation.texts import Job, Pair, Texts, TranslatedPair, TranslatedText, translate_pairs
from mcot.core.languages import ENGLISH, Language, get_language
from mcot.core.rows import SCHEMA, SCORES, cast, from_rows, row_id
from mcot.core.runs import sign

__all__ = ["BackTranslateStage", "TranslateStage", "TranslatedText", "read_counts", "with_counts"]

# The rows' details name at most so many lost spans; a person needs no more to see what went wrong.
_NAMED_SPANS = 3
_COUNTS = b"mcot.translation"
# What a row's verdicts are found by.
_SOURCE = ["problem_id", "source_question", "source_rationale"]


class _TranslatingStage:
    """What both directions share.

    Shards follow one another, as the memory holds what those before have translated. What the model does with a batch
    depends on the batch alone, and languages have nothing to do with one another: both may be done elsewhere and at
    once (`mcot.core.engines.Shared`).

    Args:
        folder: where the translation memory is.
        code: of the direction, in the signature.
        carried: what people accepted or corrected before anything was translated.
    """

    name: str
    notify: Callable[[str], None] | None = None
    call: Callable[[Sequence[tuple[Any, ...]]], Iterator[Any]] | None = None

    def __init__(
        self, translator: Translator, folder: Path, *, protect: bool, code: str, carried: CarriedTexts | None
    ) -> None:
        self.worker = TranslationWorker(translator)
        self.gpus = self.worker.gpus
        self._translator, self._folder, self._protect = translator, folder, protect
        # Not in the signature: verdicts that come later are applied without translating anything again.
        self._carried = carried or CarriedTexts(folder)
        self.signature = sign(code, 1, translator.signature, protect)

    def open(self) -> None:
        """Load the model, unless it is elsewhere, and open the memory."""
        translator = self._translator if self.call is None else RemoteTranslator(self._translator, self.call)
        translator.open()
        self._carried.open()
        self._memory = TranslationMemory(self._folder / "memory.sqlite")
        self._texts = Texts(translator, self._memory, protect=self._protect)

    def close(self) -> None:
        """Close the memory."""
        self._memory.close()
        self._carried.close()

    def _translate(self, work: Sequence[tuple[Job, Sequence[Pair]]]) -> list[list[TranslatedPair]]:
        """The translations of each language's texts, in order."""
        if self.call is None or not work:
            return [translate_pairs(self._texts, pairs, job) for job, pairs in work]
        threads = ThreadPoolExecutor(len(work))
        interrupted = False
        try:
            return list(threads.map(lambda part: translate_pairs(self._texts, part[1], part[0]), work))
        except (KeyboardInterrupt, SystemExit):
            # The engine then ends the workers, and with them what these threads wait for.
            interrupted = True
            raise
        finally:
            threads.shutdown(wait=not interrupted, cancel_futures=True)


class TranslateStage(_TranslatingStage):
    """English problems -> a row for each language. What people accepted or corrected is not translated.

    Args:
        languages: the targets' codes.
        include_english: whether the English row stays too. Rows that a source rejected always do.
    """

    name = "translate"

    def __init__(
        self, translator: Translator, folder: Path, *, protect: bool, languages: Sequence[str], include_english: bool,
        carried: CarriedTexts | None = None,
    ) -> None:  # fmt: skip
        super().__init__(translator, folder, protect=protect, code="translate", carried=carried)
        self._languages = [get_language(code) for code in languages]
        self._include_english = include_english
        self.signature = sign(self.signature, list(languages), include_english)

    def process(self, table: pa.Table, shard: int) -> pa.Table:
        """Rows of the shard's problems in every language."""
        problems = table.to_pylist()
        rows = [problem for problem in problems if self._include_english or problem["decision"] is not None]
        usable = [problem for problem in problems if problem["decision"] is None]
        jobs = [Job(ENGLISH, language, shard, self.notify) for language in self._languages]
        taken = [self._carried.look_up(usable, language) for language in self._languages]
        new = [
            [(p["question"], p["rationale"]) for p, text in zip(usable, texts, strict=True) if text is None]
            for texts in taken
        ]
        results = self._translate(list(zip(jobs, new, strict=True)))
        for language, texts, pairs in zip(self._languages, taken, results, strict=True):
            translated = iter(pairs)
            for problem, text in zip(usable, texts, strict=True):
                if text is None:
                    rows.append(_translated_row(problem, language, *next(translated), self._translator.name))
                else:
                    rows.append(text.to_row(problem, language))
        return with_counts(from_rows(rows), {job.target.code: job.counts for job in jobs})


class BackTranslateStage(_TranslatingStage):
    """Translations -> the same rows with their translations back into English.

    What a person wrote is not translated back: it is checked as where its verdict came after the translation.
    """

    name = "back_translate"

    def __init__(
        self, translator: Translator, folder: Path, *, protect: bool, carried: CarriedTexts | None = None
    ) -> None:
        super().__init__(translator, folder, protect=protect, code="back_translate", carried=carried)

    def process(self, table: pa.Table, shard: int) -> pa.Table:
        """Fill `back_question` and `back_rationale`."""
        languages: list[str] = table["language"].to_pylist()  # type: ignore[assignment]
        decisions, questions, rationales = (table[name].to_pylist() for name in ("decision", "question", "rationale"))
        backs: list[tuple[str | None, str | None]] = [(None, None)] * len(table)
        jobs: list[Job] = []
        places_of: list[list[int]] = []
        for code in dict.fromkeys(languages):
            places = [i for i, got in enumerate(languages) if got == code and code != "en" and decisions[i] is None]
            problems = table.select(_SOURCE).take(pa.array(places, pa.int64())).to_pylist()
            taken = self._carried.look_up(problems, get_language(code))
            places = [i for i, text in zip(places, taken, strict=True) if text is None or not text.corrected]
            if places:
                jobs.append(Job(get_language(code), ENGLISH, shard, self.notify))
                places_of.append(places)
        texts: list[list[Pair]] = [[(questions[i], rationales[i]) for i in places] for places in places_of]
        for places, translated in zip(places_of, self._translate(list(zip(jobs, texts, strict=True))), strict=True):
            for place, (question, rationale) in zip(places, translated, strict=True):
                backs[place] = (_text(question), _text(rationale))
        for position, name in enumerate(("back_question", "back_rationale")):
            values = pa.array([back[position] for back in backs], pa.string())
            table = table.set_column(SCHEMA.get_field_index(name), name, values)
        return with_counts(cast(table), {job.source.code: job.counts for job in jobs})


def _text(translated: TranslatedText | None) -> str | None:
    return None if translated is None else translated.text


def _translated_row(
    problem: Mapping[str, object], language: Language, question: TranslatedText | None,
    rationale: TranslatedText | None, translator: str,
) -> dict[str, object]:  # fmt: skip
    parts = [(name, part) for name, part in (("question", question), ("rationale", rationale)) if part is not None]
    sentences, spans = sum(part.sentences for _, part in parts), sum(part.spans for _, part in parts)
    scores: dict[str, float | None] = dict.fromkeys(SCORES)
    if sentences:
        scores["translation_ended"] = sum(part.ended for _, part in parts) / sentences
    if spans:
        scores["translation_spans"] = 1 - sum(len(part.lost) for _, part in parts) / spans
    observations = []
    for name, part in parts:
        if part.ended < part.sentences:
            cut = part.sentences - part.ended
            observations.append(("translation.unfinished", f"{name}: {cut} of {part.sentences} sentences were cut off"))
        observations += [
            ("translation.spans_lost", f"{name}: {span.text!r} did not survive") for span in part.lost[:_NAMED_SPANS]
        ]
    return {
        **problem,
        "id": row_id(str(problem["problem_id"]), language.code),
        "language": language.code,
        "question": _text(question),
        "rationale": _text(rationale),
        "translator": translator,
        "scores": scores,
        "reasons": [reason for reason, _ in observations],
        "details": [detail for _, detail in observations],
    }


def with_counts(table: pa.Table, counts: Mapping[str, Counter[str]]) -> pa.Table:
    """Keep a shard's counts in its file, so that they are there after a restart as well.

    Args:
        table: the shard's rows.
        counts: by language, as `read_counts` names them.
    """
    text = json.dumps({code: dict(sorted(by.items())) for code, by in counts.items()})
    return table.replace_schema_metadata({_COUNTS: text.encode()})


def read_counts(shards: Iterable[Path]) -> dict[str, dict[str, int]]:
    """What the translation of a stage's shards came to, by language.

    `sentences` in all, `translated` by the model, `saved` by the memory, `unprotected`: tried again without
    stand-ins, `unfinished`: hypotheses that did not end by themselves.
    """
    import pyarrow.parquet as pq

    totals: dict[str, Counter[str]] = {}
    for shard in shards:
        metadata = pq.read_schema(shard).metadata or {}
        for code, by in json.loads(metadata.get(_COUNTS, b"{}")).items():
            totals.setdefault(code, Counter()).update(by)
    return {
        code: {
            **{key: by[key] for key in ("sentences", "translated", "unprotected", "unfinished")},
            # An LLM's rows, which are counted as sentences: asked for once more, with and without success.
            **{key: by[key] for key in ("repaired", "not_repaired") if key in by},
            "saved": max(0, by["sentences"] + by["unprotected"] - by["translated"]),
        }
        for code, by in totals.items()
    }
