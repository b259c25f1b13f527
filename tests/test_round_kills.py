"""A round that is killed at any moment goes on where it was, to the same bytes, and nothing reviewed is lost."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mcot.core.files import write_table
from mcot.round_record import read_rounds
from mcot.rounds import start_round
from tests.round_tables import accept, curate_problems, draw

ROOT = Path(__file__).resolve().parent.parent

# A round from its start to its end in several folders, each killed at two moments of its own and begun again. Forked,
# as imports take seconds; the first folder is not killed, and tells how long a round takes.
PROGRAM = """
import os, random, signal, sys, time
from pathlib import Path

import pyarrow.parquet as pq

from annotation.queue import extend_queue
from annotation.settings import ReviewSettings
from annotation.verdicts import save_verdicts
from mcot.core.settings_file import load_settings
from mcot.review import apply_reviews
from mcot.round_record import read_rounds
from mcot.rounds import finish_round, start_round

run = Path("run")

def go():
    if not read_rounds(run):
        start_round(run, review=Path("../review.yaml"))
    extend_queue(run, load_settings(run / "rounds" / "001" / "review.yaml", ReviewSettings))
    save_verdicts(run, pq.read_table("../verdicts.parquet"))
    apply_reviews(run)
    finish_round(run, without=["curate", "train", "evaluate"])

def attempt(folder, after):
    child = os.fork()
    if not child:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        os.chdir(folder)
        try:
            go()
        except BaseException as error:
            print(repr(error), flush=True)
            os._exit(1)
        os._exit(0)
    if after is not None:
        time.sleep(after)
        os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

draw, folders = random.Random(), sorted(Path().glob("folder-*"))
began = time.monotonic()
failed = attempt(folders[0], None)
took = time.monotonic() - began
for place, folder in enumerate(folders[1:]):
    for after in ((place + draw.random()) / len(folders) * took, draw.random() * took):
        killed = attempt(folder, after) == -signal.SIGKILL
        parts = [path for path in folder.rglob("*") if path.is_file()]
        print("killed" if killed else "done", folder, round(after, 3), len(parts), flush=True)
    failed += attempt(folder, None)
sys.exit(failed)
"""


@pytest.mark.slow
def test_killed_at_any_moment_it_goes_on_and_nothing_reviewed_is_lost(tmp_path: Path) -> None:
    run = curate_problems(tmp_path / "runs", 24)
    review = tmp_path / "review.yaml"
    review.write_text("budget: 10\noverlap: {share: 0}\nannotators: {sw: [amina], de: [amina]}\n")
    folders = [tmp_path / f"folder-{number:02d}" for number in range(9)]
    for folder in folders:
        shutil.copytree(run, folder / "run")
    # Drawn from a copy as the rounds themselves will draw.
    start_round(run, review=review)
    rows = draw(run, 1)
    write_table(tmp_path / "verdicts.parquet", accept(rows, **{rows[0]["id"]: {"verdict": "reject"}}))
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, check=False,
        capture_output=True, text=True, timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("killed") >= 6, done.stdout
    whole = _read_tree(folders[0] / "run")
    for folder in folders[1:]:
        tree = _read_tree(folder / "run")
        assert tree.keys() == whole.keys()
        assert [name for name in whole if tree[name] != whole[name]] == []
    [record] = read_rounds(folders[-1] / "run")
    assert record["review"]["verdicts"] == {"accept": 19, "fix": 0, "reject": 1}
    assert record["state"] == "finished"


def _read_tree(folder: Path) -> dict[str, bytes]:
    """Every file but locks and what is left of a kill, both with a dot in front."""
    files = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
    return {str(path): (folder / path).read_bytes() for path in files if not any(part[0] == "." for part in path.parts)}
