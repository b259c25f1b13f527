"""From a run to a repository: what is in it, what it loads as, and what is sent when it is published again."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from datasets_card.publication import RECORD, Staged
from datasets_card.settings import PublishSettings
from mcot.core.errors import SettingsError, UserError
from mcot.core.reviews import RESOLVED_SCHEMA, VERDICT_SCHEMA, sign_source, sign_translation
from mcot.publish import Published, publish, publish_to_folder
from mcot.review import apply_reviews
from tests.datasets_card.conftest import TOKEN
from tests.datasets_card.hub_server import Fault, HubServer

pytestmark = pytest.mark.filterwarnings("ignore:Use 'content:DeprecationWarning")

REPO = "org/set"
NAMES = ("Juma Otieno", "greta@example.org", "สมชาย")

Send = Callable[..., Published]


def settings_of(**changes: Any) -> PublishSettings:
    return PublishSettings.model_validate({"repo_id": REPO, "shard_rows": 10} | changes)


@pytest.fixture
def send(run: Path, hub: HubServer, naps: list[float]) -> Send:
    def upload(folder: Path = run, **changes: Any) -> Published:
        done = publish(folder, settings_of(**changes), lambda _: True)
        assert done is not None
        return done

    return upload


def load(place: str, home: Path, *names: str, **environment: str) -> dict[str, Any]:
    """What `datasets` makes of configs, in a process of its own: rows, splits and their questions, by config."""
    script = (
        "import json, sys, datasets\n"
        "found = {n: datasets.load_dataset(sys.argv[1], *([n] if n else [])) for n in sys.argv[2:]}\n"
        "print(json.dumps({n: {s: list(d['id']) for s, d in f.items()} for n, f in found.items()}))\n"
    )
    clean = {key: value for key, value in os.environ.items() if key not in {"HF_TOKEN", "HF_HUB_OFFLINE"}}
    given = {"HF_HOME": str(home), "no_proxy": "127.0.0.1", "HF_HUB_DISABLE_XET": "1"} | environment
    command = [sys.executable, "-c", script, place, *names]
    done = subprocess.run(command, env=clean | given, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))


def ids_of(run: Path, code: str, folder: str = "dataset") -> list[str]:
    files = sorted((run / folder / code).glob("*.parquet"))
    return [str(one) for file in files for one in pq.ParquetFile(file).read(["id"])["id"].to_pylist()]


def review_rows(run: Path) -> None:
    """Have two rows judged by three people, and one of them rejected."""
    rows = pq.ParquetFile(run / "dataset" / "sw" / "train-00000.parquet").read().slice(0, 2).to_pylist()
    verdicts, resolved = [], []
    for row, verdict in zip(rows, ("accept", "reject"), strict=True):
        signatures = {
            "source_signature": sign_source(row["source_question"], row["source_rationale"]),
            "translation_signature": sign_translation(row["question"], row["rationale"]),
        }
        common = {"language": "sw", "id": row["id"], "review_round": 1, "verdict": verdict, **signatures}
        for name in NAMES:
            comment = f"{NAMES[0].upper()}, GRETA and คุณ{NAMES[2]}ครับ agree; not Gretagarbo"
            said = {"annotator": name, "comment": comment, "origin": f"verdicts-{name}.csv", "error_types": []}
            at = datetime(2026, 3, 4, 21, 15, 16, tzinfo=UTC)
            verdicts.append({**common, **said, "adjudication": False, "submitted_at": at, "seconds": 4.0})
        texts = {"question": row["question"], "rationale": row["rationale"], "agreement": 1.0}
        resolved.append({**common, **texts, "reviewers": list(NAMES), "error_types": []})
    pq.write_table(pa.Table.from_pylist(verdicts, VERDICT_SCHEMA), run / "review" / "verdicts.parquet")
    pq.write_table(pa.Table.from_pylist(resolved, RESOLVED_SCHEMA), run / "review" / "resolved.parquet")
    apply_reviews(run)


def test_a_dry_run_is_what_is_uploaded_and_loads(run: Path, send: Send, hub: HubServer, tmp_path: Path) -> None:
    folder = tmp_path / "dry"
    staged = publish_to_folder(run, settings_of(), folder)
    send()
    there = hub.repositories[REPO]
    uploaded = {path: hub.objects[digest] for path, digest in there.files.items() if path != ".gitattributes"}
    written = {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    assert uploaded == written
    assert {"README.md", RECORD, "data/sw/train-00000-of-00003.parquet"} < set(written)
    assert [config.name for config in staged.configs] == ["all", "en", "sw", "de"]
    expected = {code: ids_of(run, code) for code in ("en", "sw", "de")}
    everything = [one for code in expected for one in expected[code]]
    for place, more in ((str(folder), {}), (REPO, {"HF_ENDPOINT": hub.endpoint, "HF_TOKEN": TOKEN})):
        loaded = load(place, tmp_path / "home", "", "all", "sw", "de", **more)
        assert loaded["sw"] == {"train": expected["sw"]}
        assert loaded["de"] == {"train": expected["de"]}
        assert loaded["all"] == loaded[""]
        assert sorted(loaded["all"]["train"]) == sorted(everything)
    assert there.private


def test_publishing_again_sends_nothing(run: Path, send: Send, hub: HubServer) -> None:
    first = send()
    assert (first.tag, first.tagged, first.files > 0) == ("round-1", True, True)
    # What a killed process leaves.
    half = run / ".publish" / "repository" / "data" / "fr"
    half.mkdir(parents=True)
    (half / "train-00000-of-00001.parquet").write_bytes(b"half")
    hub.reset_counts()
    again = send()
    assert (again.files, again.bytes, again.tagged, again.commit) == (0, 0, False, first.commit)
    assert set(hub.asked) <= {"info", "tree", "refs", "resolve"}
    assert len(hub.repositories[REPO].commits) == 2
    assert [path.name for path in (run / ".publish").iterdir()] == [".lock"]


def test_the_next_round_sends_what_is_new(run: Path, send: Send, hub: HubServer) -> None:
    send()
    review_rows(run)
    hub.reset_counts()
    second = send(tag="round-2")
    there = hub.repositories[REPO]
    record = json.loads(hub.objects[there.files[RECORD]])
    assert record["previous"]["tag"] == "round-1"
    assert "previous" not in record["previous"]
    assert record["languages"]["sw"]["keep"] == record["previous"]["languages"]["sw"]["keep"] - 1
    # German and English are as they were; of Swahili, what comes after the row that went has moved.
    assert hub.asked["put"] == sum(path.startswith(("data/sw", "images")) for path in _differing(there))
    assert hub.asked["put"] > 0
    assert there.tags["round-2"] == second.commit
    hub.reset_counts()
    assert send(tag="round-2").files == 0
    assert hub.asked["commit"] == hub.asked["put"] == 0
    with pytest.raises(UserError, match="'round-1' of org/set is at what was published before"):
        send(tag="round-1")


def _differing(there: Any) -> list[str]:
    before, now = there.commits[-2][1], there.commits[-1][1]
    return [path for path in now if before.get(path) != now[path]]


def test_cut_in_the_middle_of_a_file_it_goes_on(run: Path, send: Send, hub: HubServer) -> None:
    hub.faults = [Fault("put", None, times=9_999, skip=3, after=2_000)]
    with pytest.raises(Exception, match="connection"):
        send()
    arrived = set(hub.objects)
    assert len(hub.repositories[REPO].commits) == 1
    assert [path.name for path in (run / ".publish").iterdir()] == [".lock"]
    hub.faults = []
    hub.reset_counts()
    done = send()
    there = hub.repositories[REPO]
    assert there.tags == {"round-1": done.commit}
    assert hub.asked["put"] == len(set(hub.objects) - arrived - _regular(there))
    assert json.loads(hub.objects[there.files[RECORD]])["files"].keys() < there.files.keys()


def _regular(there: Any) -> set[str]:
    return {digest for path, digest in there.files.items() if not path.endswith((".parquet", ".png"))}


def test_names_of_annotators_stay_here(run: Path, send: Send, hub: HubServer, tmp_path: Path) -> None:
    review_rows(run)
    send(rejected=True, verdicts=True, comments=True)
    there = hub.repositories[REPO]
    texts = [hub.objects[digest] for path, digest in there.files.items() if not path.endswith(".parquet")]
    tables = {
        path: pq.ParquetFile(pa.BufferReader(hub.objects[digest])).read()
        for path, digest in there.files.items()
        if path.endswith(".parquet")
    }
    shown = [*(text.decode(errors="replace") for text in texts), *(str(one.to_pylist()) for one in tables.values())]
    for name in ("juma", "otieno", "greta@", "example.org", "สมชาย", TOKEN.lower()):
        assert [text[:80] for text in shown if name in text.lower()] == []
    verdicts = tables["data/verdicts/train-00000-of-00001.parquet"].to_pylist()
    everybody = {"reviewer-1", "reviewer-2", "reviewer-3"}
    assert {one["annotator"] for one in verdicts} == everybody
    assert {one["origin"] for one in verdicts} == {"file"}
    assert {one["submitted_at"].hour for one in verdicts} == {0}
    assert all("Gretagarbo" in one["comment"] and one["comment"].count("reviewer-") == 3 for one in verdicts)
    (rejected,) = tables["data/rejected/train-00000-of-00001.parquet"].to_pylist()
    assert set(rejected["review"]["reviewers"]) == everybody
    # The same in every publication.
    hub.reset_counts()
    assert send(rejected=True, verdicts=True, comments=True).files == 0
    # In their own words people say who they are, whatever is done about it: only where it is asked for.
    staged = publish_to_folder(run, settings_of(verdicts=True), tmp_path / "dry")
    assert read(staged, "verdicts")["comment"].to_pylist() == [None] * len(verdicts)


def read(staged: Staged, name: str) -> pa.Table:
    """A config's rows."""
    config = staged.config(name)
    assert config is not None
    paths = [staged.folder / path for paths in config.splits.values() for path in paths]
    return pa.concat_tables([pq.ParquetFile(path).read() for path in paths])


def test_nothing_is_sent_unless_confirmed(run: Path, hub: HubServer) -> None:
    seen: list[str] = []

    def refuse(lines: Sequence[str]) -> bool:
        seen.extend(lines)
        return False

    assert publish(run, settings_of(), refuse) is None
    assert hub.repositories == {}
    assert [line.partition(":")[0] for line in seen] == ["repository", "rows by config", "files", "tag", "licence"]
    assert "(private, new)" in seen[0]
    assert f"sw {len(ids_of(run, 'sw'))}" in seen[1]
    assert "mit (problems: MIT)" in seen[4]


def test_a_public_repository_is_written_to_only_when_told(send: Send, hub: HubServer) -> None:
    hub.create(REPO, private=False)
    with pytest.raises(UserError, match="is public, so everybody would see"):
        send()
    send(private=False)
    send(repo_id="org/open", private=False)
    assert not hub.repositories["org/open"].private


def test_only_the_published_languages(run: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    review_rows(run)
    rejected = publish_to_folder(run, settings_of(rejected=True, verdicts=True), tmp_path / "sw")
    assert set(read(rejected, "rejected")["language"].to_pylist()) == {"sw"}
    assert set(read(rejected, "verdicts")["language"].to_pylist()) == {"sw"}
    total = sum(sum(config.rows.values()) for config in rejected.configs if config.name in ("all", "rejected"))
    assert f"stage: {total}/{total} rows" in capfd.readouterr().err
    others = publish_to_folder(run, settings_of(rejected=True, verdicts=True, languages=["de"]), tmp_path / "de")
    assert [config.name for config in others.configs] == ["all", "de"]
    assert "no config 'verdicts'" in capfd.readouterr().err


@pytest.mark.parametrize("place", ["dataset/x", "preview", "."])
def test_a_dry_run_goes_elsewhere(run: Path, place: str) -> None:
    before = sorted(run.rglob("*"))
    with pytest.raises(SettingsError, match="is in the run's folder"):
        publish_to_folder(run, settings_of(), run / place)
    assert sorted(run.rglob("*")) == before


@pytest.mark.parametrize(
    "content",
    [
        {"files": {"data/sw/x": 1}, "card": 3},
        {"files": {}, "card": [1]},
        {"files": {}, "previous": "x", "tag": 5},
        {"files": []},
        [],
    ],
)
def test_a_record_that_somebody_changed(send: Send, hub: HubServer, content: Any) -> None:
    there = hub.create(REPO, private=True)
    there.commit({**there.files, RECORD: hub.keep(json.dumps(content).encode())}, "somebody's")
    send()
    assert json.loads(hub.objects[there.files[RECORD]])["previous"] is None


@pytest.mark.parametrize(
    ("files", "part"),
    [({"notes.txt": "mine"}, "'notes.txt'"), ({RECORD: "{}", "README.md": "", ".git": ""}, "'.git'")],
)
def test_a_dry_run_replaces_nothing_of_somebody(run: Path, tmp_path: Path, files: dict[str, str], part: str) -> None:
    folder = tmp_path / "theirs"
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_text(content)
    with pytest.raises(SettingsError, match=part):
        publish_to_folder(run, settings_of(), folder)
    assert {path.name for path in folder.iterdir()} == set(files)


def test_the_same_rows_give_the_same_files_wherever_they_lie(run: Path, tmp_path: Path) -> None:
    elsewhere = Path(shutil.copytree(run, tmp_path / "elsewhere"))
    first = publish_to_folder(run, settings_of(), tmp_path / "a")
    second = publish_to_folder(elsewhere, settings_of(), tmp_path / "b")
    assert first.files == second.files
    for path in (tmp_path / "a").rglob("*.*"):
        assert path.read_bytes() == (tmp_path / "b" / path.relative_to(tmp_path / "a")).read_bytes()
