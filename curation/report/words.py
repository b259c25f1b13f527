"""The report's plain words: what each check's scores say, for who sees them first."""

__all__ = ["describe_check"]

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


def describe_check(name: str) -> tuple[str, str]:
    """A check's title and what its scores say; an unknown check's is its name, and nothing."""
    return _CHECKS.get(name, (name.replace("_", " ").capitalize(), ""))
