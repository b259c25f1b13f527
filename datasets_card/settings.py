"""The settings of `mcot publish`."""

import re
from typing import Annotated

from huggingface_hub.errors import HFValidationError
from huggingface_hub.utils._validators import validate_repo_id
from pydantic import AfterValidator, Field, field_validator

from mcot.core.languages import LANGUAGES
from mcot.core.settings_model import Language, SettingsModel, check_each_once

__all__ = ["PublishFile", "PublishSettings"]

# What git allows in a reference's name, and the Hub in an address, without quoting.
_TAG = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")


def _check_repo_id(repo_id: str) -> str:
    try:
        validate_repo_id(repo_id)
    except HFValidationError:
        valid = False
    else:
        valid = repo_id.count("/") == 1
    if not valid:
        raise ValueError("give the repository as ORG/NAME, of letters, digits, '-', '_' and '.'")
    return repo_id


def _check_tag(tag: str) -> str:
    if not _TAG.fullmatch(tag) or ".." in tag or tag.endswith(".lock"):
        raise ValueError("give a tag of letters, digits, '-', '_' and '.', such as round-1")
    return tag


RepoId = Annotated[str, AfterValidator(_check_repo_id), Field(description="the repository, as ORG/NAME")]


class _Publication(SettingsModel):
    """All that can be set but the repository."""

    private: bool = Field(True, description="whether only its owners see the repository, where it is made anew")
    title: str | None = Field(
        None, min_length=1, max_length=200, description="the dataset's name in words; the repository's by default"
    )
    languages: list[Language] | None = Field(
        None, min_length=1, description="the languages to publish; all that the run has by default"
    )
    rejected: bool = Field(False, description="the rejected rows too, with their reasons, as config `rejected`")
    verdicts: bool = Field(False, description="what each reviewer said, under a pseudonym, as config `verdicts`")
    comments: bool = Field(
        False, description="reviewers' comments too, in config `verdicts`, with annotators' names under pseudonyms"
    )
    license: str | None = Field(
        None, description="the dataset's licence, as the Hub calls it; worked out from the sources' by default"
    )
    source_licenses: dict[str, str] = Field(
        {}, description="licences of sources, by the sources' names, over those that the rows name"
    )
    tag: Annotated[str, AfterValidator(_check_tag)] | None = Field(
        None, description="the name that this state is found under later; round-N by default"
    )
    shard_rows: int = Field(50_000, ge=1, description="rows of a Parquet file, at most")
    without_contamination_check: bool = Field(
        False, description="publish rows that were not looked for in the benchmarks"
    )

    @field_validator("languages")
    @classmethod
    def _known_languages(cls, codes: list[str] | None) -> list[str] | None:
        if codes is not None:
            check_each_once(codes, set(LANGUAGES))
        return codes


class PublishSettings(_Publication):
    """Settings of `mcot publish`."""

    repo_id: RepoId


class PublishFile(_Publication):
    """The same as a file holds them: the repository may be named elsewhere."""

    repo_id: RepoId | None = None
