"""How often each row is drawn into the queue is its probability."""

import math
from collections import Counter
from pathlib import Path

from annotation.queue import draw_queue
from tests.annotation.queued_runs import SEEDS, make_run, settings_of


def test_inclusion_frequencies_are_the_probabilities(tmp_path: Path) -> None:
    run = make_run(tmp_path, {("sw", "keep"): 40, ("sw", "review"): 25, ("sw", "drop"): 20})
    counts: Counter[tuple[str, str]] = Counter()
    first: Counter[str] = Counter()
    probabilities: dict[str, float] = {}
    for seed in range(SEEDS):
        rows = draw_queue(run, settings_of(budget=20, seed=seed)).to_pylist()
        counts.update((row["stratum"], row["id"]) for row in rows)
        probabilities |= {row["stratum"]: row["probability"] for row in rows}
        # Where annotators stop half-way, the audits so far are a simple random sample too.
        first.update([row["id"] for row in rows if row["stratum"] == "keep"][:2])
    assert probabilities == {"keep": 5 / 40, "review": 12 / 25, "drop": 3 / 20}
    for (stratum, _), count in counts.items():
        assert is_likely(count, probabilities[stratum])
    assert len(counts) == 85
    assert all(is_likely(count, 2 / 40) for count in first.values())
    assert len(first) > 36


def is_likely(count: int, probability: float) -> bool:
    """Whether so many of `SEEDS` draws is within four and a half standard deviations of what it should be."""
    return abs(count - SEEDS * probability) < 4.5 * math.sqrt(SEEDS * probability * (1 - probability))
