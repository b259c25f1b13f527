"""The way to the Hub: what is sent, what is not sent again, and what faults on the way lead to."""

import io
import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from huggingface_hub import constants

from datasets_card.contents import take_contents
from datasets_card.publication import Config, Staged
from datasets_card.staging import hash_file
from datasets_card.upload import Hub, Uploaded
from mcot.core.errors import RunError, SettingsError, StageError, UserError
from mcot.core.files import write_json
from tests.datasets_card.conftest import TOKEN
from tests.datasets_card.hub_server import Fault, HubServer

# huggingface_hub's own: it gives its HTTP library a file in a way that is going out of use.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content:DeprecationWarning")

REPO = "org/set"
PATHS = [f"data/sw/train-{number:05d}-of-00003.parquet" for number in range(3)]

Send = Callable[..., Uploaded]


def make_staged(folder: Path, *, size: int = 20_000, last: bytes = b"z") -> Staged:
    """Three data files, the last one of which may differ, and a card."""
    for path, letter in zip(PATHS, (b"x", b"y", last), strict=True):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(letter * size)
    (folder / "README.md").write_text("---\nlicense: mit\n---\n# A set\n")
    write_json(folder / "mcot.json", {"files": dict.fromkeys(PATHS), "card": ["README.md"]})
    config = Config("sw", {"train": tuple(PATHS)}, {"train": 3}, 3 * size)
    return Staged(folder, (config,), {path: hash_file(folder / path) for path in PATHS})


@pytest.fixture
def send(tmp_path: Path, naps: list[float]) -> Send:
    def upload(staged: Staged | None = None, tag: str = "round-1", token: str = TOKEN, **options: bool) -> Uploaded:
        given = {"private": True, "move_tag": False} | options
        contents = take_contents(staged if staged is not None else make_staged(tmp_path / "staged"))
        return Hub(REPO, token).upload(contents, tag=tag, message="Publish", **given)

    return upload


@pytest.mark.parametrize("part_size", [0, 7_000], ids=["whole", "in parts"])
def test_all_of_it_arrives_once(send: Send, hub: HubServer, tmp_path: Path, part_size: int) -> None:
    hub.part_size = part_size
    done = send()
    there = hub.repositories[REPO]
    folder = tmp_path / "staged"
    assert there.private
    assert {path: hub.objects[digest] for path, digest in there.files.items() if path != ".gitattributes"} == {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }
    assert there.tags == {"round-1": done.commit}
    assert (done.files, done.tagged, hub.asked["commit"], len(there.commits)) == (5, True, 1, 2)

    hub.reset_counts()
    again = send()
    assert (again.files, again.bytes, again.tagged, again.commit) == (0, 0, False, done.commit)
    # Questions, and nothing that sends or makes anything.
    assert set(hub.asked) <= {"info", "tree", "refs", "resolve"}
    assert len(there.commits) == 2


def test_only_what_changed_is_sent_and_what_is_gone_is_removed(send: Send, hub: HubServer, tmp_path: Path) -> None:
    send()
    there = hub.repositories[REPO]
    theirs = {**there.files, "notes.txt": hub.keep(b"somebody's")}
    there.commit(theirs, "notes")
    hub.reset_counts()
    folder = tmp_path / "second"
    made = make_staged(folder, last=b"w")
    (folder / PATHS[0]).unlink()
    write_json(folder / "mcot.json", {"files": dict.fromkeys(PATHS[1:]), "card": ["README.md"]})
    staged = Staged(folder, made.configs, {path: made.files[path] for path in PATHS[1:]})
    done = send(staged, tag="round-2")
    assert (done.files, hub.asked["put"], hub.received["put"]) == (2, 1, 20_000)
    assert set(there.files) == {".gitattributes", "notes.txt", "README.md", "mcot.json", *PATHS[1:]}
    assert there.tags["round-2"] == there.head != there.tags["round-1"]


@pytest.mark.parametrize(
    ("fault", "waits"),
    [
        (Fault("create", 500), [1.0]),
        (Fault("create", None, late=True), [1.0]),
        (Fault("info", 503, times=2), [1.0, 2.0]),
        (Fault("refs", 429, headers={"Retry-After": "17"}), [17.0]),
        (Fault("refs", 429, headers={"RateLimit": '"api";r=0;t=23'}), [23.0]),
        # These the library itself tries again, a second later than asked.
        (Fault("preupload", 429, headers={"Retry-After": "17"}), [18.0]),
        (Fault("batch", 500), [1]),
        (Fault("put", 500), [1]),
        (Fault("put", None, after=5_000), [1]),
        (Fault("commit", 500, times=4), [1.0, 2.0, 4.0, 8.0]),
        (Fault("commit", None, after=100), [1.0]),
        # The commit was made; only its answer was lost.
        (Fault("commit", None, late=True), [1.0]),
        (Fault("tag", 429, headers={"Retry-After": "5"}), [5.0]),
        (Fault("tag", None, late=True), [1.0]),
    ],
    ids=lambda value: f"{value.route} {value.status}{' late' * value.late}" if isinstance(value, Fault) else "",
)
def test_what_passes_is_tried_again(
    send: Send, hub: HubServer, naps: list[float], fault: Fault, waits: list[float]
) -> None:
    hub.faults = [fault]
    done = send()
    there = hub.repositories[REPO]
    assert naps == waits
    assert len(there.commits) == 2
    assert there.tags == {"round-1": done.commit}
    assert set(PATHS) < set(there.files)
    assert sum(map(len, (hub.objects[there.files[path]] for path in PATHS))) == 60_000


@pytest.mark.parametrize(
    ("fault", "kind", "parts"),
    [
        (Fault("create", 401, 99), UserError, ["does not know the token", "HF_TOKEN"]),
        (Fault("info", 401, 99), UserError, ["does not know the token"]),
        (Fault("create", 403, 99), UserError, ["may not write to org/set", "'org'", "--repo-id"]),
        (Fault("preupload", 403, 99), UserError, ["may not write"]),
        (Fault("preupload", 404, 99), UserError, ["not found", "check --repo-id"]),
        (Fault("commit", 409, 99), UserError, ["at the same time", "run the same command again"]),
        (Fault("commit", 412, 99), UserError, ["at the same time"]),
        (Fault("commit", 400, 99, message="the card is odd"), UserError, ["400", "the card is odd"]),
        (Fault("commit", 500, 99), StageError, ["500 again and again", "run the same command again"]),
        # Once would do, but nobody waits for it.
        (Fault("refs", 429, 1, headers={"Retry-After": "3600"}), StageError, ["429", "3,600 s"]),
        (Fault("put", None, 99, after=100), StageError, ["connection", "was lost", "is not sent again"]),
        # A server that says what it was given.
        (Fault("commit", 403, 99, message=f"no rights with {TOKEN}"), UserError, ["***"]),
    ],
)
def test_what_stays_is_one_line_without_the_token(
    send: Send,
    hub: HubServer,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    fault: Fault,
    kind: type[Exception],
    parts: list[str],
) -> None:
    hub.faults = [fault]
    with caplog.at_level(logging.DEBUG), pytest.raises(kind) as raised:
        send()
    message = str(raised.value)
    assert "\n" not in message
    assert [part for part in parts if part not in message] == []
    said = capfd.readouterr()
    for text in (message, said.out, said.err, caplog.text):
        assert TOKEN not in text
    assert "signature=secret" not in said.err + message


def test_an_upload_cut_in_the_middle_of_a_file_goes_on(send: Send, hub: HubServer) -> None:
    # The second file never gets through, however often the library tries.
    hub.faults = [Fault("put", None, times=99, skip=1, after=8_000)]
    with pytest.raises(StageError, match="was lost"):
        send()
    there = hub.repositories[REPO]
    assert len(there.commits) == 1
    already = sum(len(content) for content in hub.objects.values() if len(content) == 20_000)
    assert already > 0
    hub.faults = []
    hub.reset_counts()
    done = send()
    assert hub.received["put"] == 60_000 - already
    assert set(PATHS) < set(there.files)
    assert there.tags == {"round-1": done.commit}
    assert len(there.commits) == 2


def test_what_goes_away_here_stays_there(send: Send, hub: HubServer, tmp_path: Path) -> None:
    send()
    there = hub.repositories[REPO]
    before = dict(there.files)
    staged = make_staged(tmp_path / "changed", last=b"w")
    # As if something else cleared the folder while the second upload is on its way.
    hub.meanwhile["info"] = (tmp_path / "changed" / PATHS[0]).unlink
    with pytest.raises(RunError, match=r"train-00000-of-00003\.parquet: was there when it was made"):
        send(staged, tag="round-2")
    assert (there.files, set(there.tags)) == (before, {"round-1"})
    with pytest.raises(RunError, match="is no longer there"):
        take_contents(staged)


def test_whoever_else_writes_is_not_written_over(send: Send, hub: HubServer, tmp_path: Path) -> None:
    send()
    there = hub.repositories[REPO]
    theirs = {**there.files, PATHS[2]: hub.keep(b"somebody's correction")}
    hub.meanwhile["preupload"] = lambda: there.commit(theirs, "a correction")
    with pytest.raises(UserError, match="something else changed org/set at the same time"):
        send(make_staged(tmp_path / "changed", last=b"w"), tag="round-2")
    assert there.files == theirs


def test_made_by_somebody_else_just_now(send: Send, hub: HubServer) -> None:
    hub.meanwhile["create"] = lambda: hub.create(REPO, private=True)
    done = send()
    assert hub.repositories[REPO].tags == {"round-1": done.commit}


def test_tries_are_counted_anew_after_each_file(
    send: Send, hub: HubServer, monkeypatch: pytest.MonkeyPatch, naps: list[float]
) -> None:
    monkeypatch.setattr("datasets_card.upload._CHUNK_FILES", 1)
    monkeypatch.setattr("datasets_card.upload._TRIES", 2)
    # Each of two files fails as often as the library tries it; what was sent before it lies between.
    hub.faults = [Fault("put", None, times=6, skip=1, after=100), Fault("put", None, times=6, skip=1, after=100)]
    done = send()
    assert [fault.times for fault in hub.faults] == [0, 0]
    assert hub.repositories[REPO].tags == {"round-1": done.commit}


def test_the_library_tells_of_no_signed_address(send: Send, hub: HubServer) -> None:
    said = io.StringIO()
    handler = logging.StreamHandler(said)
    logger = logging.getLogger("huggingface_hub")
    logger.addHandler(handler)
    try:
        hub.faults = [Fault("put", 500)]
        send()
        logger.warning("Later: see https://huggingface.co")
    finally:
        logger.removeHandler(handler)
    assert "signature" not in said.getvalue()
    # Only while it sends.
    assert "see https://huggingface.co" in said.getvalue()


def test_many_files_are_several_commits_with_the_card_last(
    send: Send, hub: HubServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("datasets_card.upload._COMMIT_FILES", 2)
    hub.faults = [Fault("commit", None, times=99, skip=2)]
    with pytest.raises(StageError):
        send()
    there = hub.repositories[REPO]
    # Cut before the last of three: the card and the tag are not there.
    assert set(PATHS) < set(there.files)
    assert "mcot.json" not in there.files
    assert there.tags == {}
    hub.faults = []
    hub.reset_counts()
    done = send()
    assert hub.received["put"] == 0
    assert "mcot.json" in there.files
    assert [message[:7] for message in there.messages] == ["initial", *["Publish"] * 3]
    assert there.tags == {"round-1": done.commit}


def test_a_tag_is_moved_only_when_told(send: Send, hub: HubServer, tmp_path: Path) -> None:
    send()
    changed = make_staged(tmp_path / "changed", last=b"w")
    with pytest.raises(UserError, match="tag 'round-1' of org/set is at another state"):
        send(changed)
    done = send(changed, move_tag=True)
    assert hub.repositories[REPO].tags == {"round-1": done.commit}


@pytest.mark.parametrize("token", ["hf_gärtner", "hf_two words", "hf_line\n", ""])
def test_what_no_token_can_be_is_one_line(send: Send, hub: HubServer, token: str) -> None:
    with pytest.raises(SettingsError) as raised:
        send(token=token)
    assert "HF_TOKEN" in str(raised.value)
    assert "hf_" not in str(raised.value)
    assert not hub.asked


@pytest.mark.parametrize(("token", "part"), [("hf_wrong", "does not know the token"), ("hf_reads", "may not write")])
def test_a_wrong_token_sends_nothing(send: Send, hub: HubServer, token: str, part: str) -> None:
    with pytest.raises(UserError, match=part):
        send(token=token)
    assert hub.repositories == {}


def test_offline_and_nobody_there(send: Send, hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(StageError, match=r"connection to http://127\.0\.0\.1:9 was lost"):
        send()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(UserError, match="HF_HUB_OFFLINE is set"):
        send()
