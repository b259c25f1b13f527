"""What each reason means, in plain words: a sentence for who curates, a phrase for who reads the language."""

from typing import NamedTuple

__all__ = ["MEANINGS", "Meaning", "explain"]


class Meaning(NamedTuple):
    """What a reason means.

    Attributes:
        sentence: of the report, for who can't read the language.
        phrase: of an annotator's page, beside the text that it is about; empty for what annotators never see.
    """

    sentence: str
    phrase: str = ""


MEANINGS = {
    "translation.unfinished": Meaning(
        "The translator stopped before a sentence was finished.",
        "the translation stops in the middle of a sentence",
    ),
    "translation.spans_lost": Meaning(
        "Numbers or formulas that were to survive unchanged are lost.",
        "a number or formula did not survive",
    ),
    "language.wrong": Meaning(
        "The text is in another language than its row says.",
        "it may be in another language",
    ),
    "language.mixed": Meaning(
        "A part of the text is in another language.",
        "a part is in another language",
    ),
    "numbers.changed": Meaning(
        "One number of the source became another one.",
        "a number was changed",
    ),
    "numbers.missing": Meaning(
        "A number of the source is not in the translation.",
        "a number is missing",
    ),
    "numbers.added": Meaning(
        "The translation has a number that the source has not.",
        "a number is not in the English text",
    ),
    "numbers.order": Meaning(
        "All numbers are there, but two have changed places.",
        "two numbers changed places",
    ),
    "back_translation.low": Meaning(
        "Translated back to English, the text says something else than the source.",
        "translated back to English, it says something else",
    ),
    "length.short": Meaning(
        "The text is much shorter than translations of this source should be, or breaks off.",
        "it is too short or breaks off",
    ),
    "length.long": Meaning(
        "The text is much longer than translations of this source should be.",
        "it is too long",
    ),
    "length.unusual": Meaning(
        "The text is not as long as translations of this source should be.",
        "its length is unusual",
    ),
    "untranslated.copied": Meaning(
        "The text is the English source, copied.",
        "it is the English text, not translated",
    ),
    "untranslated.partly": Meaning(
        "A part of the text is the English source, copied.",
        "a part was left in English",
    ),
    "repetition.loop": Meaning(
        "The text says the same again and again.",
        "it repeats itself",
    ),
    "equations.altered": Meaning(
        "An equation of the source became another one, or steps changed places.",
        "an equation was changed, or steps changed places",
    ),
    "equations.missing": Meaning(
        "An equation of the source is not in the translation.",
        "an equation is missing",
    ),
    "equations.added": Meaning(
        "The translation has an equation that the source has not.",
        "an equation is not in the English text",
    ),
    "equations.false": Meaning(
        "An equation of the translation does not hold, while the source's does.",
        "a calculation is wrong",
    ),
    "equations.source_false": Meaning(
        "The source's own arithmetic is wrong.",
        "a calculation of the English text is wrong",
    ),
    "answer.differs": Meaning(
        "The solution ends in another answer than the gold one.",
        "the final answer is not the right one",
    ),
    "duplicates.exact": Meaning(
        "The same text stands in an earlier row, but for marks and spaces.",
        "the same text is in the dataset already",
    ),
    "duplicates.near": Meaning(
        "Nearly the same text stands in an earlier row.",
        "nearly the same text is in the dataset already",
    ),
    "quality_estimation.low": Meaning(
        "A COMET model estimates the translation's quality to be low.",
        "a model trained on people's scores doubts that it is a good translation",
    ),
    "judge.meaning": Meaning(
        "An LLM marked errors of meaning: something says another thing, is missing, or was added.",
        "a language model says that the meaning was changed",
    ),
    "judge.reasoning": Meaning(
        "An LLM marked errors of reasoning: a step or a calculation is not the source's.",
        "a language model says that the reasoning was changed",
    ),
    "judge.fluency": Meaning(
        "An LLM marked errors of language: grammar, spelling, terms, or words nobody would use.",
        "a language model says that it reads badly",
    ),
    "judge.low": Meaning(
        "An LLM marked errors.",
        "a language model doubts that it is a good translation",
    ),
    "back_translation.missing": Meaning(
        "The translation was to be translated back, and was not.",
        "it could not be translated back into English for a comparison",
    ),
    "judge.unreadable": Meaning(
        "An LLM was to judge the translation, and gave no judgement that could be read.",
        "a language model was to judge it and did not",
    ),
    "review.rejected": Meaning(
        "People who read the language rejected it.",
        "annotators rejected it",
    ),
    "row.broken": Meaning("The row can't be read."),
    "row.failed": Meaning("A check failed on this row."),
    "row.bad_type": Meaning("A cell holds something else than text."),
    "row.bad_language": Meaning("The language is missing, unknown, or the source's own."),
    "row.bad_characters": Meaning("A text holds characters that are no text: something was lost on the way."),
    "row.too_long": Meaning("A text is far longer than a word problem."),
    "row.empty_question": Meaning("There is no translation."),
    "row.empty_source_question": Meaning("There is no source."),
    "row.empty_rationale": Meaning("The source has a solution, the translation has none."),
    "source.empty_question": Meaning("The problem has no question."),
    "source.no_answer": Meaning("The problem has no answer that could be found."),
    "source.duplicate_id": Meaning("An earlier problem has the same id, or the same texts."),
}
_IN_BENCHMARK = Meaning(
    "The problem, or most of it, is in a benchmark that models are measured on.", "the problem is in a benchmark"
)


def explain(reason: str) -> Meaning:
    """What a reason such as `numbers.changed` means; empty for an unknown one."""
    if reason.startswith("contamination."):
        return _IN_BENCHMARK
    return MEANINGS.get(reason, Meaning(""))
