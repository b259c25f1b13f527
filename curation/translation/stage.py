"""The stages that translate rows: from English, and back."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from curation.translation.base import Hypothesis, Translator
from curation.translation.memory import TranslationMemory
from curation.translation.segments import assemble, split
from curation.translation.spans import Protected, Span, missing, protect, restore
from mcot.core.languages import ENGLISH, Language, get_language
from mcot.core.rows import SCHEMA, SCORES, cast, from_rows, row_id
from mcot.core.runs import sign

__all__ = ["BackTranslateStage", "TranslateStage", "TranslatedText", "read_counts"]

# The rows' details name at most so many lost spans; a person needs no more to see what went wrong.
_NAMED_SPANS = 3
_COUNTS = b"mcot.translation"


@dataclass(slots=True)
class TranslatedText:
    """A text's translation.

    Attributes:
        sentences, ended: how many sentences were translated, and how many hypotheses ended by themselves.
        spans: how many spans had to survive.
        lost: those that did not.
    """

    text: str
    sentences: int = 0
    ended: int = 0
    spans: int = 0
    lost: list[Span] = field(default_factory=list)


@dataclass(slots=True)
class _Job:
    """From which language into which, for which shard; what was done; and whom to tell how far it is."""

    source: Language
    target: Language
    shard: int
    say: Callable[[str], None] | None
    counts: Counter[str] = field(default_factory=Counter)

    def notify(self, done: int, total: int) -> None:
        if self.say is not None:
            self.say(f"shard {self.shard}, {self.source.code} to {self.target.code}: {done} of {total} sentences")


class _Texts:
    """Translates texts sentence by sentence, through the memory."""

    def __init__(self, translator: Translator, memory: TranslationMemory, *, protect: bool) -> None:
        self._translator, self._memory, self._protect = translator, memory, protect

    def translate(self, texts: Sequence[str], job: _Job) -> list[TranslatedText]:
        """Translations of texts, in order. Adds to the job's counts what was done."""
        split_texts = [split(text, job.source) for text in texts]
        sentences = [segment.text for segments in split_texts for segment in segments if segment.translate]
        guarded = {s: protect(s) if self._protect else Protected(s, ()) for s in dict.fromkeys(sentences)}
        hypotheses = self._hypotheses([p.text for p in guarded.values()], job)
        candidates: dict[str, tuple[Hypothesis, tuple[Span, ...]]] = {}
        for sentence, protected in guarded.items():
            hypothesis = hypotheses[protected.text]
            text, lost = restore(hypothesis.text, protected.spans)
            candidates[sentence] = (Hypothesis(text, hypothesis.ended), lost)
        # What did not survive as a stand-in may survive as itself.
        again = [sentence for sentence, (_, lost) in candidates.items() if lost]
        unprotected = self._hypotheses(again, job)
        for sentence in again:
            lost = missing(unprotected[sentence].text, guarded[sentence].spans)
            if len(lost) <= len(candidates[sentence][1]):
                candidates[sentence] = (unprotected[sentence], lost)
        job.counts["sentences"] += len(sentences)
        job.counts["unprotected"] += len(again)
        results = []
        for segments in split_texts:
            result = TranslatedText(assemble(segments, job.target, lambda sentence: candidates[sentence][0].text))
            for segment in segments:
                if segment.translate:
                    hypothesis, lost = candidates[segment.text]
                    result.sentences += 1
                    result.ended += hypothesis.ended
                    result.spans += len(guarded[segment.text].spans)
                    result.lost += lost
            job.counts["unfinished"] += result.sentences - result.ended
            results.append(result)
        return results

    def _hypotheses(self, sentences: Iterable[str], job: _Job) -> dict[str, Hypothesis]:
        unique = list(dict.fromkeys(sentences))
        known = self._memory.look_up(unique, job.source, job.target, before=job.shard)
        new = [sentence for sentence in unique if sentence not in known]
        if new:
            made = dict(zip(new, self._translator.translate(new, job.source, job.target, job.notify), strict=True))
            self._memory.store(made, job.source, job.target, shard=job.shard)
            known |= made
        job.counts["translated"] += len(new)
        return known


class _TranslatingStage:
    """What both directions share.

    Args:
        folder: where the translation memory is.
        code: of the direction, in the signature.
    """

    name: str
    notify: Callable[[str], None] | None = None

    def __init__(self, translator: Translator, folder: Path, *, protect: bool, code: str) -> None:
        self._translator, self._folder, self._protect = translator, folder, protect
        self.signature = sign(code, 1, translator.signature, protect)

    def open(self) -> None:
        """Load the model and open the memory."""
        self._translator.open()
        self._memory = TranslationMemory(self._folder / "memory.sqlite")
        self._texts = _Texts(self._translator, self._memory, protect=self._protect)

    def close(self) -> None:
        """Close the memory."""
        self._memory.close()


class TranslateStage(_TranslatingStage):
    """English problems -> a row for each language.

    Args:
        languages: the targets' codes.
        include_english: whether the English row stays too. Rows that a source rejected always do.
    """

    name = "translate"

    def __init__(
        self, translator: Translator, folder: Path, *, protect: bool, languages: Sequence[str], include_english: bool
    ) -> None:
        super().__init__(translator, folder, protect=protect, code="translate")
        self._languages = [get_language(code) for code in languages]
        self._include_english = include_english
        self.signature = sign(self.signature, list(languages), include_english)

    def process(self, table: pa.Table, shard: int) -> pa.Table:
        """Rows of the shard's problems in every language."""
        problems = table.to_pylist()
        rows = [problem for problem in problems if self._include_english or problem["decision"] is not None]
        usable = [problem for problem in problems if problem["decision"] is None]
        counts: dict[str, Counter[str]] = {}
        for language in self._languages:
            job = _Job(ENGLISH, language, shard, self.notify)
            counts[language.code] = job.counts
            translated = _translate_pairs(self._texts, [(p["question"], p["rationale"]) for p in usable], job)
            for problem, (question, rationale) in zip(usable, translated, strict=True):
                rows.append(_translated_row(problem, language, question, rationale, self._translator.name))
        return _with_counts(from_rows(rows), counts)


class BackTranslateStage(_TranslatingStage):
    """Translations -> the same rows with their translations back into English."""

    name = "back_translate"

    def __init__(self, translator: Translator, folder: Path, *, protect: bool) -> None:
        super().__init__(translator, folder, protect=protect, code="back_translate")

    def process(self, table: pa.Table, shard: int) -> pa.Table:
        """Fill `back_question` and `back_rationale`."""
        languages: list[str] = table["language"].to_pylist()  # type: ignore[assignment]
        decisions, questions, rationales = (table[name].to_pylist() for name in ("decision", "question", "rationale"))
        backs: list[tuple[str | None, str | None]] = [(None, None)] * len(table)
        counts: dict[str, Counter[str]] = {}
        for code in dict.fromkeys(languages):
            places = [i for i, got in enumerate(languages) if got == code and code != "en" and decisions[i] is None]
            if places:
                job = _Job(get_language(code), ENGLISH, shard, self.notify)
                counts[code] = job.counts
                translated = _translate_pairs(self._texts, [(questions[i], rationales[i]) for i in places], job)
                for place, (question, rationale) in zip(places, translated, strict=True):
                    backs[place] = (_text(question), _text(rationale))
        for position, name in enumerate(("back_question", "back_rationale")):
            values = pa.array([back[position] for back in backs], pa.string())
            table = table.set_column(SCHEMA.get_field_index(name), name, values)
        return _with_counts(cast(table), counts)


_Pair = tuple[TranslatedText | None, TranslatedText | None]


def _translate_pairs(translator: _Texts, pairs: Sequence[tuple[str | None, str | None]], job: _Job) -> list[_Pair]:
    """Translate questions and rationales together; what is null or empty stays null."""
    texts = [text for pair in pairs for text in pair if text]
    translated = iter(translator.translate(texts, job))
    return [tuple(next(translated) if text else None for text in pair) for pair in pairs]  # type: ignore[misc]


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


def _with_counts(table: pa.Table, counts: Mapping[str, Counter[str]]) -> pa.Table:
    """Keep a shard's counts in its file, so that they are there after a restart as well."""
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
            "saved": max(0, by["sentences"] + by["unprotected"] - by["translated"]),
        }
        for code, by in totals.items()
    }
