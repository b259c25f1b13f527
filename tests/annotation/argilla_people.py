"""Runs on a real Argilla server for tests, and people who review there."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa

from annotation.server.control import LocalServer
from annotation.settings import ReviewSettings
from mcot.core.errors import MCoTError
from mcot.core.files import write_table
from mcot.core.reviews import QUEUE_SCHEMA, ReviewFiles, sign_source, sign_translation
from mcot.core.rows import SCHEMA

PEOPLE = ["amina", "juma", "neema"]
SignIn = Callable[..., Any]


def make_run(folder: Path, languages: list[str], count: int, *, every_second: int = 5) -> Path:
    """A run with a queue of so many rows a language; every fifth is judged by two."""
    rows = []
    for code in languages:
        for number in range(count):
            texts = (f"Ali has {number} apples.", f"{number} + 1 = {number + 1}")
            translated = (f"Ali ana tufaha {number}. ({code})", f"{number} + 1 = {number + 1}")
            shown = dict(
                zip(("source_question", "source_rationale", "question", "rationale"), texts + translated, strict=True)
            )
            row = dict.fromkeys(SCHEMA.names) | shown | {"id": f"p{number}-{code}", "language": code}
            rows.append(
                {
                    "language": code,
                    "id": row["id"],
                    "review_round": 1,
                    "stratum": "review",
                    "probability": 1.0,
                    "priority": float(-number),
                    "min_submitted": 1 if number % every_second else 2,
                    "source_signature": sign_source(*texts),
                    "translation_signature": sign_translation(*translated),
                    "row": row | {"reasons": ["numbers.changed"], "details": [f"question: {number} -> 7"]},
                }
            )
    write_table(ReviewFiles(folder).queue, pa.Table.from_pylist(rows, schema=QUEUE_SCHEMA))
    return folder


def settings_for(workspace: str, languages: list[str], **more: Any) -> ReviewSettings:
    return ReviewSettings(workspace=workspace, annotators=dict.fromkeys(languages, PEOPLE), **more)


def password_of(passwords: Path, name: str) -> str:
    """A new account's password: of the one server that has a folder there."""
    (path,) = passwords.glob(f"*/{name}.password")
    return path.read_text().strip()


class Person:
    """An annotator at the interface that Argilla's page uses."""

    def __init__(self, server: LocalServer, name: str, passwords: Path, closing: ExitStack) -> None:
        self.name, self.http = name, httpx.Client(base_url=f"{server.url}/api/v1", timeout=60, trust_env=False)
        closing.callback(self.http.close)
        account = {"username": name, "password": password_of(passwords, name)}
        token = self.http.post("token", data=account).json()["access_token"]
        self.http.headers["Authorization"] = f"Bearer {token}"

    def records(self, suffix: str) -> dict[str, dict[str, Any]]:
        """The records of the datasets whose name ends so, by id, with their dataset's name."""
        found: dict[str, dict[str, Any]] = {}
        for dataset in self.http.get("me/datasets").json()["items"]:
            if dataset["name"].endswith(suffix):
                for offset in range(0, 10_000, 500):
                    path = f"me/datasets/{dataset['id']}/records/search"
                    items = self.http.post(path, params={"limit": 500, "offset": offset}, json={}).json()["items"]
                    found |= {item["record"]["id"]: item["record"] for item in items}
                    if len(items) < 500:
                        break
        return found

    def submit(self, records: list[str], answer: Callable[[int], dict[str, Any]]) -> None:
        for start in range(0, len(records), 100):
            items = [
                {"record_id": record, "status": "submitted", "values": {k: {"value": v} for k, v in answer(n).items()}}
                for n, record in enumerate(records[start : start + 100], start)
            ]
            said = self.http.post("me/responses/bulk", json={"items": items}).raise_for_status().json()
            assert [one["error"] for one in said["items"] if one["error"]] == []


def check_line(error: MCoTError, key: str) -> str:
    line = str(error)
    assert "\n" not in line
    assert key not in line
    return line
