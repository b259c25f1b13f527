"""The report's plain words: what each check's scores say and what each reason means, for who sees them first."""

__all__ = ["describe_check", "describe_reason"]

_CHECKS = {
    "translation": ("Translator", "Share of sentences that ended by themselves, and of protected parts that survived."),
    "language": ("Language", "Probability that the text is in its language, says fastText."),
    "numbers": ("Numbers", "Share of the numbers that correspond to the source's, compared as values."),
    "back_translation": ("Back-translation", "chrF++ of the back-translation against the source, 0 to 100."),
    "length": ("Length", "The text's length against the one expected, the smaller over the larger."),
    "untranslated": ("Untranslated text", "Share of the words that are not simply the source's."),
    "mixed": ("One language", "Share of the text that is in its language, piece by piece."),
    "repetition": ("Repetition", "Share of the text that is no loop."),
    "equations": ("Equations", "Share of the source's equations that are there, in order and unaltered."),
    "answer": ("Answer", "Whether the final answer is the gold one."),
    "duplicates": ("Duplicates", "How unlike every earlier row it is."),
    "contamination": ("Contamination", "How unlike every problem of the benchmarks it is."),
    "quality_estimation": ("Quality estimation", "What a COMET model estimates the translation's quality to be."),
    "judge": ("LLM judge", "What is left of 1 by the errors that an LLM marked, weighted as MQM weights them."),
    "review": ("Review", "What people said of it."),
    "row": ("Bad rows", "Rows of the file that hold no translation that could be checked."),
    "source": ("Source", "Problems that their source rejected."),
}

_REASONS = {
    "translation.unfinished": "The translator stopped before a sentence was finished.",
    "translation.spans_lost": "Numbers or formulas that were to survive unchanged are lost.",
    "language.wrong": "The text is in another language than its row says.",
    "language.mixed": "A part of the text is in another language.",
    "numbers.changed": "One number of the source became another one.",
    "numbers.missing": "A number of the source is not in the translation.",
    "numbers.added": "The translation has a number that the source has not.",
    "numbers.order": "All numbers are there, but two have changed places.",
    "back_translation.low": "Translated back to English, the text says something else than the source.",
    "length.short": "The text is much shorter than translations of this source should be, or breaks off.",
    "length.long": "The text is much longer than translations of this source should be.",
    "length.unusual": "The text is not as long as translations of this source should be.",
    "untranslated.copied": "The text is the English source, copied.",
    "untranslated.partly": "A part of the text is the English source, copied.",
    "repetition.loop": "The text says the same again and again.",
    "equations.altered": "An equation of the source became another one, or steps changed places.",
    "equations.missing": "An equation of the source is not in the translation.",
    "equations.added": "The translation has an equation that the source has not.",
    "equations.false": "An equation of the translation does not hold, while the source's does.",
    "equations.source_false": "The source's own arithmetic is wrong.",
    "answer.differs": "The solution ends in another answer than the gold one.",
    "duplicates.exact": "The same text stands in an earlier row, but for marks and spaces.",
    "duplicates.near": "Nearly the same text stands in an earlier row.",
    "quality_estimation.low": "A COMET model estimates the translation's quality to be low.",
    "judge.meaning": "An LLM marked errors of meaning: something says another thing, is missing, or was added.",
    "judge.reasoning": "An LLM marked errors of reasoning: a step or a calculation is not the source's.",
    "judge.fluency": "An LLM marked errors of language: grammar, spelling, terms, or words nobody would use.",
    "judge.low": "An LLM marked errors.",
    "back_translation.missing": "The translation was to be translated back, and was not.",
    "judge.unreadable": "An LLM was to judge the translation, and gave no judgement that could be read.",
    "review.rejected": "People who read the language rejected it.",
    "row.broken": "The row can't be read.",
    "row.failed": "A check failed on this row.",
    "row.bad_type": "A cell holds something else than text.",
    "row.bad_language": "The language is missing, unknown, or the source's own.",
    "row.bad_characters": "A text holds characters that are no text: something was lost on the way.",
    "row.too_long": "A text is far longer than a word problem.",
    "row.empty_question": "There is no translation.",
    "row.empty_source_question": "There is no source.",
    "row.empty_rationale": "The source has a solution, the translation has none.",
    "source.empty_question": "The problem has no question.",
    "source.no_answer": "The problem has no answer that could be found.",
    "source.duplicate_id": "An earlier problem has the same id, or the same texts.",
}


def describe_check(name: str) -> tuple[str, str]:
    """A check's title and what its scores say; an unknown check's is its name, and nothing."""
    return _CHECKS.get(name, (name.replace("_", " ").capitalize(), ""))


def describe_reason(reason: str) -> str:
    """What a reason means, in a sentence; empty for an unknown one."""
    if reason.startswith("contamination."):
        return "The problem, or most of it, is in a benchmark that models are measured on."
    return _REASONS.get(reason, "")
