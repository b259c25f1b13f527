"""The card's pictures, as PNG: rows by decision and language; precision with intervals.

A panel of its own colour, so that it reads on a white page and on a dark one, and letters that can still be read where
a telephone shows the picture at half its size. Names are English: the figure's own font has them wherever it is drawn.
"""

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from datasets_card.figures import show_count, show_percent
from datasets_card.statistics import LanguageFigures

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_precision", "draw_rows"]

# Inches; at 150 points an inch 1,080 wide, which the Hub's page shows at about 720.
_WIDTH, _LINE, _TOP, _BOTTOM, _LEFT, _RIGHT = 7.2, 0.3, 0.86, 0.4, 0.95, 1.75
_POINTS_PER_INCH = 150
_PANEL, _INK, _FAINT, _GRID = "#fbfcfc", "#1d2b2a", "#5a6967", "#dde4e3"
# Told apart by those who see no red or no green: teal, amber, and a dark red of another lightness.
_COLOURS = {"keep": "#1f8a80", "review": "#e2a72e", "drop": "#a63d2f"}
_NAMES = {"keep": "kept", "review": "left for review", "drop": "dropped"}
_STYLE: Any = {"font.family": "DejaVu Sans", "text.parse_math": False, "text.color": _INK}


def draw_rows(languages: Sequence[LanguageFigures]) -> bytes:
    """Translations of each language by decision.

    Args:
        languages: at least one, from the top down.

    Returns:
        PNG; the same figures give the same bytes.
    """
    import matplotlib as mpl

    with mpl.rc_context(_STYLE):
        figure, axes = _panel("Translations by decision", languages, note="")
        most = max(one.translated for one in languages) or 1
        axes.set_xlim(0, most)
        for place, one in enumerate(languages):
            left = 0
            for decision, colour in _COLOURS.items():
                count = getattr(one, decision)
                axes.barh(place, count, left=left, height=0.66, color=colour, edgecolor=_PANEL, linewidth=0.6)
                left += count
            lost = one.review + one.drop
            said = f"{show_count(one.keep)} kept, {show_count(lost)} not" if lost else f"{show_count(one.keep)} kept"
            axes.text(left + most * 0.015, place, said, va="center", fontsize=9.5, color=_INK)
        _legend(figure)
        return _save(figure)


def draw_precision(languages: Sequence[LanguageFigures]) -> bytes:
    """The share of good rows among the kept ones of each language, with its interval.

    Args:
        languages: at least one, each with a precision, from the top down.

    Returns:
        PNG; the same figures give the same bytes.
    """
    import matplotlib as mpl

    with mpl.rc_context(_STYLE):
        note = "share of the kept rows that are good; bars: 95% intervals" + _basis(languages)
        figure, axes = _panel("Precision", languages, note=note)
        known = [one.precision for one in languages if one.precision]
        low = min(precision.share.low for precision in known)
        axes.set_xlim(max(0.0, min(0.9, low - 0.03)), 1.0)
        for place, one in enumerate(languages):
            if one.precision is None:
                continue
            share = one.precision.share
            axes.plot([share.low, share.high], [place, place], color=_COLOURS["keep"], linewidth=5, alpha=0.4,
                      solid_capstyle="round", clip_on=False)  # fmt: skip
            axes.plot([share.value], [place], "o", color=_COLOURS["keep"], markersize=8, clip_on=False)
            said = f"{show_percent(share.value)}, {show_count(one.precision.judged)} judged"
            # Beside the axis and not at its end: all are read as one column.
            axes.text(1.03, place, said, va="center", fontsize=9.5, color=_INK, transform=axes.get_yaxis_transform())
        axes.xaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f}%")
        return _save(figure)


def _basis(languages: Sequence[LanguageFigures]) -> str:
    """What the shares are, on a line of its own; in most runs it is the same of all."""
    bases = dict.fromkeys(one.precision.basis for one in languages if one.precision)
    return "\n" + ("; ".join(bases) if len(bases) == 1 else "by annotators' verdicts; see the text for what each is")


def _panel(title: str, languages: Sequence[LanguageFigures], *, note: str) -> "tuple[Figure, Axes]":
    from matplotlib.figure import Figure

    count = len(languages)
    height = _TOP + _LINE * count + _BOTTOM
    figure = Figure(figsize=(_WIDTH, height), facecolor=_PANEL)
    inner = (_WIDTH - _LEFT - _RIGHT) / _WIDTH, _LINE * count / height
    axes = figure.add_axes((_LEFT / _WIDTH, _BOTTOM / height, *inner), facecolor=_PANEL)
    axes.set_ylim(count - 0.5, -0.5)
    axes.set_yticks(range(count), [one.name for one in languages], fontsize=10)
    axes.tick_params(axis="both", length=0, labelcolor=_INK)
    axes.tick_params(axis="x", labelsize=9, labelcolor=_FAINT)
    axes.spines[:].set_visible(False)
    axes.grid(axis="x", color=_GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.xaxis.set_major_locator(_few_ticks())
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    figure.text(0.2 / _WIDTH, 1 - 0.3 / height, title, fontsize=12.5, fontweight="bold", va="center")
    figure.text(0.2 / _WIDTH, 1 - 0.6 / height, note, fontsize=9.5, color=_FAINT, va="center")
    return figure, axes


def _few_ticks() -> Any:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(nbins=4, steps=[1, 2, 2.5, 5, 10])


def _legend(figure: "Figure") -> None:
    from matplotlib.patches import Rectangle

    height, left, side = figure.get_figheight(), 0.2, 0.15
    for decision, colour in _COLOURS.items():
        place = (left / _WIDTH, 1 - 0.67 / height)
        square = Rectangle(place, side / _WIDTH, side / height, facecolor=colour, transform=figure.transFigure)
        figure.add_artist(square)
        figure.text((left + side + 0.08) / _WIDTH, 1 - 0.6 / height, _NAMES[decision], fontsize=9.5, va="center")
        left += side + 0.33 + 0.068 * len(_NAMES[decision])


def _save(figure: "Figure") -> bytes:
    png = io.BytesIO()
    figure.savefig(png, format="png", dpi=_POINTS_PER_INCH, facecolor=_PANEL, metadata={"Software": None})
    return png.getvalue()
