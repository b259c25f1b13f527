"""A dataset on Argilla's server as plain tables, to say what a search should find."""

import json
import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import httpx

from annotation.server.app.search_text import matches_text
from annotation.server.control import LocalServer

Query = dict[str, Any]
USERS = ("ann", "ben", "cas")
COLORS = ("red", "green", "blue")
WORDS = ("apples", "Apples", "pears", "12", "книга", "Книга", "苹果", "কলম")
FIELDS = {"question": "text", "rationale": "text", "extra": "custom"}
METADATA = {"color": "terms", "count": "integer", "score": "float"}
OPTIONS = [{"value": value, "text": value} for value in ("accept", "fix", "reject")]
QUESTIONS: dict[str, Query] = {
    "verdict": {"type": "label_selection", "options": OPTIONS},
    "errors": {"type": "multi_label_selection", "options": [{"value": c, "text": c} for c in COLORS]},
    "stars": {"type": "rating", "options": [{"value": n} for n in range(6)]},
    "fixed": {"type": "text"},
}
_PASSWORD = "not-a-secret-1"  # noqa: S105 (of users that live for a minute)
_BLOCK = 50


@dataclass
class Reading:
    """A record as the tables have it."""

    id: str
    external_id: str | None
    status: str
    inserted_at: str
    updated_at: str
    fields: str
    metadata: Query
    suggestions: dict[str, Query] = field(default_factory=dict)
    responses: list[tuple[str, str, Query]] = field(default_factory=list)


class World:
    """Two datasets on the server, one of them asked and one beside it, and who asks."""

    def __init__(self, server: LocalServer, workspace: str) -> None:
        self.server, self.rng = server, random.Random(4)
        self.owner = self.client({"X-Argilla-Api-Key": server.api_key})
        self.workspace = self.post("workspaces", {"name": workspace})["id"]
        self.users = {name: self.user(f"{workspace}-{name}") for name in USERS}
        self.questions: dict[str, str] = {}
        self.other = self.dataset("beside", 20)
        self.asked = self.dataset("asked", 130)
        self.names = {identity: name for name, (identity, _) in self.users.items()}

    def client(self, headers: dict[str, str]) -> httpx.Client:
        return httpx.Client(base_url=f"{self.server.url}/api/v1", headers=headers, timeout=60, trust_env=False)

    def post(self, path: str, content: Query) -> Any:
        answer = self.owner.post(path, json=content)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def user(self, name: str) -> tuple[str, httpx.Client]:
        user = self.post("users", {"username": name, "first_name": name, "password": _PASSWORD, "role": "annotator"})
        self.post(f"workspaces/{self.workspace}/users", {"user_id": user["id"]})
        token = self.owner.post("token", data={"username": name, "password": _PASSWORD}).json()["access_token"]
        return user["id"], self.client({"Authorization": f"Bearer {token}"})

    def dataset(self, name: str, count: int) -> str:
        shared = {"strategy": "overlap", "min_submitted": 2}
        here = self.post("datasets", {"name": name, "workspace_id": self.workspace, "distribution": shared})["id"]
        for title, kind in FIELDS.items():
            custom = {"template": "<p></p>", "advanced_mode": False} if kind == "custom" else {}
            required = title == "question"
            content = {"name": title, "title": title, "required": required, "settings": {"type": kind, **custom}}
            self.post(f"datasets/{here}/fields", content)
        for title, question in QUESTIONS.items():
            content = {"name": title, "title": title, "required": title == "verdict", "settings": question}
            self.questions[title] = self.post(f"datasets/{here}/questions", content)["id"]
        for title, kind in METADATA.items():
            content = {"name": title, "title": title, "settings": {"type": kind}, "visible_for_annotators": True}
            self.post(f"datasets/{here}/metadata-properties", content)
        self.owner.put(f"datasets/{here}/publish").raise_for_status()
        records = [self.record(f"{name}-{index}") for index in range(count)]
        for some in (records[: count // 2], records[count // 2 :]):
            self.owner.put(f"datasets/{here}/records/bulk", json={"items": some}).raise_for_status()
        return str(here)

    def record(self, name: str) -> Query:
        rng = self.rng
        fields: Query = {"question": " ".join(rng.sample(WORDS, 3))}
        if rng.random() < 0.7:
            fields["rationale"] = "\n".join(rng.sample(WORDS, 2))
        if rng.random() < 0.3:
            fields["extra"] = {"note": rng.choice(WORDS)}
        metadata: Query = {}
        if rng.random() < 0.8:
            metadata["color"] = rng.choice((*COLORS, ["red", "blue"], ["green"]))
        if rng.random() < 0.8:
            metadata["count"] = rng.randrange(5)
        if rng.random() < 0.8:
            metadata["score"] = rng.choice((0.0, 0.25, 0.5, 1.0, rng.random()))
        suggestions = [
            {"question_id": self.questions[title], "value": self.answer(title), **self.facts(title)}
            for title in QUESTIONS
            if rng.random() < 0.6
        ]
        responses = [
            {"user_id": identity, "status": status, "values": {title: {"value": self.answer(title)} for title in given}}
            for identity, _ in self.users.values()
            if (status := rng.choice(("submitted", "submitted", "draft", "discarded", None)))
            for given in [["verdict", *rng.sample(["errors", "stars", "fixed"], rng.randrange(4))]]
        ]
        base = {"external_id": name, "fields": fields, "suggestions": suggestions, "responses": responses}
        return {**base, "metadata": metadata or None}

    def answer(self, title: str) -> object:
        rng = self.rng
        match title:
            case "verdict":
                return rng.choice(("accept", "fix", "reject"))
            case "errors":
                return rng.sample(COLORS, rng.randrange(1, 4))
            case "stars":
                return rng.randrange(6)
        return rng.choice(WORDS)

    def facts(self, title: str) -> Query:
        rng = self.rng
        score: object = rng.choice((None, 0.1, 0.5, 0.9))
        if title == "errors":
            score = None
        return {
            "score": score,
            "agent": rng.choice((None, "nllb", "llm")),
            "type": rng.choice((None, "model", "human")),
        }

    def search(self, user: str | None, query: Query, **parameters: int) -> tuple[list[str], int]:
        """The ids found, and how many there are; of the owner's search over everyone's responses for None."""
        client = self.owner if user is None else self.users[user][1]
        path = f"{'' if user is None else 'me/'}datasets/{self.asked}/records/search"
        answer = client.post(path, params={"limit": 1000, **parameters}, json=query)
        assert answer.is_success, answer.text
        content = answer.json()
        return [item["record"]["id"].replace("-", "") for item in content["items"]], content["total"]

    def read(self) -> list[Reading]:
        """The dataset's records by age, read from the database's file."""
        path = self.server.home / "argilla.db"
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as tables:
            columns = "id, external_id, status, inserted_at, updated_at, fields, metadata"
            rows = tables.execute(
                f"SELECT {columns} FROM records WHERE dataset_id = ? ORDER BY inserted_at, id",  # noqa: S608
                [self.asked.replace("-", "")],
            )
            records: dict[str, Reading] = {}
            for identity, external, state, inserted, updated, fields, metadata in rows:
                read = Reading(identity, external, state, inserted, updated, fields, parse(metadata) or {})
                records[identity] = read
            for record, user, status, values in tables.execute(
                'SELECT record_id, user_id, status, "values" FROM responses ORDER BY record_id, user_id'
            ):
                if record in records:
                    answers = {name: given["value"] for name, given in (json.loads(values or "null") or {}).items()}
                    name = next(name for name, (identity, _) in self.users.items() if identity.replace("-", "") == user)
                    records[record].responses.append((name, status, answers))
            suggested = "SELECT record_id, q.name, value, score, agent, s.type FROM suggestions s, questions q"
            for record, name, value, score, agent, kind in tables.execute(f"{suggested} WHERE q.id = question_id"):
                if record in records:
                    one = {
                        "value": parse(value),
                        "score": parse(score),
                        "agent": agent,
                        "type": kind,
                    }
                    records[record].suggestions[name] = one
        return list(records.values())


def parse(value: object) -> Any:
    """What a JSON column has: SQLite keeps a JSON number as a number."""
    return json.loads(value) if isinstance(value, str) else value


def values_at(record: Reading, scope: Query, user: str | None) -> list[Any]:
    """What a record has at a scope: no, one or several values."""
    entity = scope["entity"]
    if entity == "record":
        found: object = getattr(record, scope["property"])
    elif entity == "metadata":
        found = record.metadata.get(scope["metadata_property"])
    elif entity == "suggestion":
        found = record.suggestions.get(scope["question"], {}).get(scope["property"])
    else:
        given = [answers.get(scope["question"]) for name, _, answers in record.responses if user in (None, name)]
        return [value for one in given if one is not None for value in (one if isinstance(one, list) else [one])]
    return [value for value in (found if isinstance(found, list) else [found]) if value is not None]


def passes(record: Reading, wanted: Query, user: str | None) -> bool:
    """Whether a record passes one filter."""
    scope = wanted["scope"]
    if scope["entity"] == "response" and scope.get("property") == "status":
        statuses = [status for name, status, _ in record.responses if user in (None, name)]
        return any(status in wanted["values"] for status in statuses) or (
            not statuses and "pending" in wanted["values"]
        )
    found = values_at(record, scope, user)
    if wanted["type"] == "terms":
        return any(str(value) in wanted["values"] for value in found)
    low, high = wanted.get("ge"), wanted.get("le")
    return any((low is None or value >= low) and (high is None or value <= high) for value in found)


def sorted_by(records: list[Reading], orders: list[Query], user: str | None) -> list[Reading]:
    """Records in the order asked for; what has no value comes last, and what is equal by age."""
    for order in reversed(orders):
        for key in reversed(sort_keys(order, user)):
            with_value = [record for record in records if key(record) is not None]
            without = [record for record in records if key(record) is None]
            records = sorted(with_value, key=key, reverse=order["order"] == "desc") + without
    return records


def sort_keys(order: Query, user: str | None) -> list[Callable[[Reading], Any]]:
    scope, best = order["scope"], max if order["order"] == "desc" else min
    if scope["entity"] != "response":
        return [lambda record: best(values_at(record, scope, user), default=None)]

    def statuses(record: Reading) -> str | None:
        return min((status for name, status, _ in record.responses if user in (None, name)), default=None)

    def mean(record: Reading) -> float | None:
        found = [value for value in values_at(record, scope, user) if isinstance(value, int)]
        return sum(found) / len(found) if found else None

    def first(record: Reading) -> str | None:
        return min((value for value in values_at(record, scope, user) if isinstance(value, str)), default=None)

    return [statuses] if scope.get("property") == "status" else [mean, first]


def expect(records: list[Reading], query: Query, user: str | None) -> list[str]:
    """The ids that a query should find, in order."""
    for wanted in query.get("filters", {}).get("and", []):
        records = [record for record in records if passes(record, wanted, user)]
    if text := query.get("query", {}).get("text"):
        names = json.dumps([text["field"]] if text.get("field") else list(FIELDS))
        records = [record for record in records if matches_text(record.fields, text["q"], names)]
    return [record.id for record in sorted_by(records, query.get("sort", []), user)]
