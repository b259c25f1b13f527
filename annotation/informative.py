"""Which uncertain rows tell most: those that the checks nearly kept."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from mcot.core.rows import SCORES, UNSCORED_REASONS
from mcot.core.settings import Band, CurationSettings, SourceSettings

__all__ = ["Informative"]

_FIELDS = [(field, "translation" if field.startswith("translation_") else field.rpartition("_")[0]) for field in SCORES]


class Informative:
    """Rates uncertain rows by the bands that they were decided with.

    A row nearest to being kept is the most worth asking about: only verdicts close to a threshold say whether it can
    be lowered, and of these rows the most are good, so that an hour of reviewing gains the most rows.

    Args:
        run: its `settings.yaml` has the bands; the built-in ones hold where it can't be read.
    """

    def __init__(self, run: Path) -> None:
        self._settings = _settings(run / "settings.yaml")
        self._bands: dict[str, dict[str, Band]] = {}

    def rate(self, language: str, row: Mapping[str, Any]) -> float:
        """How near a row is to being kept: 0 at every threshold, less by up to 1 for each score below its own.

        A score counts by where it lies in its band: halfway between `keep` and `drop` it takes 0.5. What a check was to
        score and could not takes 1: no threshold will keep the row.
        """
        if language not in self._bands:
            self._bands[language] = self._settings.bands(language)
        scores = row["scores"] or {}
        unscored = sum(reason in UNSCORED_REASONS for reason in row.get("reasons") or ())
        return -sum((_shortfall(scores.get(field), self._bands[language][check]) for field, check in _FIELDS), unscored)


def _shortfall(score: float | None, band: Band) -> float:
    if score is None or score >= band.keep:
        return 0.0
    return 1.0 if score <= band.drop else (band.keep - score) / (band.keep - band.drop)


def _settings(path: Path) -> CurationSettings:
    """A run's bands, whatever command wrote its settings."""
    sources = [SourceSettings(path="none")]
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
        return CurationSettings(name="run", sources=sources, thresholds=content["thresholds"])
    except (OSError, ValueError, yaml.YAMLError, ValidationError, KeyError, TypeError):
        # The order in which rows are shown is worth no error.
        return CurationSettings(name="run", sources=sources)
