"""What the page of benchmarks shows: each claim, the command that measures it, and where its figures stand."""

from typing import NamedTuple

__all__ = ["CLAIMS", "Claim", "Figure"]


class Figure(NamedTuple):
    """One figure of a claim.

    Attributes:
        label: what it is, with its unit.
        path: its keys in the result, places in lists among them.
        wanted: what it is held against, in words; empty where nothing is.
    """

    label: str
    path: tuple[str | int, ...]
    wanted: str = ""


class Claim(NamedTuple):
    """Something that is said of speed or quality.

    Attributes:
        title: the claim.
        command: how it is measured, from the repository's root, after `python -m benchmarks.`.
        result: the name of its file in results/.
        figures: of that file.
    """

    title: str
    command: str
    result: str
    figures: tuple[Figure, ...]


_MGSM = "../shared/data/mgsm"
_STAGE = "the stage alone"
_WHOLE = "with the cluster's start and end"

CLAIMS = (
    Claim(
        "`mcot audit` keeps human translations and catches planted errors",
        f"audit_quality {_MGSM} --peer benchmarks/opusfilter_peer/.venv/bin/python",
        "audit_quality",
        (
            Figure("human translations kept, %", ("mcot", "kept", "human", "all"), "at least 98.5"),
            Figure("with a number changed kept, %", ("mcot", "kept", "number changed", "all"), "at most 2"),
            Figure("with a number dropped kept, %", ("mcot", "kept", "number dropped", "all"), "at most 3"),
            Figure("in another language kept, %", ("mcot", "kept", "wrong language", "all"), "at most 1"),
            Figure("cut at 45% kept, %", ("mcot", "kept", "cut at 45%", "all"), "at most 8"),
            Figure("goals missed", ("mcot", "missed")),
        ),
    ),
    Claim(
        "`mcot audit` checks and decides thousands of rows a second in constant memory",
        f"audit_speed --mgsm {_MGSM} --peer benchmarks/opusfilter_peer/.venv/bin/python",
        "audit_speed",
        (
            Figure("processes", ("workers",)),
            Figure("rows", ("runs", -1, "rows")),
            Figure("rows a second", ("runs", -1, "rows_a_second")),
            Figure("peak memory of a process, MiB", ("runs", -1, "peak_rss_of_a_process_mib")),
        ),
    ),
    Claim(
        "Leaks of MGSM and GSM8K, disguised, are found",
        "contamination ../shared/data",
        "contamination",
        (
            Figure("leaks planted", ("planted",)),
            Figure("found, %", ("found_percent",)),
            Figure("of them with the right problem, %", ("right_problem_percent",)),
        ),
    ),
    Claim(
        "CTranslate2 int8 on a CPU against transformers fp32, NLLB-600M's shape",
        "ctranslate_speed",
        "ctranslate_speed",
        (
            Figure("times as fast", ("speed", "ratio"), "at least 2.5"),
            Figure("times, in processor seconds", ("speed", "ratio_of_processor_seconds")),
        ),
    ),
    Claim(
        "Translation with transformers against its usual recipe, on a CPU",
        "translation_speed",
        "translation_speed",
        (
            Figure("times as fast, greedy", ("beams 1", "ratio")),
            Figure("times as fast, 4 beams", ("beams 4", "ratio")),
            Figure("equal hypotheses, %", ("beams 4", "equal_hypotheses_percent")),
        ),
    ),
    Claim(
        "Two Ray workers against one, and Ray against the local engine",
        "ray_engine",
        "ray_engine",
        (
            Figure("two workers against one, times", (_STAGE, "two ray workers against one, times"), "at least 1.7"),
            Figure("overhead, one worker, %", (_STAGE, "ray against local, percent more time", "1"), "at most 15"),
            Figure("overhead, two workers, %", (_STAGE, "ray against local, percent more time", "2"), "at most 15"),
            Figure("the same with the cluster's start and end: times", (_WHOLE, "two ray workers against one, times")),
            Figure("overhead, one worker, %", (_WHOLE, "ray against local, percent more time", "1")),
            Figure("overhead, two workers, %", (_WHOLE, "ray against local, percent more time", "2")),
            Figure("same bytes", ("same bytes",), "true"),
        ),
    ),
    Claim(
        "Memory of `mcot curate` does not grow with the data",
        "memory",
        "memory",
        (
            Figure("rows", ("runs", -1, "rows")),
            Figure("peak memory, MiB", ("runs", -1, "peak_rss_mib")),
            Figure("peak memory of the smallest run, MiB", ("runs", 0, "peak_rss_mib")),
        ),
    ),
    Claim(
        "Scoring of responses",
        "evaluation_speed ../shared/data/mcot_outputs",
        "evaluation_speed",
        (
            Figure("MGSM responses", ("responses", "mgsm")),
            Figure("MSVAMP responses", ("responses", "msvamp")),
            Figure("seconds", ("runs", 0, "seconds")),
        ),
    ),
    Claim(
        "Searches of a local review server",
        "review_search",
        "review_search",
        (
            Figure("records", ("records",)),
            Figure("text search, median ms", ("searches", "text", "median_ms")),
            Figure("pending queue, median ms", ("searches", "pending queue", "median_ms")),
        ),
    ),
    Claim(
        "Translation on a GPU against transformers' usual recipe",
        "translation_gpu --record",
        "translation_gpu",
        (
            Figure("GPU", ("gpu",)),
            Figure("600M, times the recipe", ("600m", "times the usual recipe"), "at least 5"),
            Figure("3.3B, times the recipe", ("3.3b", "times the usual recipe"), "at least 5"),
        ),
    ),
    Claim(
        "The same small model on a dataset with errors, checked, corrected and clean",
        "curation_pays FOLDER",
        "curation_pays",
        (
            *(
                Figure(f"accuracy, {arm}, %", ("arms", arm, "means", "accuracy"))
                for arm in ("planted", "kept", "reviewed", "clean")
            ),
            *(
                Figure(
                    f"{arm} against planted, points, 95% interval over seeds",
                    ("differences", f"{arm} - planted", "means", "accuracy", "interval_over_seeds"),
                )
                for arm in ("kept", "reviewed")
            ),
        ),
    ),
)
