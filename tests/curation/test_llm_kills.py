"""An LLM's stage that is killed and started again, and how well it uses its places."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.curation.llm_runs import Run, settings
from tests.curation.llm_server import LlmServer

ROOT = Path(__file__).resolve().parents[2]
CHILD = """
import sys
from pathlib import Path
from tests.curation.llm_runs import Run, settings
Run(Path(sys.argv[2]), [range(0, 20), range(20, 40), range(40, 60)]).translate(
    settings(sys.argv[1], concurrency=8, timeout=10), ["sw", "de"]
)
"""


def answers(store: Path) -> int:
    """How many answers a store has."""
    if not store.exists():
        return 0
    with closing(sqlite3.connect(store)) as connection:
        try:
            return int(connection.execute("SELECT count(*) FROM request WHERE trouble IS NULL").fetchone()[0])
        except sqlite3.OperationalError:
            # Between the file and its table.
            return 0


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "NO_PROXY": "127.0.0.1"}


@pytest.mark.parametrize("after", [5, 70])
def test_a_kill_repeats_no_finished_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = LlmServer(latency=0.05)
    try:
        store = tmp_path / "run" / "llm" / "translator.sqlite"
        child = subprocess.Popen([sys.executable, "-c", CHILD, server.url, str(tmp_path / "run")], env=environment())
        while answers(store) < after:
            assert child.poll() is None
            time.sleep(0.01)
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        kept, sent = answers(store), len(server.asked)
        assert kept >= after
        with closing(sqlite3.connect(store)) as connection:
            # A kill, too, leaves all that was sent on the books.
            assert connection.execute("SELECT count(*) FROM request").fetchone()[0] >= sent
        # What was sent and not kept was in flight.
        assert sent - kept <= 8
        chosen = settings(server.url, concurrency=8, timeout=10)
        shards = [range(20), range(20, 40), range(40, 60)]
        run = Run(tmp_path / "run", shards)
        rows = run.translate(chosen, ["sw", "de"])
        assert len(rows) == 120
        assert len(server.asked) - sent == 120 - kept
        undisturbed = Run(tmp_path / "other", shards)
        undisturbed.translate(chosen, ["sw", "de"])
        for one, other in zip(run.last_shards(), undisturbed.last_shards(), strict=True):
            assert one.read_bytes() == other.read_bytes()
    finally:
        server.close()


def busy_seconds() -> float:
    """Processor seconds that anything on this machine has used."""
    with Path("/proc/stat").open() as file:
        user, nice, system, _, _, interrupts, soft, *_ = map(int, file.readline().split()[1:])
    return (user + nice + system + interrupts + soft) / os.sysconf("SC_CLK_TCK")


@pytest.mark.slow
def test_places_are_kept_busy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """1,000 rows, 64 at a time, against 200 ms: over languages and shards, within 1.3 times the ideal."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    languages = ["sw", "bn", "te", "th", "ja", "zh", "ru", "es", "fr", "de"]
    # What a process loads once (models, number words, the client's library) is no row's.
    with closing(LlmServer()) as warm:
        Run(tmp_path / "warm", [range(1)]).translate(settings(warm.url), languages)
    ideal = 1000 / 64 * 0.2
    told = []
    for attempt in range(3):
        command = [sys.executable, "-m", "tests.curation.llm_server", "0.2", "100"]
        with subprocess.Popen(
            command, env=environment(), cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as server:
            assert server.stdout is not None
            chosen = settings(server.stdout.readline().strip(), concurrency=64, timeout=10)
            run = Run(tmp_path / str(attempt), [range(start, start + 20) for start in range(0, 100, 20)], count=100)
            stage = run.translate_stage(chosen, languages)
            began, own, all_ = time.monotonic(), time.process_time(), busy_seconds()
            assert len(run.run(stage)) == 1000
            took, own, all_ = time.monotonic() - began, time.process_time() - own, busy_seconds() - all_
            assert json.loads(server.communicate()[0])["busiest"] == 64
        # The server takes half a second.
        told.append(f"{took:.1f} s, others used {max(0.0, all_ - own - 0.5) / took:.0%} of a core")
        if took <= 1.3 * ideal:
            print(f"1,000 rows, ideally {ideal} s: {took:.2f} s")
            return
        others = all_ - own - 0.5
    message = f"1,000 rows, ideally {ideal} s: {'; '.join(told)}"
    if others > 0.25 * took:
        pytest.skip(f"{message}: too busy a machine to measure on")
    raise AssertionError(message)
