"""Under which licence rows of several sources may be published together.

Conditions are those of the licences' texts. That an adaptation of CC BY-NC text stays non-commercial, that one of
CC BY-SA text takes the same licence or a later version of it, and that one of ND text may not be shared at all, is the
adapter's licence chart of https://creativecommons.org/faq/#if-i-derive-or-adapt-material-offered-under-a-creative-commons-license-which-cc-licenses-can-i-use
The names are the Hub's, which are SPDX's in small letters:
https://huggingface.co/docs/hub/repositories-licenses
"""

from collections.abc import Mapping
from dataclasses import dataclass

from mcot.core.errors import SettingsError, choose

__all__ = ["KNOWN", "OTHER", "combine", "hub_name"]

#: What the Hub calls a licence that it has no name for.
OTHER = "other"


@dataclass(frozen=True, slots=True)
class _Licence:
    """What a licence asks of those who pass an adaptation on.

    Attributes:
        asks: `notice` (keep its text), `changes` (say that there are some), `attribution` (name who made it),
            `non-commercial`, `share-alike`.
        later: of a share-alike licence, the others that an adaptation may take.
        adaptable: whether a translation may be passed on at all.
    """

    asks: frozenset[str]
    later: tuple[str, ...] = ()
    adaptable: bool = True


def _licence(*asks: str, later: tuple[str, ...] = (), adaptable: bool = True) -> _Licence:
    return _Licence(frozenset(asks), later, adaptable)


# The freest first: the dataset gets the first that every source lets it have, of the sources' own before others.
KNOWN: Mapping[str, _Licence] = {
    "cc0-1.0": _licence(),
    "pddl": _licence(),
    "unlicense": _licence(),
    "mit": _licence("notice"),
    "bsd-2-clause": _licence("notice"),
    "bsd-3-clause": _licence("notice"),
    "apache-2.0": _licence("notice", "changes"),
    "odc-by": _licence("notice", "attribution"),
    "cc-by-4.0": _licence("notice", "changes", "attribution"),
    "cc-by-3.0": _licence("notice", "changes", "attribution"),
    "cc-by-sa-4.0": _licence("notice", "changes", "attribution", "share-alike"),
    "cc-by-sa-3.0": _licence("notice", "changes", "attribution", "share-alike", later=("cc-by-sa-4.0",)),
    "odbl": _licence("notice", "attribution", "share-alike"),
    "gpl-3.0": _licence("notice", "changes", "attribution", "share-alike"),
    "cc-by-nc-4.0": _licence("notice", "changes", "attribution", "non-commercial"),
    "cc-by-nc-3.0": _licence("notice", "changes", "attribution", "non-commercial"),
    "cc-by-nc-sa-4.0": _licence("notice", "changes", "attribution", "non-commercial", "share-alike"),
    "cc-by-nc-sa-3.0": _licence(
        "notice", "changes", "attribution", "non-commercial", "share-alike", later=("cc-by-nc-sa-4.0",)
    ),
    "cc-by-nd-4.0": _licence("notice", "changes", "attribution", adaptable=False),
    "cc-by-nc-nd-4.0": _licence("notice", "changes", "attribution", "non-commercial", adaptable=False),
}  # fmt: skip

# As people and SPDX's longer names write them.
_ALIASES = {
    "apache 2.0": "apache-2.0",
    "apache license 2.0": "apache-2.0",
    "cc0": "cc0-1.0",
    "mit license": "mit",
    "odc-by-1.0": "odc-by",
    "odbl-1.0": "odbl",
    "pddl-1.0": "pddl",
    "gpl-3.0-only": "gpl-3.0",
    "gpl-3.0-or-later": "gpl-3.0",
}


def hub_name(license: str) -> str:
    """A licence as the Hub calls it; one that isn't known here in small letters."""
    name = " ".join(license.lower().split())
    return _ALIASES.get(name, name)


def combine(sources: Mapping[str, str | None], chosen: str | None) -> str:
    """The licence for rows of all these sources.

    Args:
        sources: the licence of each source, by the source's name; None where its rows name none.
        chosen: the one that the settings ask for; None for the freest that the sources allow.

    Returns:
        The licence, as the Hub calls it.

    Raises:
        SettingsError: a source names none or an unknown one, or they don't go together.
    """
    names = {source: hub_name(license) for source, license in sources.items() if license and license.strip()}
    unnamed = sorted(sources.keys() - names.keys())
    if unnamed:
        raise SettingsError(
            f"source {unnamed[0]!r} names no licence{_others(unnamed)}; name it under `source_licenses` in the "
            f"settings: {{{unnamed[0]}: mit}}"
        )
    wanted = hub_name(chosen) if chosen else None
    if wanted is not None and wanted not in KNOWN and wanted != OTHER:
        raise SettingsError(f"`license`: got {chosen!r}; {choose(wanted, [*KNOWN, OTHER])}")
    unknown = sorted(source for source, name in names.items() if name not in KNOWN)
    if unknown and wanted is None:
        raise SettingsError(
            f"source {unknown[0]!r}: what its licence {names[unknown[0]]!r} allows is not known here"
            f"{_others(unknown)}; set `license` in the settings to what the dataset may be published under"
        )
    judged = {source: name for source, name in names.items() if name in KNOWN}
    for source, name in sorted(judged.items()):
        if not KNOWN[name].adaptable:
            raise SettingsError(
                f"source {source!r}: its licence {name!r} lets nobody pass on a translation; leave it out, and "
                "curate again"
            )
    if wanted is not None:
        return _check(judged, wanted)
    # A later version of a licence allows no less, but who gave one text under 3.0 expects to find it so.
    for candidate in sorted(KNOWN, key=lambda name: name not in judged.values()):
        if all(_allows(name, candidate) for name in judged.values()):
            return candidate
    listed = ", ".join(f"{source} {name}" for source, name in sorted(judged.items()))
    raise SettingsError(f"the sources' licences don't go together: {listed}; leave one out, and curate again")


def _others(names: list[str]) -> str:
    return f" (nor do {len(names) - 1} others)" if len(names) > 1 else ""


def _check(sources: Mapping[str, str], wanted: str) -> str:
    # What another licence says is for those to know who wrote it.
    refused = [source for source, name in sorted(sources.items()) if wanted != OTHER and not _allows(name, wanted)]
    if refused:
        raise SettingsError(
            f"`license`: got {wanted!r}, which source {refused[0]!r} ({sources[refused[0]]}) does not allow; leave "
            "`license` out and it is worked out from the sources"
        )
    return wanted


def _allows(source: str, target: str) -> bool:
    """Whether rows made from a source may be passed on under a licence."""
    given, taken = KNOWN[source], KNOWN[target]
    if "share-alike" in given.asks:
        return target in {source, *given.later}
    return source == target or (taken.adaptable and given.asks <= taken.asks)
