"""Croissant metadata (MLCommons, version 1.1, with its vocabulary for responsible AI), as JSON-LD.

Every file with its SHA-256, and a record set a config with every column, so that `mlcroissant` can read the rows from
the repository at the published tag, or from a copy of it by `mapping={"repo": folder}`.
"""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from datasets_card.checks import CHECKS
from datasets_card.fields import COLUMNS, REVIEW, SCORE_PARTS
from datasets_card.metadata import config_name
from datasets_card.publication import ALL, REJECTED, VERDICTS, Config, Staged
from mcot.core.reviews import VERDICT_SCHEMA
from mcot.core.rows import SCHEMA

__all__ = ["make_croissant"]

# https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html: the context of every Croissant file.
_CONTEXT: Mapping[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "dct": "http://purl.org/dc/terms/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
    **{
        name: f"cr:{name}"
        for name in (
            "arrayShape", "citeAs", "column", "containedIn", "equivalentProperty", "extract", "field", "fileObject",
            "fileProperty", "fileSet", "format", "includes", "isArray", "isLiveDataset", "jsonPath", "key", "md5",
            "parentField", "path", "recordSet", "references", "regex", "repeated", "replace", "samplingRate",
            "separator", "source", "subField", "transform",
        )
    },
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "description": {"@container": "@language"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "name": {"@container": "@language"},
}  # fmt: skip
_CONFORMS = ["http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0"]
_REPOSITORY = "repo"
_PARQUET = "application/x-parquet"
# A repository has no checksum of its own; the specification's authors ask for this address in its place.
_NO_CHECKSUM = "https://github.com/mlcommons/croissant/issues/80"


def make_croissant(staged: Staged, facts: Mapping[str, Any], *, repo_id: str, tag: str) -> dict[str, Any]:
    """The metadata of a repository.

    Args:
        staged: what it holds.
        facts: what Croissant says of a dataset as a whole, by schema.org's names (`name`, `description`, `license`,
            `version`, ...) and Croissant's own (`citeAs`, `rai:dataLimitations`, ...).
        repo_id: on the Hub.
        tag: under which this state is published.
    """
    address = f"https://huggingface.co/datasets/{repo_id}"
    repository = {
        "@type": "cr:FileObject",
        "@id": _REPOSITORY,
        "name": _REPOSITORY,
        "description": "The repository, at this round's tag.",
        "contentUrl": f"{address}/tree/refs%2Ftags%2F{tag}",
        "encodingFormat": "git+https",
        "sha256": _NO_CHECKSUM,
    }
    configs = [config for config in staged.configs if config.splits]
    return {
        "@context": dict(_CONTEXT),
        "@type": "sc:Dataset",
        "conformsTo": _CONFORMS,
        "url": address,
        **facts,
        "distribution": [repository, *_files(staged), *map(_file_set, configs)],
        "recordSet": [_record_set(config) for config in configs],
    }


def _files(staged: Staged) -> list[dict[str, Any]]:
    return [
        {
            "@type": "cr:FileObject",
            "@id": path,
            "name": path,
            "containedIn": {"@id": _REPOSITORY},
            "contentUrl": path,
            "contentSize": f"{(staged.folder / path).stat().st_size} B",
            "encodingFormat": _PARQUET,
            "sha256": checksum,
        }
        for path, checksum in sorted(staged.files.items())
    ]


def _file_set(config: Config) -> dict[str, Any]:
    return {
        "@type": "cr:FileSet",
        "@id": f"files-{config.name}",
        "name": f"files-{config.name}",
        "containedIn": {"@id": _REPOSITORY},
        "encodingFormat": _PARQUET,
        "includes": [path for split in sorted(config.splits) for path in config.splits[split]],
    }


def _record_set(config: Config) -> dict[str, Any]:
    schema = VERDICT_SCHEMA if config.name == VERDICTS else SCHEMA
    key = ("language", "id", *(("review_round", "annotator") if config.name == VERDICTS else ()))
    what = "the dropped rows, with their reasons" if config.name == REJECTED else config_name(config.name)
    return {
        "@type": "cr:RecordSet",
        "@id": config.name,
        "name": config.name,
        "description": f"{what}: {sum(config.rows.values())} rows",
        "key": [{"@id": f"{config.name}/{name}"} for name in key],
        "field": [_field(config.name, column) for column in schema],
    }


def _field(config: str, column: "pa.Field[Any]") -> dict[str, Any]:
    """A column; one that is a struct has its fields as sub-fields."""
    place, source = (
        f"{config}/{column.name}",
        {"fileSet": {"@id": f"files-{config}"}, "extract": {"column": column.name}},
    )
    content: dict[str, Any] = {"@type": "cr:Field", "@id": place, "name": column.name}
    # Once is enough: a language's columns are those of all of them.
    if config == ALL and (description := COLUMNS.get(column.name)):
        content["description"] = description
    if not pa.types.is_struct(column.type):
        return {**content, **_type(column.type), "source": source}
    inner = [
        {
            "@type": "cr:Field",
            "@id": f"{place}/{field.name}",
            "name": field.name,
            **({"description": _inner_description(column.name, field.name)} if config == ALL else {}),
            **_type(field.type),
            "source": {**source, "transform": {"jsonPath": field.name}},
        }
        for field in column.type
    ]
    return {**content, "subField": inner}


def _inner_description(column: str, name: str) -> str:
    if column == "review":
        return REVIEW[name]
    check, _, part = name.rpartition("_")
    return f"{CHECKS[check][1]}, {SCORE_PARTS[part]}"


def _type(kind: pa.DataType) -> dict[str, Any]:
    if pa.types.is_list(kind):
        return {**_type(kind.value_type), "isArray": True, "arrayShape": "-1"}
    names = {"double": "cr:Float64", "int32": "cr:Int32", "bool": "sc:Boolean"}
    return {"dataType": "sc:DateTime" if pa.types.is_timestamp(kind) else names.get(str(kind), "sc:Text")}
