"""The YAML at a card's head: what the Hub files a dataset under, and how `datasets` finds a config's files."""

import fnmatch
import re
from collections.abc import Iterable, Mapping
from typing import Any

from datasets_card.publication import ALL, Config, Staged
from datasets_card.settings import PublishSettings
from datasets_card.statistics import Statistics
from mcot.core.languages import LANGUAGES
from mcot.core.runs import sign

__all__ = ["config_name", "make_metadata", "show_name", "size_category"]

# https://huggingface.co/docs/hub/datasets-cards: the Hub's own classes of size, by the rows that they end at.
_SIZES = (
    (10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"), (10**7, "1M<n<10M"),
    (10**8, "10M<n<100M"), (10**9, "100M<n<1B"), (10**10, "1B<n<10B"),
)  # fmt: skip
_LARGEST = "10B<n<100B"
_TAGS = ["mcot-math", "math", "math-word-problems", "chain-of-thought", "reasoning", "machine-translation", "synthetic"]
# "data/sw/train-00000-of-00002.parquet"
_SHARD = re.compile(r"-\d{5}-of-\d{5}\.parquet$")
# What a source on the disk may end in.
_FILES = (".jsonl", ".json", ".parquet", ".csv", ".gz")
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")


def make_metadata(statistics: Statistics, staged: Staged, settings: PublishSettings) -> dict[str, Any]:
    """What the Hub reads of a card, in the order in which it is written."""
    codes = [language.code for language in statistics.every]
    read_by_people = any(language.precision for language in statistics.languages) and not statistics.reviews.simulated
    metadata: dict[str, Any] = {
        "pretty_name": show_name(settings),
        "language": codes,
        "license": settings.license,
        "multilinguality": ["translation"] if len(codes) > 1 else ["monolingual"],
        "language_creators": ["machine-generated"],
        # The Hub's word for those who read a language, and were chosen for it.
        "annotations_creators": ["expert-generated" if read_by_people else "machine-generated"],
        "source_datasets": _hub_sources(statistics.settings),
        "size_categories": [size_category(statistics.rows)],
        "task_categories": ["text-generation"],
        "tags": _TAGS,
        "configs": [_config(config, staged) for config in sorted(staged.configs, key=lambda one: one.name != ALL)],
    }
    return {key: value for key, value in metadata.items() if value}


def show_name(settings: PublishSettings) -> str:
    """What people call the dataset."""
    return settings.title or settings.repo_id.rpartition("/")[2]


def config_name(name: str) -> str:
    """What a config holds, in words."""
    titles = {ALL: "every language", "rejected": "rows that were dropped", "verdicts": "what each reviewer said"}
    return LANGUAGES[name].name if name in LANGUAGES else titles.get(name, name)


def size_category(rows: int) -> str:
    """The Hub's class of a dataset's size."""
    return next((name for end, name in _SIZES if rows < end), _LARGEST)


def _hub_sources(settings: Mapping[str, Any]) -> list[str]:
    """The Hub's ids of the sources that were read from there, as far as a path tells."""
    paths = [str(source.get("path")) for source in settings.get("sources") or []]
    return [path for path in paths if _HUB_ID.fullmatch(path) and not path.endswith(_FILES) and path[0] != "."]


def _config(config: Config, staged: Staged) -> dict[str, Any]:
    data_files = [
        {"split": split, "path": _patterns(files, staged.files)} for split, files in sorted(config.splits.items())
    ]
    # `datasets` caches a folder's configs by this metadata alone: with the files' signature in it another round's
    # rows in the same folder are not taken for those that were loaded before.
    rows = sum(config.rows.values())
    files = sign(*(staged.files.get(path) for paths in config.splits.values() for path in paths))
    content: dict[str, Any] = {
        "config_name": config.name,
        "description": f"{config_name(config.name)}, {rows} rows, files {files}",
        "data_files": data_files,
    }
    return {**content, "default": True} if config.name == ALL else content


def _patterns(files: Iterable[str], every: Iterable[str]) -> str | list[str]:
    """Patterns that match exactly these files of all that are there; the files themselves where there are none."""
    names = list(files)
    patterns = list(dict.fromkeys(_SHARD.sub("-*", name) for name in names))
    matched = {name for name in every if any(fnmatch.fnmatch(name, pattern) for pattern in patterns)}
    chosen = patterns if matched == set(names) else names
    return chosen[0] if len(chosen) == 1 else chosen
