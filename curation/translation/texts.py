"""Texts to translations, sentence by sentence, through the memory."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from curation.translation.base import Hypothesis, Translator
from curation.translation.memory import TranslationMemory
from curation.translation.segments import assemble, split
from curation.translation.spans import Protected, Span, missing, protect, restore
from mcot.core.languages import Language

__all__ = ["Job", "Pair", "Texts", "TranslatedPair", "TranslatedText", "translate_pairs"]


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
class Job:
    """From which language into which, for which shard; what was done; and whom to tell how far it is."""

    source: Language
    target: Language
    shard: int
    say: Callable[[str], None] | None
    counts: Counter[str] = field(default_factory=Counter)

    def notify(self, done: int, total: int) -> None:
        """Say how many of a call's sentences are done."""
        if self.say is not None:
            self.say(f"shard {self.shard}, {self.source.code} to {self.target.code}: {done} of {total} sentences")


class Texts:
    """Translates texts sentence by sentence, through the memory."""

    def __init__(self, translator: Translator, memory: TranslationMemory, *, protect: bool) -> None:
        self._translator, self._memory, self._protect = translator, memory, protect

    def translate(self, texts: Sequence[str], job: Job) -> list[TranslatedText]:
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

    def _hypotheses(self, sentences: Iterable[str], job: Job) -> dict[str, Hypothesis]:
        unique = list(dict.fromkeys(sentences))
        known = self._memory.look_up(unique, job.source, job.target, before=job.shard)
        new = [sentence for sentence in unique if sentence not in known]
        if new:
            made = dict(zip(new, self._translator.translate(new, job.source, job.target, job.notify), strict=True))
            self._memory.store(made, job.source, job.target, shard=job.shard)
            known |= made
        job.counts["translated"] += len(new)
        return known


#: A question and a rationale.
Pair = tuple[str | None, str | None]
TranslatedPair = tuple[TranslatedText | None, TranslatedText | None]


def translate_pairs(translator: Texts, pairs: Sequence[Pair], job: Job) -> list[TranslatedPair]:
    """Translate questions and rationales together; what is null or empty stays null."""
    texts = [text for pair in pairs for text in pair if text]
    translated = iter(translator.translate(texts, job))
    return [tuple(next(translated) if text else None for text in pair) for pair in pairs]  # type: ignore[misc]
