"""A run's rounds beside one another: a table on the terminal, `RUN/rounds/history.json` and its picture."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from annotation.estimates import CORRECTED, UNCORRECTED
from annotation.labels import ALL
from annotation.precision import EARLIER
from datasets_card.figures import show_percent
from mcot.core.errors import RunError
from mcot.core.files import write_file, write_json
from mcot.round_record import FINISHED, read_rounds, rounds_folder
from mcot.round_status import show_precision

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_history", "make_history", "print_history", "write_history"]

# Colours and marks that people who see colours differently can tell apart (Okabe & Ito 2008).
_STYLES = (
    ("#0072B2", "o"), ("#D55E00", "s"), ("#009E73", "^"), ("#CC79A7", "D"), ("#E69F00", "v"), ("#56B4E9", "P"),
    ("#000000", "X"),
)  # fmt: skip
_MEANS = {
    "accuracy": "accuracy",
    "correct_consistency": "right in both of two languages",
    "incorrect_consistency": "wrong in both, the same answer",
}


def make_history(run: Path) -> list[dict[str, Any]]:
    """What each finished round came to, the first one first.

    Returns:
        For each its `round`; kept `rows` by language, with `all` for the translations; rows `judged` of those drawn in
        it; `precision` as its record has it; for each benchmark the `means` and their intervals and `accuracy` by
        language, in percent; the `change` of mean accuracy since `since`; `published`.

    Raises:
        RunError: no round is finished, or a record is damaged.
    """
    finished = [record for record in read_rounds(run) if record["state"] == FINISHED]
    if not finished:
        raise RunError(f"run folder {run}: no round is finished; see what is next with `mcot round status {run}`")
    return [_describe(record) for record in finished]


def _describe(record: Mapping[str, Any]) -> dict[str, Any]:
    kept = record["dataset"]["rows"]["dataset"]
    compared = (record["comparison"] or {}).get("benchmarks", {})
    names = ("means", "mean_intervals", "accuracy", "accuracy_intervals")
    benchmarks = {
        name: {
            **{key: one[key] for key in names},
            "change": compared.get(name, {}).get("means", {}).get("accuracy"),
            "since": record["comparison"]["with"] if name in compared else None,
        }
        for name, one in (record["evaluation"] or {}).get("benchmarks", {}).items()
    }
    return {
        "round": record["round"],
        "rows": {**kept, ALL: sum(rows for code, rows in kept.items() if code != "en")},
        "judged": sum(record["review"]["settled"].values()),
        "precision": record["review"]["precision"],
        "benchmarks": benchmarks,
        "published": record["published"],
    }


def write_history(run: Path) -> list[dict[str, Any]]:
    """Write `history.json` and `history.png` into the run's rounds; the same rounds give the same bytes."""
    history = make_history(run)
    write_json(rounds_folder(run) / "history.json", history)
    write_file(rounds_folder(run) / "history.png", draw_history(history))
    return history


def print_history(history: Sequence[Mapping[str, Any]], *, title: str, console: Console | None = None) -> None:
    """Print the rounds, a line each and benchmark.

    Args:
        history: as `make_history` gives it.
        title: of the table; it may hold any text.
        console: standard output by default.
    """
    # No lines between columns: it fits into eighty of them.
    table = Table(title=Text(title), title_justify="left", box=SIMPLE_HEAD, pad_edge=False,
                  collapse_padding=True)  # fmt: skip
    for name in ("round", "kept", "judged", "good", "on", "solved", "change", "both", "same"):
        left = name == "on"
        table.add_column(name, justify="left" if left else "right")
    for entry in history:
        common = [str(entry["round"]), f"{entry['rows'][ALL]:,}", f"{entry['judged']:,}", _precision(entry)]
        for name, one in entry["benchmarks"].items() or [("–", {})]:
            table.add_row(*common, *map(Text, [str(name), *_measured(one)]))
            common = [""] * len(common)
    console = console or Console()
    console.print(table)
    for entry in history:
        if ALL in entry["precision"]:
            said = f"round {entry['round']}: good: {show_precision(entry['precision'][ALL])}"
            console.print(Text(said), highlight=False)
    note = (
        "kept: translations; judged: rows; good: % of the kept ones, as said above; solved: % of problems, mean of "
        "languages; change: in points since the last round that was evaluated, paired; both: % right in both of two "
        "languages; same: % of wrong answers that are the same in two; below figures their 95% intervals"
    )
    console.print(Text(note), highlight=False)


def _precision(entry: Mapping[str, Any]) -> str:
    share = entry["precision"].get(ALL)
    if share is None:
        return "–"
    value, low, high = (show_percent(share[name])[:-1] for name in ("value", "low", "high"))
    return f"{value}\n{low}–{high}"


def _measured(one: Mapping[str, Any]) -> list[str]:
    means, intervals, change = one.get("means", {}), one.get("mean_intervals", {}), one.get("change")
    cells = [_with_ends(means.get(name), intervals.get(name) if name == "accuracy" else None) for name in _MEANS]
    low, high = change["interval"] if change else (0.0, 0.0)
    since = f"{change['difference']:+.1f}\n{low:+.1f} to {high:+.1f}" if change else "–"
    return [cells[0], since, *cells[1:]]


def _with_ends(value: float | None, ends: Sequence[float] | None) -> str:
    if value is None:
        return "–"
    return f"{value:.1f}" + (f"\n{ends[0]:.1f}–{ends[1]:.1f}" if ends else "")


def draw_history(history: Sequence[Mapping[str, Any]]) -> bytes:
    """Draw accuracy, consistency, kept rows and precision over the rounds, as PNG; the same values, the same bytes."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 7.6), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle("Round by round; whiskers are 95% intervals", fontsize=12)
    (accuracy, consistency), (rows, precision) = figure.subplots(2, 2)
    _draw_means(accuracy, history, ("accuracy",), "Problems solved, % (mean of languages)")
    _draw_means(consistency, history, ("correct_consistency", "incorrect_consistency"), "Consistency, %")
    _draw_rows(rows, history)
    _draw_precision(precision, history)
    numbers = [entry["round"] for entry in history]
    for axis in (accuracy, consistency, rows, precision):
        axis.set_xticks(numbers, [str(number) for number in numbers])
        axis.set_xlim(min(numbers) - 0.5, max(numbers) + 0.5)
        axis.set_xlabel("round")
        axis.grid(visible=True, alpha=0.3)
        axis.set_axisbelow(True)
        for side in ("top", "right"):
            axis.spines[side].set_visible(False)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=150, metadata={"Software": None})
    return buffer.getvalue()


def _draw_means(axis: "Axes", history: Sequence[Mapping[str, Any]], names: Sequence[str], title: str) -> None:
    benchmarks = list(dict.fromkeys(name for entry in history for name in entry["benchmarks"]))
    lines = [(benchmark, name) for benchmark in benchmarks for name in names]
    for place, (benchmark, name) in enumerate(lines):
        entries = [entry for entry in history if name in entry["benchmarks"].get(benchmark, {}).get("means", {})]
        measured = [entry["benchmarks"][benchmark] for entry in entries]
        label = benchmark if len(names) == 1 else f"{benchmark}: {_MEANS[name]}"
        # Beside one another, as points on one another hide their intervals.
        shift = 0.06 * (place - (len(lines) - 1) / 2)
        _draw_line(axis, [entry["round"] + shift for entry in entries], [one["means"][name] for one in measured],
                   [one["mean_intervals"].get(name) for one in measured], place, label)  # fmt: skip
    axis.set_title(title, loc="left", fontsize=11)
    axis.set_ylim(-2, 102)
    _finish(axis, lines, "nothing was evaluated")


def _draw_line(
    axis: "Axes",
    places: Sequence[float],
    values: Sequence[float],
    ends: Sequence[Sequence[float] | None],
    style: int,
    label: str,
) -> None:
    colour, mark = _STYLES[style % len(_STYLES)]
    known = [pair or (value, value) for pair, value in zip(ends, values, strict=True)]
    low = [max(value - pair[0], 0) for pair, value in zip(known, values, strict=True)]
    high = [max(pair[1] - value, 0) for pair, value in zip(known, values, strict=True)]
    axis.errorbar(places, values, yerr=[low, high], color=colour, marker=mark, capsize=4, linewidth=1.5, label=label)
    for at, (place, value) in enumerate(zip(places, values, strict=True)):
        # On the outer side of points that are beside one another; under the line where it rises on that side.
        left = place <= round(place)
        beside = at - 1 if left else at + 1
        below = 0 <= beside < len(values) and values[beside] > value
        axis.annotate(f"{value:.1f}", (place, value), xytext=(-7 if left else 7, -14 if below else 5),
                      textcoords="offset points", fontsize=9, ha="right" if left else "left",
                      color=colour)  # fmt: skip


def _draw_rows(axis: "Axes", history: Sequence[Mapping[str, Any]]) -> None:
    totals = [entry["rows"][ALL] for entry in history]
    bars = axis.bar([entry["round"] for entry in history], totals, width=0.5, color=_STYLES[0][0])
    axis.bar_label(bars, [f"{total:,}" for total in totals], fontsize=9, padding=2)
    axis.set_title("Translations kept", loc="left", fontsize=11)
    axis.yaxis.set_major_formatter("{x:,.0f}")
    axis.set_ylim(0, 1.12 * max([*totals, 1]))


def _draw_precision(axis: "Axes", history: Sequence[Mapping[str, Any]]) -> None:
    """The share as annotators judge, which every round has, and beside it the corrected one where there is one."""
    known = {entry["round"]: entry["precision"][ALL] for entry in history if ALL in entry["precision"]}
    corrected = {number: share for number, share in known.items() if CORRECTED in share["basis"]}
    # Records of versions before this one lack it.
    judged = {number: share["as_judged"] for number, share in known.items() if share.get("as_judged")}
    lines = [one for one in ((UNCORRECTED, judged), (CORRECTED, corrected)) if one[1]]
    for place, (label, shares) in enumerate(lines):
        values = [100 * share["value"] for share in shares.values()]
        ends = [(100 * share["low"], 100 * share["high"]) for share in shares.values()]
        places = [number + 0.06 * (place - (len(lines) - 1) / 2) for number in shares]
        _draw_line(axis, places, values, ends, 2 + place, label)
        _hollow(axis, [at for at, number in zip(zip(places, values, strict=True), shares, strict=True)
                       if known[number]["basis"].endswith(EARLIER)], 2 + place)  # fmt: skip
    if any(share["basis"].endswith(EARLIER) for share in known.values()):
        axis.plot([], [], "o", markerfacecolor="white", color="0.4", label=f"hollow: {EARLIER}")
    if lines:
        low = min(90.0, min(100 * share["low"] for _, shares in lines for share in shares.values()) - 5)
        # Room above for the figure of a share of 100.
        axis.set_ylim(low, 100 + 0.08 * (100 - low))
    axis.set_title("Good rows among those kept, %", loc="left", fontsize=11)
    _finish(axis, lines, "nobody judged any")


def _hollow(axis: "Axes", points: Sequence[tuple[float, float]], style: int) -> None:
    colour, mark = _STYLES[style]
    for place, value in points:
        axis.plot([place], [value], color=colour, marker=mark, markerfacecolor="white", zorder=3)


def _finish(axis: "Axes", lines: Sequence[object], empty: str) -> None:
    if lines:
        axis.legend(fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2, frameon=False)
    elif empty:
        axis.text(0.5, 0.5, empty, transform=axis.transAxes, ha="center", va="center", color="0.4")
