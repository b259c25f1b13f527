"""What is known to be wrong with a dataset: what the project's checks can't see, and what the run's figures say."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from datasets_card.figures import show_count, show_percent
from datasets_card.statistics import LanguageFigures, Statistics

__all__ = ["Limit", "find_limits", "is_demo", "join"]

# Fewer judged rows than this leave an interval of 10 points and more at a precision of 95% (Clopper-Pearson).
_FEW_JUDGED = 80
# Where the whole interval is below it, at least one kept row in ten is wrong.
_LOW_PRECISION = 0.9
# Krippendorff (2004, Content Analysis, chapter 11): below this not even tentative conclusions should be drawn.
_LOW_ALPHA = 0.667
# A language that lost more than this share of its translations leans to what is easily translated.
_MANY_LOST = 0.2


class Limit(NamedTuple):
    """What is known to be wrong: in two or three words, and in sentences."""

    title: str
    text: str


def is_demo(statistics: Statistics) -> bool:
    """Whether the embedded model translated, that knows nothing but the embedded templates' sentences."""
    return (statistics.settings.get("translator") or {}).get("model") == "demo"


def join(names: Sequence[str]) -> str:
    """`Swahili, Bengali and Thai`."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def find_limits(statistics: Statistics) -> list[Limit]:
    """Known limits and biases, those of this run first."""
    return [*_of_demo(statistics), *_of_reviews(statistics), *_of_run(statistics), *_of_project(statistics)]


def _of_demo(statistics: Statistics) -> Iterator[Limit]:
    if is_demo(statistics):
        yield Limit(
            "A demonstration",
            "The problems come from a generator: a few templates with other names and numbers. The translator is a "
            "model of three million parameters that knows only the sentences of such templates.",
        )
    reviews = statistics.reviews
    if reviews.simulated == reviews.annotators > 0:
        yield Limit(
            "Simulated annotators",
            "The verdicts come from programs that know the true texts and err at a stated rate. They show how a "
            "review goes; no person has judged these rows.",
        )
    elif reviews.simulated:
        yield Limit(
            "Simulated annotators",
            f"The verdicts come from {reviews.judges}. The simulated ones are programs that know the true texts and "
            "err at a stated rate: the figures are not what people alone would say.",
        )


def _of_reviews(statistics: Statistics) -> Iterator[Limit]:
    languages, reviews = statistics.languages, statistics.reviews
    unread = [one.name for one in languages if one.precision is None]
    if languages and len(unread) == len(languages):
        yield Limit(
            "Precision unknown",
            "Nobody who reads the languages has judged a random sample of the rows that are kept now. How many "
            "of them are good is not known; there is only what the checks and the back-translation say.",
        )
    elif unread:
        yield Limit("Precision unknown in part", f"No random sample was judged of {join(unread)}.")
    known = [(one.name, one.precision) for one in languages if one.precision]
    low = [f"{name} {one.accepted} of {one.judged}" for name, one in known if one.share.high < _LOW_PRECISION]
    if low:
        yield Limit(
            "Low precision",
            "At least one row in ten that the thresholds keep is not what the English says. Accepted, of the rows as "
            f"drawn, before corrections: {join(low)}.",
        )
    few = [f"{name} {one.judged}" for name, one in known if one.judged < _FEW_JUDGED]
    if few:
        yield Limit("Few judged rows", f"{join(few)}. The intervals of their precision are wide.")
    alphas = [(one.name, reviews.agreement[one.code].alpha) for one in languages if one.code in reviews.agreement]
    doubtful = [name for name, alpha in alphas if alpha and alpha.value < _LOW_ALPHA]
    if doubtful:
        yield Limit(
            "Weak agreement",
            f"Krippendorff's alpha is below {_LOW_ALPHA} for {join(doubtful)}. Where nearly all rows are good a few "
            "disagreements are enough for that.",
        )
    if known:
        yield Limit("Shared errors", "A misreading or a leniency that annotators share is in no interval here.")


def _of_run(statistics: Statistics) -> Iterator[Limit]:
    if statistics.unread or not statistics.benchmarks:
        unchecked = join(statistics.unread) if statistics.unread else "MGSM, MSVAMP and GSM8K test"
        yield Limit(
            "Contamination not checked",
            f"The problems were not compared with {unchecked}: a model trained on them may have seen what it is "
            "measured on there.",
        )
    lossy = [f"{one.name} ({show_percent(_lost(one), 0)} not kept)" for one in statistics.languages
             if _lost(one) > _MANY_LOST]  # fmt: skip
    if lossy:
        yield Limit("Selection", f"What is left leans to what is easily translated, above all in {join(lossy)}.")
    back = statistics.settings.get("back_translation") or {}
    if back.get("enabled") and back.get("model") is None:
        yield Limit(
            "One model both ways",
            "The translator itself translated back. An error that it makes in both directions does not show in "
            "chrF++, and literal translations score higher than free ones.",
        )
    if not statistics.settings.get("thresholds"):
        yield Limit(
            "Default thresholds",
            "They were set on the human translations of MGSM, and not by verdicts on this data.",
        )


def _lost(language: LanguageFigures) -> float:
    return 1 - language.keep / language.translated if language.translated else 0.0


def _of_project(statistics: Statistics) -> Iterator[Limit]:
    seen = sum(one.accepted + one.corrected for one in statistics.languages)
    translated = sum(one.rows for one in statistics.languages)
    yield Limit(
        "Machine translation",
        f"{show_count(translated - seen)} of the {show_count(translated)} translations here no annotator has seen. "
        "Style, register and grammatical agreement are not checked.",
    )
    yield Limit(
        "Blind spots of the checks",
        "No check looks at units (minutes for hours, cents for dollars) or at “more” for “fewer”. Of two numbers "
        "swapped side by side in one sentence, four in ten show only in the equations or in the back-translation.",
    )
    yield Limit(
        "An English world",
        "Names, currencies, units and habits are those of the English problems; nothing is adapted to where the "
        "languages are spoken.",
    )
    yield Limit(
        "Inherited reasoning",
        "A wrong step of an English solution is translated with it. What is checked of the reasoning is the "
        "arithmetic of its equations and the final answer.",
    )
    if any(one.code == "ru" for one in statistics.languages):
        yield Limit(
            "Close languages", "Ukrainian or Bulgarian can pass for Russian: the language check knows the eleven."
        )
    if (statistics.settings.get("duplicates") or {}).get("enabled"):
        yield Limit("Near-duplicates", "The first one is kept, though a later one may be translated better.")
