"""Which uncertain rows are shown first: those nearest to being kept."""

from pathlib import Path
from typing import Any

import pytest

from annotation.informative import Informative
from mcot.core.rows import UNSCORED_REASONS


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"scores": {"length_question": 0.7}}, 0.0),
        ({"scores": {"length_question": 0.41}}, -0.5),
        ({"scores": {"length_question": 0.1, "mixed_rationale": 0.6}}, -1.5),
        ({"scores": {"length_question": 0.41}, "reasons": ["length.short"]}, -0.5),
        *[
            ({"scores": {"length_question": 0.41}, "reasons": [reason, "length.short"]}, -1.5)
            for reason in UNSCORED_REASONS
        ],
        *[({"scores": None, "reasons": [reason]}, -1.0) for reason in UNSCORED_REASONS],
    ],
)
def test_how_near_a_row_is_to_being_kept(row: dict[str, Any], expected: float, tmp_path: Path) -> None:
    assert Informative(tmp_path).rate("te", row) == pytest.approx(expected)
