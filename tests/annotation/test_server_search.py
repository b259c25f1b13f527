"""Argilla's search on SQLite: it finds what plain tables say."""

import itertools
import string
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from annotation.server.control import LocalServer
from tests.annotation.searched_world import _BLOCK, COLORS, FIELDS, USERS, WORDS, Query, World, expect, values_at


@pytest.fixture(scope="module")
def world(argilla_server: LocalServer) -> Iterator[World]:
    world = World(argilla_server, "search")
    yield world
    for client in (world.owner, *(client for _, client in world.users.values())):
        client.close()


def response(question: str) -> Query:
    return {"entity": "response", "question": question}


def suggestion(question: str, name: str = "value") -> Query:
    return {"entity": "suggestion", "question": question, "property": name}


RECORD_STATUS = {"entity": "record", "property": "status"}
RESPONSE_STATUS = {"entity": "response", "property": "status"}
TERMS: list[tuple[Query, tuple[str, ...]]] = [
    (RECORD_STATUS, ("pending", "completed", "unheard of")),
    ({"entity": "record", "property": "external_id"}, tuple(f"asked-{n}" for n in range(0, 130, 3))),
    (RESPONSE_STATUS, ("pending", "draft", "submitted", "discarded")),
    (RESPONSE_STATUS, ("pending", "draft", "submitted", "discarded")),
    ({"entity": "metadata", "metadata_property": "color"}, (*COLORS, "black")),
    ({"entity": "metadata", "metadata_property": "count"}, ("0", "1", "2", "9")),
    (response("verdict"), ("accept", "fix", "reject")),
    (response("errors"), COLORS),
    (response("stars"), tuple("012345")),
    (suggestion("verdict"), ("accept", "fix", "reject")),
    (suggestion("errors"), COLORS),
    (suggestion("stars"), tuple("012345")),
    (suggestion("fixed", "agent"), ("nllb", "llm", "nobody")),
    (suggestion("fixed", "type"), ("model", "human")),
]
NUMBERS: list[Query] = [
    {"entity": "metadata", "metadata_property": "count"},
    {"entity": "metadata", "metadata_property": "score"},
    response("stars"),
    suggestion("stars"),
    suggestion("verdict", "score"),
]
SORTED: list[Query] = [
    *({"entity": "record", "property": name} for name in ("id", "external_id", "status", "inserted_at", "updated_at")),
    *NUMBERS,
    {"entity": "metadata", "metadata_property": "color"},
    RESPONSE_STATUS,
    response("verdict"),
    suggestion("fixed", "agent"),
    suggestion("errors"),
    suggestion("verdict", "type"),
]


def terms() -> st.SearchStrategy[Query]:
    return st.sampled_from(TERMS).flatmap(
        lambda term: st.lists(st.sampled_from(term[1]), min_size=1, max_size=3, unique=True).map(
            lambda values: {"type": "terms", "scope": term[0], "values": values}
        )
    )


@st.composite
def ranges(draw: st.DrawFn) -> Query:
    bounds = sorted(draw(st.lists(st.sampled_from([0, 0.1, 0.25, 0.5, 1, 2, 3.5, 5]), min_size=2, max_size=2)))
    kept = draw(st.sampled_from([("ge",), ("le",), ("ge", "le")]))
    limits = {name: bound for name, bound in zip(("ge", "le"), bounds, strict=True) if name in kept}
    return {"type": "range", "scope": draw(st.sampled_from(NUMBERS)), **limits}


@st.composite
def queries(draw: st.DrawFn) -> Query:
    query: Query = {}
    if filters := draw(st.lists(terms() | ranges(), max_size=3)):
        query["filters"] = {"and": filters}
    if orders := draw(st.lists(st.sampled_from(SORTED), max_size=2)):
        query["sort"] = [{"scope": scope, "order": draw(st.sampled_from(["asc", "desc"]))} for scope in orders]
    if draw(st.integers(0, 3)) == 0:
        marks = draw(st.lists(st.sampled_from(["{}", "-{}", "{}*", '"{}"', "{} |"]), min_size=1, max_size=3))
        text: Query = {"q": " ".join(mark.format(draw(st.sampled_from(WORDS))) for mark in marks)}
        if draw(st.booleans()):
            text["field"] = draw(st.sampled_from(list(FIELDS)))
        query["query"] = {"text": text}
    return query


@settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(query=queries(), user=st.sampled_from([None, *USERS]))
def test_finds_what_the_tables_hold(world: World, query: Query, user: str | None) -> None:
    found, total = world.search(user, query)
    expected = expect(world.read(), query, user)
    assert total == len(expected)
    if query.get("sort") or user is None:
        assert found == expected
    else:
        assert sorted(found) == sorted(expected)


@pytest.mark.parametrize("user", [None, *USERS])
def test_pages_are_parts_of_one_order(world: World, user: str | None) -> None:
    whole, total = world.search(user, {})
    pages = [world.search(user, {}, offset=offset, limit=40)[0] for offset in range(0, total, 40)]
    assert list(itertools.chain(*pages)) == whole
    assert world.search(user, {}, offset=total + 5) == ([], total)


def test_each_user_has_an_order_of_their_own_that_keeps_to_age(world: World) -> None:
    records = world.read()
    by_age = [record.id for record in records]
    # Records of one push have the ages of their order in it.
    assert [record.external_id for record in records] == [f"asked-{index}" for index in range(len(records))]
    orders = [world.search(user, {})[0] for user in USERS]
    assert len({tuple(order) for order in orders}) == len(USERS)
    for order in orders:
        assert order != by_age
        for start in range(0, len(by_age), _BLOCK):
            assert set(order[start : start + _BLOCK]) == set(by_age[start : start + _BLOCK])


def test_progress_and_metrics(world: World) -> None:
    records = world.read()
    progress = world.owner.get(f"datasets/{world.asked}/progress").json()
    completed = sum(record.status == "completed" for record in records)
    assert (progress["total"], progress["completed"], progress["pending"]) == (130, completed, 130 - completed)
    for name, (_, client) in world.users.items():
        metrics = client.get(f"me/datasets/{world.asked}/metrics").json()["responses"]
        mine = [status for record in records for user, status, _ in record.responses if user == name]
        counts = {status: mine.count(status) for status in ("submitted", "draft", "discarded")}
        assert metrics == {"total": 130, **counts, "pending": 130 - len(mine)}
    properties = world.owner.get(f"me/datasets/{world.asked}/metadata-properties").json()["items"]
    for title, identity in ((one["name"], one["id"]) for one in properties):
        metrics = world.owner.get(f"metadata-properties/{identity}/metrics").json()
        scope = {"entity": "metadata", "metadata_property": title}
        values = [value for record in records for value in values_at(record, scope, None)]
        if title == "color":
            assert {term["term"]: term["count"] for term in metrics["values"]} == {c: values.count(c) for c in COLORS}
        else:
            assert (metrics["min"], metrics["max"]) == (min(values), max(values))


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        ({"ge": "2020-01-01"}, 130),
        ({"ge": "2020-01-01T00:00:00+02:00", "le": "2999-12-31"}, 130),
        ({"le": "2020-01-01T00:00:00Z"}, 0),
        ({"ge": 1577836800000}, 130),
    ],
)
def test_dates(world: World, bounds: Query, expected: int) -> None:
    scope = {"entity": "record", "property": "inserted_at"}
    assert world.search("ann", {"filters": {"and": [{"type": "range", "scope": scope, **bounds}]}})[1] == expected


@pytest.mark.parametrize(
    ("query", "said"),
    [
        (
            {"type": "range", "scope": {"entity": "record", "property": "inserted_at"}, "ge": "yesterday"},
            "got the date 'yesterday'; valid: ISO 8601, as 2026-01-31T12:00:00",
        ),
        ({"type": "range", "scope": RESPONSE_STATUS, "ge": "draft"}, "responses are filtered by the terms"),
    ],
)
def test_what_can_not_be_asked_is_said(world: World, query: Query, said: str) -> None:
    answer = world.owner.post(f"datasets/{world.asked}/records/search", json={"filters": {"and": [query]}})
    assert answer.status_code == 422
    assert said in answer.text


def test_names_of_sql_are_texts(world: World) -> None:
    for word in ("'; DROP TABLE records; --", '" OR 1=1', "%", "_", string.punctuation):
        found, total = world.search("ann", {"query": {"text": {"q": word}}})
        expected = expect(world.read(), {"query": {"text": {"q": word}}}, "ann")
        assert (sorted(found), total) == (sorted(expected), len(expected))
