"""What has changed since the state that was published before: rows, translators, thresholds, licence."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from datasets_card.checks import CHECKS
from datasets_card.figures import show_count
from datasets_card.limits import join
from datasets_card.publication import Staged
from datasets_card.statistics import Statistics
from mcot.core.languages import ENGLISH, LANGUAGES

__all__ = ["Change", "Changes", "find_changes"]

# A card tells of so many thresholds one by one.
_MOST = 8


@dataclass(frozen=True, slots=True)
class Change:
    """A language's published rows, before and now."""

    name: str
    before: int
    now: int


@dataclass(frozen=True, slots=True)
class Changes:
    """What has changed.

    Attributes:
        since: the tag of the state before.
        lines: the languages whose rows have changed in number, also those that came or went.
        notes: what else has changed, in sentences.
    """

    since: str
    lines: tuple[Change, ...]
    notes: tuple[str, ...]


def find_changes(
    previous: Mapping[str, Any] | None, statistics: Statistics, staged: Staged, license: str | None
) -> Changes | None:
    """Compare with the state that was published before.

    Args:
        previous: its record (`datasets_card.record`), as the repository holds it: a part that is not there, or is
            something else, is not compared. None where nothing was published before.
        statistics: of what is published now.
        staged: the data.
        license: of what is published now.
    """
    if not previous:
        return None
    before, now = _rows_before(previous), {one.code: one.rows for one in statistics.every}
    codes = [code for code in (*LANGUAGES, ENGLISH.code)[1:] if code in before or code in now]
    lines = [Change(LANGUAGES[code].name, before.get(code, 0), now.get(code, 0)) for code in codes]
    notes = [
        *_of_files(previous, staged),
        *_of_translators(previous, statistics),
        *_of_thresholds(previous, statistics),
    ]
    licensed = previous.get("license")
    if licensed and license and licensed != license:
        notes.append(f"The licence was {licensed} and is {license}.")
    changed = tuple(line for line in lines if line.before != line.now)
    return Changes(str(previous.get("tag") or "the state before"), changed, tuple(notes))


def _part(content: Any, name: str) -> Mapping[str, Any]:
    part = content.get(name) if isinstance(content, Mapping) else None
    return part if isinstance(part, Mapping) else {}


def _rows_before(previous: Mapping[str, Any]) -> dict[str, int]:
    configs = {code: rows for code, rows in _part(previous, "configs").items() if code in LANGUAGES}
    return {
        code: sum(count for count in rows.values() if isinstance(count, int))
        for code, rows in configs.items()
        if isinstance(rows, Mapping)
    }


def _of_files(previous: Mapping[str, Any], staged: Staged) -> Iterator[str]:
    files = _part(previous, "files")
    if not files:
        return
    same = sum(_part(files, path).get("sha256") == digest for path, digest in staged.files.items())
    if same == len(staged.files) == len(files):
        yield "The rows are the same, byte by byte."
    elif same:
        yield f"{show_count(same)} of {show_count(len(staged.files))} data files are the same, byte by byte."


def _of_translators(previous: Mapping[str, Any], statistics: Statistics) -> Iterator[str]:
    before = {
        str(name) for names in _part(previous, "translators").values() if isinstance(names, list) for name in names
    }
    if before and before != set(statistics.translators):
        yield f"Translated before by {join(sorted(before))}; now by {join(statistics.translators)}."


def _of_thresholds(previous: Mapping[str, Any], statistics: Statistics) -> Iterator[str]:
    """Which thresholds are others. One that is the same for all languages is told of once."""
    before, now = _part(previous, "thresholds"), _part(statistics.report, "bands")
    changed: dict[str, list[str]] = {}
    for code in (code for code in LANGUAGES if code in before and code in now):
        for check in (check for check in CHECKS if check in now[code]):
            old, new = _part(before, code).get(check), [now[code][check]["keep"], now[code][check]["drop"]]
            if isinstance(old, list) and len(old) == len(new) and old != new:
                said = f"{CHECKS[check][0]}: kept from {new[0]} (before: {old[0]}), dropped below {new[1]} ({old[1]})"
                changed.setdefault(said, []).append(LANGUAGES[code].name)
    for said, names in list(changed.items())[:_MOST]:
        yield f"{said} in {'every language' if len(names) == len(now) else join(names)}."
    if len(changed) > _MOST:
        yield f"{len(changed) - _MOST} more thresholds are others; mcot.json has them all."
