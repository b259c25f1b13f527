"""The record of a publication, `mcot.json`: what the next one compares itself with."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from datasets_card.publication import RECORD, Staged
from datasets_card.settings import PublishSettings
from mcot.core.files import read_json, write_json
from mcot.core.runs import sign

__all__ = ["choose_previous", "make_record", "parse_record", "write_record"]

_VERSION = 1


def make_record(run: Path, staged: Staged, settings: PublishSettings, round_number: int) -> dict[str, Any]:
    """What a publication is, as far as its data goes. The same rows and settings give the same record.

    Returns:
        `round`, `tag`, `license`; `dataset` and `settings`, the signatures of the data files and of the run's
        settings; `languages`, for each language its rows kept, to review and dropped; `thresholds`, keep and drop by
        language and check; `translators`, by language; `configs`, the rows by config and split; `files`, for each
        data file its rows, bytes and SHA-256.
    """
    report = read_json(run / "report.json")
    told = {key: value for key, value in (report.get("settings") or {}).items() if key != "sources"}
    return {
        "version": _VERSION,
        "round": round_number,
        "tag": settings.tag,
        "license": settings.license,
        "dataset": sign(dict(staged.files)),
        "settings": sign(told, report.get("bands")),
        "languages": _count_languages(run, staged),
        "thresholds": {
            code: {check: [band.get("keep"), band.get("drop")] for check, band in bands.items()}
            for code, bands in (report.get("bands") or {}).items()
        },
        "translators": {code: sorted(names) for code, names in _find_translators(staged).items()},
        "configs": {config.name: dict(config.rows) for config in staged.configs},
        "files": {path: _describe(staged.folder / path, digest) for path, digest in sorted(staged.files.items())},
    }


def write_record(
    staged: Staged, record: Mapping[str, Any], card: Mapping[str, bytes], previous: Mapping[str, Any] | None
) -> None:
    """Write the record into a staged folder.

    Args:
        staged: the folder, with its data files.
        record: of `make_record`.
        card: the files of the card.
        previous: the record of the publication under another tag before this one.
    """
    content = {**record, "card": sorted([*card, RECORD]), "previous": dict(previous) if previous else None}
    write_json(staged.folder / RECORD, content)


def parse_record(content: bytes) -> dict[str, Any]:
    """The record that a repository holds; an empty one if it is damaged, or somebody wrote something else."""
    try:
        record = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(record, dict) or not isinstance(record.get("files"), dict):
        return {}
    card, previous = record.get("card", []), record.get("previous")
    if not isinstance(card, list) or not all(isinstance(path, str) for path in card):
        return {}
    return record if previous is None or isinstance(previous, dict) else {}


def choose_previous(found: Mapping[str, Any], tag: str) -> dict[str, Any] | None:
    """What a publication is compared with: the last one under another tag.

    Publishing the same again must give the same files. So what a publication under this tag was compared with, a
    second one under it is.

    Args:
        found: the record that the repository holds; empty where it holds none.
        tag: of the publication to come.
    """
    if not found:
        return None
    before = found.get("previous") if found.get("tag") == tag else found
    # One step back and no further: else every record would hold all those before it.
    return {key: value for key, value in before.items() if key != "previous"} if isinstance(before, dict) else None


def _count_languages(run: Path, staged: Staged) -> dict[str, dict[str, int]]:
    rows = read_json(run / "manifest.json").get("rows", {})
    published = [config.name for config in staged.configs if (run / "dataset" / config.name).is_dir()]
    folders = {"keep": "dataset", "review": "review", "drop": "rejected"}
    return {
        code: {decision: int(rows.get(folder, {}).get(code, 0)) for decision, folder in folders.items()}
        for code in published
    }


def _find_translators(staged: Staged) -> dict[str, set[str]]:
    """Who translated the rows of each language, as the rows name them."""
    found: dict[str, set[str]] = {}
    for config in staged.configs:
        for path in (path for paths in config.splits.values() for path in paths):
            code = path.split("/")[1]
            if config.name == code and "translator" in pq.read_schema(staged.folder / path).names:
                names = pq.ParquetFile(staged.folder / path).read(["translator"])["translator"].unique().to_pylist()
                found.setdefault(code, set()).update(str(name) for name in names if name is not None)
    return {code: names for code, names in found.items() if names}


def _describe(path: Path, digest: str) -> dict[str, Any]:
    rows = pq.read_metadata(path).num_rows
    return {"rows": rows, "bytes": path.stat().st_size, "sha256": digest}
