"""What can be set of an audit."""

import os
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from mcot.core.languages import LANGUAGES
from mcot.core.quality_settings import JudgeSettings, QualityEstimationSettings
from mcot.core.settings import (
    Band,
    CheckName,
    CheckSettings,
    CurationSettings,
    SourceSettings,
)
from mcot.core.settings_file import load_settings
from mcot.core.settings_model import Language, SettingsModel, check_languages

__all__ = ["AuditSettings", "load_audit_settings"]


class AuditSettings(SettingsModel):
    """Settings of `mcot audit`: all optional, an unknown key is an error."""

    subset: str | None = Field(None, description="a Hub dataset's configuration")
    split: str = Field("train", description="a Hub dataset's split")
    revision: str | None = Field(None, description="a Hub dataset's commit, tag or branch")
    checks: CheckSettings = CheckSettings()
    quality_estimation: QualityEstimationSettings | None = Field(
        None, description="a COMET model that estimates quality without references; by default none"
    )
    judge: JudgeSettings | None = Field(None, description="an LLM that judges translations; by default none")
    contamination: dict[str, Path | None] = Field(
        {}, description="benchmarks to look for, each with its file or folder; null for the Hub's"
    )
    thresholds: dict[Language | Literal["default"], dict[CheckName, Band]] = Field(
        {}, description="bands by language and check, over the defaults"
    )
    workers: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1, description="processes; all cores")

    @field_validator("thresholds")
    @classmethod
    def _known_languages(cls, bands: dict[str, dict[str, Band]]) -> dict[str, dict[str, Band]]:
        check_languages(bands, {"default", *LANGUAGES})
        return bands

    def for_curation(self, path: str, output: Path | None = None) -> CurationSettings:
        """The same as settings of `mcot curate`, which makes the checks and knows the default bands.

        Args:
            path: the set's.
            output: the audit's folder, where what is asked of models is kept.
        """
        source = SourceSettings(path=path, subset=self.subset, split=self.split, revision=self.revision)
        return CurationSettings(
            name="audit",
            output=output,
            sources=[source],
            checks=self.checks,
            quality_estimation=self.quality_estimation,
            judge=self.judge,
            thresholds=self.thresholds,
            workers=self.workers,
        )


def load_audit_settings(path: Path | None) -> AuditSettings:
    """The settings of a YAML file; the defaults without one.

    Raises:
        SettingsError: there is no such file, it is no YAML, or a key or a value is wrong.
    """
    return AuditSettings() if path is None else load_settings(path, AuditSettings)
