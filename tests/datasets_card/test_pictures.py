"""The card's pictures: what is drawn, how large, and that it can be told from a white page and a dark one."""

import io
from collections.abc import Callable, Sequence

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
import pytest
from matplotlib.image import imread

from datasets_card.figures import Measured
from datasets_card.pictures import draw_precision, draw_rows
from datasets_card.reviews import Precision
from datasets_card.statistics import LanguageFigures
from mcot.core.languages import TARGETS

Draw = Callable[[Sequence[LanguageFigures]], bytes]
TEAL, AMBER, RED = (0x1F, 0x8A, 0x80), (0xE2, 0xA7, 0x2E), (0xA6, 0x3D, 0x2F)


def figures(name: str, *counts: int, share: float = 0.9) -> LanguageFigures:
    keep, review, drop = counts
    precision = Precision(Measured(share, share - 0.1, min(1.0, share + 0.05)), 40, 36, keep, "as annotators judge")
    return LanguageFigures(name[:2], name, keep, keep, review, drop, (), {}, precision, 0, 0)


def pixels(png: bytes) -> npt.NDArray[np.int64]:
    read: npt.NDArray[np.float64] = np.asarray(imread(io.BytesIO(png)), np.float64)
    return np.rint(read[..., :3] * 255).astype(np.int64)


def width_of(png: bytes, colour: tuple[int, int, int], line: int, lines: int) -> int:
    """How many pixels of a colour the middle of a language's line has."""
    image = pixels(png)
    # In inches, at 150 points: what is above the lines, each of them, and what is below.
    above, each, below = 0.86, 0.3, 0.4
    assert image.shape[0] == pytest.approx((above + each * lines + below) * 150, abs=1)
    row = image[round((above + each * (line + 0.5)) * 150)]
    return int((np.abs(row - colour).max(axis=1) <= 2).sum())


@pytest.mark.parametrize("draw", [draw_rows, draw_precision])
@pytest.mark.parametrize("count", [1, 10])
def test_size_and_determinism(draw: Draw, count: int) -> None:
    languages = [figures(language.name, 90, 6, 4) for language in TARGETS[:count]]
    png = draw(languages)
    assert png == draw(languages)
    assert len(png) < 100_000
    assert pixels(png).shape[1] == 1080
    # A panel of its own: no page shows through.
    assert pixels(png)[0, 0].min() > 240


def test_bars_are_as_long_as_counts() -> None:
    png = draw_rows([figures("Swahili", 600, 300, 100), figures("Bengali", 1000, 0, 0)])
    whole = width_of(png, TEAL, 1, 2)
    parts = [width_of(png, colour, 0, 2) / whole for colour in (TEAL, AMBER, RED)]
    assert parts == pytest.approx([0.6, 0.3, 0.1], abs=0.01)


@pytest.mark.parametrize("counts", [(0, 0, 0), (0, 0, 5), (6_300_000, 1, 1)])
def test_odd_counts_are_drawn(counts: tuple[int, int, int]) -> None:
    assert draw_rows([figures("Swahili", *counts)])[:4] == b"\x89PNG"


@pytest.mark.parametrize("share", [0.0, 0.1, 1.0])
def test_odd_shares_are_drawn(share: float) -> None:
    assert draw_precision([figures("Swahili", 5, 0, 0, share=share)])[:4] == b"\x89PNG"


def test_settings_of_others_make_no_difference() -> None:
    languages = [figures("Swahili", 90, 6, 4)]
    before = draw_rows(languages)
    with mpl.rc_context({"font.size": 30, "text.color": "red"}):
        assert draw_rows(languages) == before
