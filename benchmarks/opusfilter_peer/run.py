"""OpusFilter's default filters on a file of pairs: ``python run.py PAIRS.jsonl DECISIONS.json [--command]``.

Runs in an environment of its own (requirements.txt) and imports nothing of this project. The filters are those that
`opusfilter-autogen` writes with `--method defaults`: `opusfilter.autogen.DefaultParameterFilters`, its own list, order
and parameters. As in its filter step, a pair that one filter rejects is not shown to the next. With `--command`, its
own command is timed too: from files to files of scores, every filter on every pair.
"""

import json
import logging
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

# CharacterScoreFilter takes one script for each language. Japanese has three, so there it gets none and is left out.
SCRIPTS = {
    "sw": "Latin", "bn": "Bengali", "te": "Telugu", "th": "Thai", "zh": "Han", "ru": "Cyrillic",
    "es": "Latin", "fr": "Latin", "de": "Latin",
}  # fmt: skip


# What of the list above a user would keep for texts of several sentences in scripts without spaces: each filter at its
# default parameters, without those that count words, or want the same punctuation and one script in both languages.
CHOSEN: tuple[tuple[str, dict[str, Any]], ...] = (
    ("LengthRatioFilter", {"unit": "char"}),
    ("NonZeroNumeralsFilter", {}),
    ("SimilarityFilter", {}),
    ("RepetitionFilter", {}),
    ("LinguaFilter", {}),
)


def make_filters(language: str, name: str) -> list[tuple[str, Any]]:
    """OpusFilter's filters for pairs of English and a language, with their names.

    Args:
        language: ISO 639-1.
        name: `defaults`, all of the list, or `chosen`.
    """
    from opusfilter import filters  # type: ignore[import-not-found]

    made = []
    for entry in configure_filters(language, name):
        filter_name = next(key for key in entry if key != "module")
        made.append((filter_name, getattr(filters, filter_name)(**entry[filter_name])))
    return made


def configure_filters(language: str, name: str) -> list[dict[str, Any]]:
    """The same as its configuration file has them."""
    from opusfilter.autogen import DefaultParameterFilters  # type: ignore[import-not-found]

    scripts = ["Latin", SCRIPTS[language]] if language in SCRIPTS else None
    specifications = list(CHOSEN) if name == "chosen" else None
    generator = DefaultParameterFilters(langs=["en", language], scripts=scripts, filters=specifications)
    generator.set_filter_thresholds()
    return list(generator.filters)


def in_lines(row: dict[str, str]) -> tuple[str, str]:
    """A pair as OpusFilter takes it: a segment is a line."""
    source, text = (" ".join(row[side].split()) for side in ("source_question", "question"))
    return source, text


def time_command(rows: list[dict[str, str]], name: str) -> float:
    """Seconds of `opusfilter CONFIGURATION` with a score step a language, which shows every filter every pair."""
    with tempfile.TemporaryDirectory() as folder:
        steps = []
        outputs = []
        for language in sorted({row["language"] for row in rows}):
            sides = zip(*(in_lines(row) for row in rows if row["language"] == language), strict=True)
            names = [f"{language}.source", f"{language}.translation"]
            for side, texts in zip(names, sides, strict=True):
                Path(folder, side).write_text("".join(f"{text}\n" for text in texts), "utf-8")
            outputs.append(f"{language}.jsonl")
            parameters = {"inputs": names, "output": outputs[-1], "filters": configure_filters(language, name)}
            steps.append({"type": "score", "parameters": parameters})
        configuration = Path(folder, "configuration.yaml")
        # YAML reads JSON.
        configuration.write_text(json.dumps({"common": {"output_directory": folder}, "steps": steps}), "utf-8")
        began = time.monotonic()
        subprocess.run(
            [Path(sys.executable).parent / "opusfilter", configuration],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        seconds = time.monotonic() - began
        scored = sum(len(Path(folder, output).read_text("utf-8").splitlines()) for output in outputs)
    if scored != len(rows):
        raise SystemExit(f"opusfilter scored {scored} of {len(rows)} pairs")
    return seconds


def run(rows: list[dict[str, str]], name: str) -> dict[str, Any]:
    """Decide every pair.

    Returns:
        `kept`, a truth value a row; `filters`; `rejected`, by filter and language; `seconds` that its filter step
        takes, where a rejected pair is not shown to the next filter; `seconds_of_all`, that its score step takes, where
        every filter sees every pair. Models are loaded before.
    """
    pairs = [in_lines(row) for row in rows]
    seconds = seconds_of_all = 0.0
    kept = [False] * len(rows)
    rejected: Counter[str] = Counter()
    names: list[str] = []
    for language in sorted({row["language"] for row in rows}):
        filters = make_filters(language, name)
        names = [filter_name for filter_name, _ in filters] if len(filters) > len(names) else names
        everywhere = [place for place, row in enumerate(rows) if row["language"] == language]
        # Lingua reads a language's model when it is first asked for.
        for _, one in filters:
            list(one.score([pairs[everywhere[0]]]))
        began, places = time.monotonic(), everywhere
        for filter_name, one in filters:
            accepted = list(one.decisions([pairs[place] for place in places]))
            rejected[f"{filter_name} {language}"] += accepted.count(False)
            places = [place for place, good in zip(places, accepted, strict=True) if good]
        seconds += time.monotonic() - began
        began = time.monotonic()
        for _, one in filters:
            list(one.score([pairs[place] for place in everywhere]))
        seconds_of_all += time.monotonic() - began
        for place in places:
            kept[place] = True
    return {
        "kept": kept,
        "filters": names,
        "rejected": dict(rejected),
        "seconds": seconds,
        "seconds_of_all": seconds_of_all,
    }


def main(pairs_path: Path, output: Path, *, command: bool) -> None:
    """Decide the pairs with both sets of filters, and write what came of it."""
    logging.disable(logging.WARNING)
    rows = [json.loads(line) for line in pairs_path.read_text("utf-8").splitlines()]
    results = {}
    for name in ("defaults", "chosen"):
        results[name] = run(rows, name)
        if command:
            results[name]["seconds_of_command"] = time_command(rows, name)
    output.write_text(json.dumps(results), "utf-8")


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4) or sys.argv[3:] not in ([], ["--command"]):
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]), command=len(sys.argv) > 3)
