"""Thresholds from verdicts: the precision that is wanted of the kept rows, certified, at the least loss of rows.

For each language, or for those with few verdicts together, one check's `keep` is moved at a time along a path of
thresholds (`annotation.calibration_path`) that was laid without a look at the verdicts. A threshold is certified if
the upper bound (Clopper-Pearson; weighted, see `annotation.intervals.weigh`) of the share of rows that it keeps and
that are not good is at most 1 - wanted, and so was it for every stricter one of its path. Each check's path has a
part of the risk 1 - confidence, set before the verdicts are seen, so the chance that any certified threshold of a
group misses the wanted precision is at most that (fixed-sequence testing, Angelopoulos et al. 2021, "Learn then
Test", arXiv 2110.01052). Of those certified the one that keeps most rows is taken.

A row counts as not good unless people settled that it is good as shown. Annotators who err as often one way as the
other only make rows that are mostly good look worse, so the guarantee needs no correction and has none; the shares
shown beside it are the corrected ones of `annotation.estimates`. The guarantee of languages that were taken together
is of their rows together, not of each language's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from annotation.calibration_path import MOST_LOST, make_path
from annotation.calibration_sample import Flags, Sample
from annotation.calibration_scores import GRADED, ScoreCounts, count_scores
from annotation.calibration_search import Group, Point, Target, search
from annotation.estimates import Share
from annotation.labels import read_labels
from mcot.core.errors import SettingsError, choose
from mcot.core.settings import Band

__all__ = ["Calibration", "Group", "LanguageChange", "Point", "calibrate"]

# A language is calibrated alone from so many times the fewest verdicts: with the fewest, one row that is not good
# would make it fail; with three times as many, three may be.
_ALONE = 3
# A language with fewer judged kept rows is not taken together with others: they would speak for it.
_FEWEST_OF_LANGUAGE = 10
# What a line names of what lacks.
_NAMED = 3


@dataclass(frozen=True, slots=True)
class LanguageChange:
    """What a calibration does to a language.

    Attributes:
        language: ISO 639-1.
        rows: of all decisions.
        kept_before: rows kept with the thresholds that stand.
        kept_after: rows kept with those found.
        dropped: rows dropped, before and after; the rest is for review.
        before: the share of good rows among those kept, from this language's verdicts alone; None without any.
        after: the same with the thresholds found.
        check: whose band is set; None if refused.
        band: what it is set to.
    """

    language: str
    rows: int
    kept_before: int
    kept_after: int
    dropped: int
    before: Share | None
    after: Share | None
    check: str | None
    band: Band | None

    def __str__(self) -> str:
        """One line for people."""
        if self.check is None or self.band is None:
            good = f", {_percent(self.before)} good" if self.before else ""
            return f"{self.language}: unchanged, {self.kept_before:,} of {self.rows:,} rows kept{good}"
        return (
            f"{self.language}: {self.check} kept from {self.band.keep:g}: {self.kept_after:,} of {self.rows:,} rows, "
            f"{self.kept_before:,} before; good of these: {_percent(self.after)}, {_percent(self.before)} before"
        )


def _percent(share: Share | None) -> str:
    if share is None:
        return "not known"
    return f"{100 * share.value:.1f}% ({100 * share.low:.1f} to {100 * share.high:.1f})"


@dataclass(frozen=True, slots=True)
class Calibration:
    """What came of it.

    Attributes:
        wanted: precision of the kept rows, 0 to 1.
        confidence: 0 to 1, for each group.
        groups: those with enough verdicts to try.
        languages: before and after, in alphabetic order.
        refusals: one line each, for people.
        lacking: by language, or several with a comma between, how many verdicts of kept rows more are needed, about,
            where nothing is certified; those that no number would help are left out.
    """

    wanted: float
    confidence: float
    groups: Sequence[Group]
    languages: Sequence[LanguageChange]
    refusals: Sequence[str]
    lacking: Mapping[str, int]

    def explain(self) -> str:
        """One line for people: what lacks, where nothing at all is certified."""
        start = f"calibration: no threshold is certified for {Target(self.wanted, self.confidence)}"
        if not self.languages:
            return f"{start}: the run has no translated rows"
        if not self.lacking:
            return f"{start}, nor would more verdicts do it; want less (--precision), or mend the translations"
        named = [f"{count:,} for {languages}" for languages, count in self.lacking.items()]
        more = f"; and some for {len(named) - _NAMED} others" if len(named) > _NAMED else ""
        return (
            f"{start}; more verdicts of kept rows are needed: {'; '.join(named[:_NAMED])}{more}; have more judged "
            "(mcot review push with another --round), or want less (--precision)"
        )

    @property
    def thresholds(self) -> dict[str, dict[str, Band]]:
        """Bands by language and check, as the settings have them; only of what is certified."""
        return {
            change.language: {change.check: change.band}
            for change in self.languages
            if change.check is not None and change.band is not None
        }


def calibrate(
    run: Path,
    bands: Mapping[str, Mapping[str, Band]],
    queue: pa.Table,
    verdicts: pa.Table,
    resolved: pa.Table,
    *,
    wanted: float = 0.97,
    confidence: float = 0.95,
    checks: Sequence[str] = GRADED,
    most_lost: float = MOST_LOST,
) -> Calibration:
    """Find the thresholds that reach a precision of the kept rows.

    Args:
        run: its folder, with the scores of all rows in `dataset/`, `review/` and `rejected/`.
        bands: by language and check, as they stand; the languages to calibrate.
        queue: of `QUEUE_SCHEMA`, drawn from the decisions that stand (`annotation.labels.current_draws`).
        verdicts: of `VERDICT_SCHEMA`.
        resolved: of `RESOLVED_SCHEMA`.
        wanted: precision, above 0 and below 1.
        confidence: above 0 and below 1.
        checks: whose thresholds may move, of `GRADED`. Fewer leave more of the risk to each.
        most_lost: of the kept rows, the share that the strictest threshold tried may lose, above 0 and below 1. Set
            it before seeing what comes of it: whoever tries several and takes the best has no guarantee.

    Raises:
        SettingsError: an option is wrong.
        RunError: the run's files can't be read.
    """
    _check_options({"wanted precision": wanted, "confidence": confidence, "most lost": most_lost}, checks)
    labels = read_labels(queue, verdicts, resolved)
    counts = count_scores(run, bands, checks)
    samples = {language: Sample(labels, [language], bands, confidence) for language in sorted(counts)}
    judged = {language: int(_standing(sample, [language], bands).sum()) for language, sample in samples.items()}
    target = Target(wanted, confidence)
    grouped, refusals, lacking = _group(judged, target)
    groups = [
        search(languages, Sample(labels, languages, bands, confidence), counts, bands, checks, target, most_lost)
        for languages in grouped
    ]
    refusals += [group.refusal for group in groups if group.refusal is not None]
    lacking |= {", ".join(group.languages): group.lacking for group in groups if group.lacking is not None}
    changes = [
        _change(language, counts[language], bands, samples[language], groups, most_lost) for language in sorted(counts)
    ]
    return Calibration(wanted, confidence, groups, changes, refusals, lacking)


def _check_options(shares: Mapping[str, float], checks: Sequence[str]) -> None:
    for name, value in shares.items():
        if not 0 < value < 1:
            raise SettingsError(f"{name}: got {value}; valid: above 0 and below 1, such as 0.95")
    if not checks:
        raise SettingsError(f"checks: got none; {choose('', GRADED)}")
    for check in checks:
        if check not in GRADED:
            raise SettingsError(f"checks: got {check!r}, whose threshold can't be moved; {choose(check, GRADED)}")


def _standing(sample: Sample, languages: Sequence[str], bands: Mapping[str, Mapping[str, Band]]) -> Flags:
    """Which judged rows are kept as the thresholds stand."""
    check = GRADED[0]
    return sample.kept(check, {language: [bands[language][check].keep] for language in languages})[0]


def _group(judged: Mapping[str, int], target: Target) -> tuple[list[list[str]], list[str], dict[str, int]]:
    """Which languages are calibrated alone and which together, why some are not, and how many verdicts these lack.

    Args:
        judged: kept rows with verdicts, by language.
        target: what is wanted.
    """
    alone = [[language] for language, count in judged.items() if count >= _ALONE * target.fewest]
    rest = [language for language in judged if [language] not in alone]
    # Where so little is wanted that fewer do for a language alone, fewer do here.
    fewest = min(_FEWEST_OF_LANGUAGE, target.fewest)
    together = [language for language in rest if judged[language] >= fewest]
    refusals, lacking = [], {}
    if sum(judged[language] for language in together) < target.fewest:
        together = []
    for language in rest:
        if language in together:
            continue
        count = judged[language]
        lacking[language] = (fewest if together else target.fewest) - count
        verdicts = f"{count} verdict{'' if count == 1 else 's'} of kept rows"
        refusals.append(
            f"{language}: {verdicts}; at least {target.fewest} are needed for {target}"
            + (f", or {fewest} to be taken together with other languages" if together else "")
            + f"; queue {lacking[language]} more"
        )
    return [*alone, *([together] if together else [])], refusals, lacking


def _change(
    language: str,
    count: ScoreCounts,
    bands: Mapping[str, Mapping[str, Band]],
    sample: Sample,
    groups: Sequence[Group],
    most_lost: float,
) -> LanguageChange:
    before = sample.good(_standing(sample, [language], bands))
    point = next((group.after for group in groups if language in group.languages), None)
    if point is None:
        return LanguageChange(language, count.total, count.kept, count.kept, count.dropped, before, before, None, None)
    keep, band = point.keeps[language], bands[language][point.check]
    path = make_path(count, point.check, band, most_lost)
    after = sample.good(sample.kept(point.check, {language: [keep]})[0])
    return LanguageChange(
        language, count.total, count.kept, path.kept[path.keeps.index(keep)], count.dropped, before, after,
        point.check, Band(keep=keep, drop=band.drop),
    )  # fmt: skip
