"""A run's queue on a real Argilla server, and the verdicts that come back."""

import threading
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pytest

from annotation.argilla import push, status
from annotation.connection import Api
from annotation.pulling import _read_verdicts, pull
from annotation.run_folder import ensure_id, read_id
from annotation.server.control import LocalServer
from annotation.settings import ReviewSettings
from annotation.verdicts import validate_verdicts
from annotation.workspaces import Place, ensure_workspace
from mcot.core.errors import RunError, SettingsError
from mcot.core.files import write_table
from mcot.core.reviews import QUEUE_SCHEMA, VERDICT_SCHEMA, ReviewFiles, sign_source, sign_translation
from mcot.core.rows import SCHEMA
from tests.annotation.argilla_people import PEOPLE, Person, SignIn, check_line, make_run, settings_for


class Killer:
    """Kills a server in the middle of a request, and starts it again on the same folder and port."""

    def __init__(self, server: LocalServer, environment: Path) -> None:
        self.server, self.environment, self.restarts = server, environment, 0
        self._thread = threading.Thread()

    def arm(self, client: Any, path: str, nth: int, after: float = 0.03) -> None:
        seen = Counter[str]()

        def on_request(request: httpx.Request) -> None:
            seen[path] += path in request.url.path
            if seen[path] == nth and path in request.url.path:
                self._thread = threading.Timer(after, self._crash)
                self._thread.start()

        client.http_client.event_hooks = {"request": [on_request], "response": []}

    def _crash(self) -> None:
        port = int(self.server.url.rpartition(":")[2])
        self.server.kill()
        self.server = LocalServer.start(self.server.home, port=port, environment=self.environment)
        self.restarts += 1

    def wait(self) -> None:
        self._thread.join()


@pytest.mark.slow
def test_every_verdict_arrives_once_though_the_server_is_killed(
    tmp_path: Path, argilla_environment: Path, sign_in: SignIn, closing: ExitStack
) -> None:
    languages = ["sw", "bn", "th", "ja", "fr"]
    run, settings = make_run(tmp_path / "demo", languages, 400), settings_for("killed", languages)
    killer = Killer(LocalServer.start(tmp_path / "home", environment=argilla_environment), argilla_environment)
    try:
        client = sign_in(home=tmp_path / "home")
        killer.arm(client, "/records/bulk", 8)
        pushed = push(client, run, settings, passwords=tmp_path / "home/users")
        killer.wait()
        assert (sum(pushed.added.values()) + pushed.there, killer.restarts) == (2000, 1)
        client = sign_in(home=tmp_path / "home")
        again = push(client, run, settings, passwords=tmp_path / "home/users")
        assert (sum(again.added.values()), again.there, again.accounts) == (0, 2000, [])
        people = [Person(killer.server, name, tmp_path / "home/users", closing) for name in PEOPLE]
        expected = submit_all(people)
        killer.arm(client, "/records/search", 9)
        pulled = pull(client, run, settings)
        killer.wait()
        assert killer.restarts == 2
        assert (pulled.taken, pulled.merged.added) == (1202, 1202)
        rows = ReviewFiles(run).read_verdicts().to_pylist()
        said = Counter((row["annotator"], row["verdict"], row["question"], row["rationale"]) for row in rows)
        assert len({(row["language"], row["id"], row["annotator"]) for row in rows}) == 1202
        assert Counter((name, verdict) for name, verdict, _, _ in said.elements()) == expected
        before = ReviewFiles(run).verdicts.read_bytes()
        assert pull(sign_in(home=tmp_path / "home"), run, settings).merged.same == 1202
        assert ReviewFiles(run).verdicts.read_bytes() == before
        assert sum(one.completed for one in status(client, run, settings)) == 802
    finally:
        killer.wait()
        killer.server.stop()


def submit_all(people: list[Person]) -> Counter[tuple[str, str]]:
    """Have the first two judge the rows of two, and each a twelfth of the others. Gives what they said."""
    counts: Counter[tuple[str, str]] = Counter()

    def answer_of(person: Person) -> Callable[[int], dict[str, Any]]:
        def answer(number: int) -> dict[str, Any]:
            verdict = ("accept", "reject", "accept", "accept")[number % 4]
            counts[person.name, verdict] += 1
            return {"verdict": verdict} | ({"error_types": ["grammar"]} if verdict == "reject" else {})

        return answer

    for person in people[:2]:
        person.submit(sorted(person.records("-2")), answer_of(person))
    single = sorted(people[0].records("-1"))
    for place, person in enumerate(people):
        person.submit(single[place::12], answer_of(person))
    return counts


def test_answers_become_verdicts(
    tmp_path: Path, argilla_server: LocalServer, sign_in: SignIn, closing: ExitStack
) -> None:
    run, settings = make_run(tmp_path / "a run!", ["sw"], 5), settings_for("answers", ["sw"], adjudicators=["pendo"])
    client = sign_in(argilla_server.url, argilla_server.api_key)
    pushed = push(client, run, settings, passwords=tmp_path / "users")
    assert (pushed.added, pushed.disputed, pushed.accounts) == ({"sw": 5}, 0, PEOPLE)
    assert {path.stat().st_mode & 0o777 for path in pushed.passwords.iterdir()} == {0o600}
    assert pushed.passwords == tmp_path / "users" / argilla_server.url.removeprefix("http://").replace(":", "_")
    amina, juma = (Person(argilla_server, name, tmp_path / "users", closing) for name in PEOPLE[:2])
    single, double = sorted(amina.records("-1")), sorted(amina.records("-2"))
    shown = amina.records("-1")
    # Nothing of why a row was drawn can be seen by who judges it.
    assert {record["metadata"] is None or record["metadata"] == {} for record in shown.values()} == {True}
    questions = {record["id"]: _question(record) for record in shown.values()}
    # As the page sends it: with the prefilled texts.
    fix = {"corrected_question": "Ali ana matufaha.", "corrected_rationale": _rationale(shown[single[0]])}
    answers: list[dict[str, Any]] = [
        {"verdict": "fix", "error_types": ["grammar"], "comment": "plural", **fix},
        {"verdict": "accept", "corrected_question": questions[single[1]]},
        {"verdict": "accept", "corrected_question": "Ali ana machungwa."},
        {"verdict": "reject", "error_types": ["wrong_number", "mistranslation"]},
    ]
    amina.submit(single, lambda number: answers[number])
    amina.submit(double, lambda _: {"verdict": "accept"})
    first = pull(client, run, settings)
    # The row of two has one answer so far.
    assert (first.taken, first.merged.added, first.merged.waiting) == (4, 4, 1)
    found = {row["id"]: row for row in ReviewFiles(run).read_verdicts().to_pylist()}
    by_text = {questions[record]: answer for record, answer in zip(single, answers, strict=True)}
    expected = {
        "fix": ("fix", "Ali ana matufaha.", ["grammar"], "plural"),
        "Ali ana machungwa.": ("fix", "Ali ana machungwa.", [], None),
    }
    for row in ReviewFiles(run).read_queue().to_pylist():
        if row["min_submitted"] == 1:
            answer, verdict = by_text[row["row"]["question"]], found[row["id"]]
            key = answer["verdict"] if answer["verdict"] == "fix" else str(answer.get("corrected_question"))
            plain = (answer["verdict"], None, sorted(answer.get("error_types", [])), None)
            got = (verdict["verdict"], verdict["question"], sorted(verdict["error_types"]), verdict["comment"])
            assert got == expected.get(key, plain)
            assert (verdict["annotator"], verdict["origin"], verdict["adjudication"]) == ("amina", "argilla", False)
            assert verdict["submitted_at"].utcoffset().total_seconds() == 0
    juma.submit(double, lambda _: {"verdict": "reject"})
    assert pull(client, run, settings).merged.disputed == 1
    pushed = push(client, run, settings, passwords=tmp_path / "users")
    assert (pushed.added, pushed.disputed, pushed.accounts) == ({"sw": 1}, 1, ["pendo"])
    assert amina.records("-disputed") == {}
    settle(client, run, settings, Person(argilla_server, "pendo", tmp_path / "users", closing))
    assert push(client, run, settings, passwords=tmp_path / "users").disputed == 0


def _question(record: dict[str, Any]) -> str:
    number = record["fields"]["question"].split("apples")[0].split("has ")[1].split("<mark>")[-1].split("<")[0].strip()
    return f"Ali ana tufaha {number}. (sw)"


def _rationale(record: dict[str, Any]) -> str:
    number = int(_question(record).split()[3].removesuffix("."))
    return f"{number} + 1 = {number + 1}"


def settle(client: Any, run: Path, settings: ReviewSettings, pendo: Person) -> None:
    """The adjudicator sees the disagreement alone, with what was said, and settles it."""
    records = pendo.records("")
    said = [record["fields"]["verdicts"] for record in records.values()]
    assert said == ["• Annotator 1: accept\n• Annotator 2: reject"]
    pendo.submit(list(records), lambda _: {"verdict": "reject", "error_types": ["grammar"]})
    assert pull(client, run, settings).merged.disputed == 0
    assert sum(row["adjudication"] for row in ReviewFiles(run).read_verdicts().to_pylist()) == 1
    [progress] = status(client, run, settings)
    assert (progress.rows, progress.completed, progress.disputed) == (5, 5, (1, 1))
    assert progress.submitted == {"amina": 5, "juma": 1, "pendo": 1}


def test_what_was_half_made_is_made_anew(tmp_path: Path, argilla_server: LocalServer, sign_in: SignIn) -> None:
    """A client that was killed while it made a dataset leaves one that nobody can open."""
    run, settings = make_run(tmp_path / "demo", ["sw"], 1), settings_for("half", ["sw"])
    client = sign_in(argilla_server.url, argilla_server.api_key)
    api = Api(client)
    workspace = ensure_workspace(api, "half-sw")
    distribution = {"strategy": "overlap", "min_submitted": 2}
    name = f"demo-{ensure_id(run)}-sw-2"
    api.make("datasets", {"name": name, "workspace_id": workspace, "distribution": distribution})
    with pytest.raises(RunError, match="has no dataset of it in the workspaces half-sw"):
        status(client, run, settings)
    assert push(client, run, settings, passwords=tmp_path / "users").added == {"sw": 1}
    assert [one.rows for one in status(client, run, settings)] == [1]


def test_nothing_to_push(tmp_path: Path, argilla_server: LocalServer, sign_in: SignIn) -> None:
    client = sign_in(argilla_server.url, argilla_server.api_key)
    with pytest.raises(RunError, match="has no review queue"):
        push(client, tmp_path, ReviewSettings())
    run = make_run(tmp_path / "demo", ["sw"], 1)
    with pytest.raises(RunError, match="round 2 has no rows in its queue"):
        push(client, run, ReviewSettings(review_round=2))
    for ask in (pull, status):
        with pytest.raises(RunError, match=r"has no dataset of it in the workspaces mcot-sw; give the --settings that"):
            ask(client, run, ReviewSettings())


def test_two_runs_of_one_name_share_nothing(tmp_path: Path, argilla_server: LocalServer, sign_in: SignIn) -> None:
    settings = settings_for("twins", ["sw"])
    client = sign_in(argilla_server.url, argilla_server.api_key)
    runs = [make_run(tmp_path / parent / "demo", ["sw"], count) for parent, count in (("a", 3), ("b", 6))]
    for _ in range(2):
        for run in runs:
            push(client, run, settings, passwords=tmp_path / "users")
    assert [[one.rows for one in status(client, run, settings)] for run in runs] == [[3], [6]]
    names = [one["name"] for one in Api(client).get("me/datasets")["items"] if one["name"].startswith("demo-")]
    ids = [read_id(run) for run in runs]
    assert len(set(ids)) == 2
    assert {f"demo-{run_id}-sw-{needed}" for run_id in ids for needed in (1, 2)} <= set(names)
    # What the queue no longer has is not counted.
    queue = ReviewFiles(runs[1]).read_queue()
    write_table(ReviewFiles(runs[1]).queue, queue.slice(0, 4))
    assert [one.rows for one in status(client, runs[1], settings)] == [4]
    ReviewFiles(runs[1]).run.write_text("{}")
    with pytest.raises(RunError, match=r"run\.json: is damaged; put back a copy of it"):
        push(client, runs[1], settings, passwords=tmp_path / "users")


def test_an_annotators_key_is_refused_in_one_line(
    tmp_path: Path, argilla_server: LocalServer, sign_in: SignIn, closing: ExitStack
) -> None:
    run, settings = make_run(tmp_path / "demo", ["sw"], 2), settings_for("keys", ["sw"])
    pushed = push(sign_in(argilla_server.url, argilla_server.api_key), run, settings, passwords=tmp_path / "users")
    assert pushed.added == {"sw": 2}
    passwords = tmp_path / "users" if pushed.accounts else _known_passwords(argilla_server, tmp_path)
    key = Person(argilla_server, "amina", passwords, closing).http.get("me").json()["api_key"]
    client = sign_in(argilla_server.url, key)
    for ask in (status, pull, push):
        with pytest.raises(SettingsError) as told:
            ask(client, run, settings)
        assert "the key's user may not do this (403): valid: an owner" in check_line(told.value, key)


def _known_passwords(server: LocalServer, folder: Path) -> Path:
    """Give an annotator whom another test made a password that is known here."""
    headers = {"X-Argilla-Api-Key": server.api_key}
    with httpx.Client(base_url=f"{server.url}/api/v1", headers=headers, trust_env=False) as owner:
        (amina,) = [one["id"] for one in owner.get("users").json()["items"] if one["username"] == "amina"]
        owner.patch(f"users/{amina}", json={"password": "a-new-password"}).raise_for_status()
    (folder / "known" / "here").mkdir(parents=True)
    (folder / "known" / "here" / "amina.password").write_text("a-new-password")
    return folder / "known"


@pytest.mark.parametrize(
    ("answer", "verdict", "texts"),
    [
        ({"verdict": "fix", "corrected_question": "Ana ana 2."}, "fix", ("Ana ana 2.", "")),
        ({"verdict": "fix", "corrected_question": " \xa0\n", "corrected_rationale": "3"}, "fix", ("", "3")),
        ({"verdict": "fix"}, "fix", ("", "")),
        ({"verdict": "fix", "corrected_question": "Ana 2.", "corrected_rationale": "2"}, "fix", (None, None)),
        ({"verdict": "accept"}, "accept", (None, None)),
        ({"verdict": "accept", "corrected_question": ""}, "accept", (None, None)),
        ({"verdict": "reject", "corrected_question": ""}, "reject", (None, None)),
    ],
)
def test_an_emptied_correction_is_no_unchanged_one(
    answer: dict[str, str], verdict: str, texts: tuple[str | None, str | None]
) -> None:
    """The page leaves an emptied text out of what it sends."""
    row = make_queue_row("Ana 2.", "2")
    values = {name: {"value": value} for name, value in answer.items()}
    response = {"status": "submitted", "user_id": "1", "updated_at": "2026-01-05T09:00:00", "values": values}
    place = Place("mcot-sw", "demo-sw-1", "sw", 1, disputed=False)
    (found,) = _read_verdicts(place, row, {"responses": [response]}, {"1": "amina"})
    assert (found["verdict"], (found["question"], found["rationale"])) == (verdict, texts)
    table = pa.Table.from_pylist([found], schema=VERDICT_SCHEMA)
    faults = validate_verdicts(table, pa.Table.from_pylist([row], schema=QUEUE_SCHEMA))
    assert ["is empty; write it in full, or reject the row" in fault for fault in faults.values()] == [True] * (
        "" in texts
    )


def make_queue_row(question: str, rationale: str) -> dict[str, Any]:
    row = dict.fromkeys(SCHEMA.names) | {"id": "a", "language": "sw", "question": question, "rationale": rationale}
    signatures = {
        "source_signature": sign_source(None, None),
        "translation_signature": sign_translation(question, rationale),
    }
    return {"language": "sw", "id": "a", "review_round": 1, "min_submitted": 1, **signatures, "row": row}
