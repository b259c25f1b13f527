"""Write benchmarks/README.md and its pictures from results/*.json: ``python -m benchmarks.page``.

Nothing on the page is written by hand: a result that is not there is said to be missing.
"""

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks._record import RESULTS
from benchmarks.page_claims import CLAIMS, Claim, Figure
from mcot.core.files import write_file

PAGE = Path(__file__).parent / "README.md"
PEERS = "peer_speed"
_BARS = {"processor_seconds": "#0072B2", "seconds": "#E69F00"}
_CLOCKS = {"processor_seconds": "processor's seconds", "seconds": "clock's seconds"}

_HEAD = """# Benchmarks

One script a claim; each writes its figures to `results/`, with the machine and the versions. `make benchmark` runs
those that need no GPU, and this page, pictures included, is drawn from `results/` by `python -m benchmarks.page`.
"""
_PEERS_HEAD = """## The checks beside other tools'

`python -m benchmarks.peer_speed`; tools in environments of their own, made by `make benchmark-peers`. Each part of each
tool ran in a process of its own on one core, its model loaded before the clock started, without the tool's readers,
writers and engine. Above 1, ours is faster; **below 1 it is slower**. Both ratios are of medians: the processor's
seconds tell more on a busy machine.
"""


def read_result(name: str) -> dict[str, Any] | None:
    """A result's figures; None where it was not measured."""
    path = RESULTS / f"{name}.json"
    if not path.exists():
        return None
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def find(figures: Any, path: Sequence[str | int]) -> str:
    """What stands at a path, in words; a dash where nothing does."""
    try:
        for key in path:
            figures = figures[key]
    except (KeyError, IndexError, TypeError):
        return "—"
    if isinstance(figures, Mapping):
        return ", ".join(f"{name} {value}" for name, value in figures.items()) or "—"
    return f"{figures:,}" if isinstance(figures, int) and not isinstance(figures, bool) else str(figures)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines) + "\n"


def show_claim(claim: Claim) -> str:
    """A claim's section."""
    figures = read_result(claim.result)
    head = f"## {claim.title}\n\n`python -m benchmarks.{claim.command}`"
    if figures is None:
        return f"{head}: not measured yet.\n"
    rows = [[one.label, find(figures, one.path), one.wanted] for one in claim.figures]
    return f"{head} → `results/{claim.result}.json`; {machine(figures)}\n\n" + table(["", "measured", "wanted"], rows)


def machine(figures: Mapping[str, Any]) -> str:
    """On what a result was measured, in words."""
    found = figures["machine"]
    return f"{found['cpu']}, {found['cores']} cores, {found['memory_gib']:g} GiB."


def show_peers(figures: Mapping[str, Any]) -> str:
    """The sections of the comparison with other tools."""
    tools = ", ".join(f"{name} {number}" for name, number in _versions(figures).items())
    text = [
        _PEERS_HEAD,
        f"{machine(figures)} Runs: {figures['runs']}. {tools}.\n",
        f"![How many times as fast as each tool each check is](results/{PEERS}.png)\n",
    ]
    for name, parts in figures["inputs"].items():
        text += [f"### Rows {name}: {figures['rows'][name]:,}\n", table(_PEER_COLUMNS, _peer_rows(parts))]
    drawn = next(iter(figures["inputs"].values()))
    does = [[part, tool, run["does"]] for part, found in drawn.items()
            for tool, run in ({"mcot": found["mcot"]} | found["tools"]).items()]  # fmt: skip
    text += ["### What each does\n", table(["part", "tool", "what was timed"], does)]
    return "\n".join(text)


_PEER_COLUMNS = ("part", "tool", "its µs a row", "ours", "times, processor", "times, clock", "wanted", "reached")


def _peer_rows(parts: Mapping[str, Any]) -> list[list[str]]:
    spent = "microseconds_a_row, processor_seconds"
    rows = []
    for part, found in parts.items():
        for tool, run in found["tools"].items():
            times, claim = found["times"][tool], found["claims"].get(tool)
            rows.append([
                part, tool, str(run[spent]), str(found["mcot"][spent]),
                str(times["processor_seconds"]), str(times["seconds"]),
                f"{claim['at_least']:g}" if claim else "", ("yes" if claim["reached"] else "**no**") if claim else "",
            ])  # fmt: skip
    return rows


def _versions(figures: Mapping[str, Any]) -> dict[str, str]:
    return {name: number for packages in figures["tools"].values() for name, number in packages.items()}


def draw_peers(figures: Mapping[str, Any]) -> bytes:
    """How many times as fast as each tool ours is, by part; as PNG."""
    from matplotlib.figure import Figure as Picture

    inputs = figures["inputs"]
    bars = [
        [(f"{part}: {tool}", times) for part, found in parts.items() for tool, times in found["times"].items()]
        for parts in inputs.values()
    ]
    picture = Picture(figsize=(9, 2 + 0.36 * sum(map(len, bars))), layout="constrained")
    places = picture.subplots(len(bars), 1, squeeze=False, height_ratios=[len(some) + 1 for some in bars], sharex=True)
    for axes, name, some in zip(places[:, 0], inputs, bars, strict=True):
        for offset, (clock, colour) in zip((-0.2, 0.2), _BARS.items(), strict=True):
            lengths = [times[clock] for _, times in some]
            axes.barh([place + offset for place in range(len(some))], lengths, 0.4, color=colour, label=_CLOCKS[clock])
        axes.axvline(1, color="black", linewidth=1)
        axes.set_xscale("log")
        axes.set_yticks(range(len(some)), [label for label, _ in some])
        axes.invert_yaxis()
        axes.set_title(f"rows {name}", loc="left")
        axes.spines[["top", "right"]].set_visible(False)
    places[-1, 0].set_xlabel("times as fast as the tool; left of the line ours is slower")
    places[0, 0].legend(frameon=False, loc="lower right")
    return to_png(picture)


def draw_targets() -> bytes | None:
    """Of the claims with a least ratio, the ratio beside what is wanted; as PNG, or None where none is measured."""
    from matplotlib.figure import Figure as Picture

    shown = [(claim.title, one, value) for claim in CLAIMS for one in claim.figures
             if (value := _ratio(claim, one)) is not None]  # fmt: skip
    if not shown:
        return None
    picture = Picture(figsize=(9, 1.2 + 0.55 * len(shown)), layout="constrained")
    axes = picture.subplots()
    axes.barh(range(len(shown)), [value for _, _, value in shown], color="#0072B2")
    for place, (_, one, value) in enumerate(shown):
        least = float(one.wanted.removeprefix(_AT_LEAST))
        axes.plot([least, least], [place - 0.4, place + 0.4], color="black", linewidth=2)
        axes.text(value, place, f" {value:g}", va="center")
    axes.set_yticks(range(len(shown)), [title for title, _, _ in shown])
    axes.invert_yaxis()
    axes.set_xlabel("times; black: at least wanted")
    axes.spines[["top", "right"]].set_visible(False)
    return to_png(picture)


_AT_LEAST = "at least "


def _ratio(claim: Claim, one: Figure) -> float | None:
    """The value of a figure that is a ratio with a least value, where it is measured."""
    if not one.wanted.startswith(_AT_LEAST) or "times" not in one.label:
        return None
    try:
        return float(find(read_result(claim.result), one.path))
    except ValueError:
        return None


def to_png(picture: Any) -> bytes:
    """A picture's bytes, the same for the same figures."""
    png = io.BytesIO()
    picture.savefig(png, format="png", dpi=110, metadata={"Software": None})
    return png.getvalue()


def main() -> None:
    """Draw the pictures and write the page."""
    sections = [_HEAD]
    if targets := draw_targets():
        write_file(RESULTS / "targets.png", targets)
        sections.append("![Measured ratios beside those that are wanted](results/targets.png)\n")
    if peers := read_result(PEERS):
        write_file(RESULTS / f"{PEERS}.png", draw_peers(peers))
        sections.append(show_peers(peers))
    sections += [show_claim(claim) for claim in CLAIMS]
    write_file(PAGE, "\n".join(sections))
    print(f"page: {PAGE}")


if __name__ == "__main__":
    main()
