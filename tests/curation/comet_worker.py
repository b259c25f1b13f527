"""A worker in COMET's place, for tests of this side of it: it scores a pair by its translation's first number.

It is copied to where the real one would be; beside it lie `told.jsonl`, of what it was told, and `orders.txt`, which
has a line for each time that it is to do something else than to answer: `kill`, `fail`, `error` or `none`.
"""

import json
import os
import re
import signal
import sys
from pathlib import Path

FOLDER = Path(__file__).parent


def next_order() -> str:
    """What to do now, taken off the list."""
    file = FOLDER / "orders.txt"
    first, _, rest = (file.read_text("utf-8") if file.exists() else "").partition("\n")
    file.write_text(rest, "utf-8")
    return first


def score(pair: list[str]) -> float | None:
    """A hundredth of the first number; None where there is none, as of a text that is too long."""
    found = re.search(r"\d+", pair[1])
    return int(found[0]) / 100 if found else None


def main() -> None:
    """Answer until the input ends."""
    offline = os.environ.get("HF_HUB_OFFLINE")
    for place, line in enumerate(sys.stdin):
        told = json.loads(line)
        with (FOLDER / "told.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps({**told, "offline": offline}) + "\n")
        if place == 0:
            print(json.dumps({"ready": "cpu"}), flush=True)
            continue
        order = next_order()
        if order == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if order == "fail":
            sys.exit("Traceback:\n  KeyError: 'src'")
        if order == "error":
            print(json.dumps({"error": "the score of a text is nan"}), flush=True)
            return
        print(json.dumps({"done": len(told["pairs"])}))
        print(json.dumps({"scores": [score(pair) for pair in told["pairs"]]}), flush=True)


if __name__ == "__main__":
    main()
