"""This project's own checks, each alone, and the whole audit."""

import tempfile
from pathlib import Path

from benchmarks.peers.clock import Given, Part, Work, run_part
from curation.audit import CHUNK_ROWS, audit
from curation.audit_settings import AuditSettings
from curation.checks.back_translation import BackTranslationCheck
from curation.checks.base import Check
from curation.checks.language import LanguageCheck
from curation.checks.length import LengthCheck
from curation.checks.numbers import NumbersCheck
from curation.checks.repetition import RepetitionCheck
from curation.checks.untranslated import UntranslatedCheck
from curation.contamination import ContaminationCheck
from curation.stages import make_check_stage
from mcot.core.benchmarks import make_benchmark
from mcot.core.processes import collecting_seldom
from mcot.core.rows import from_rows


def alone(check: Check, given: Given) -> Work:
    """One check in the audit's own stage, over tables as large as an audit's."""
    stage = make_check_stage([check])
    stage.open()
    starts = range(0, len(given.rows), CHUNK_ROWS)
    tables = [from_rows(given.rows[start : start + CHUNK_ROWS]) for start in starts]
    # What is made at a first use is no row's cost. Another text than any row's: what is remembered of it helps none.
    stage.process(from_rows([{**given.rows[0], "question": "Ana ana paka.", "back_question": "Ana has a cat."}]), 0)

    def work() -> None:
        # As an audit's own processes do.
        with collecting_seldom():
            for table in tables:
                stage.process(table, 0)

    return work


def language(given: Given) -> Work:
    """With the built-in model, which is the file that all others are given."""
    return alone(LanguageCheck(), given)


def contamination(given: Given) -> Work:
    """Against MGSM in all of its languages, which its file stands beside."""
    if given.benchmark is None:
        raise SystemExit("contamination needs --benchmark")
    return alone(ContaminationCheck([make_benchmark("mgsm", given.benchmark.parent)]), given)


def whole(given: Given) -> Work:
    """The command on one process: every check, reading, deciding, writing and the report."""

    def work() -> None:
        with tempfile.TemporaryDirectory() as folder:
            audit(str(given.path), Path(folder) / "out", AuditSettings(workers=1))

    return work


PARTS = {
    "language": Part(language, "the probability of the row's language among the eleven; names set aside"),
    "chrF": Part(lambda given: alone(BackTranslationCheck(), given), "sentence chrF++ against the source"),
    "length": Part(lambda given: alone(LengthCheck(), given), "letters against the language's prior, and the end"),
    "repetition": Part(lambda given: alone(RepetitionCheck(), given), "loops of characters, words and sentences"),
    "numbers": Part(lambda given: alone(NumbersCheck(), given), "every number, in digits or words, on both sides"),
    "untranslated": Part(lambda given: alone(UntranslatedCheck(), given), "source left in the translation"),
    "contamination": Part(contamination, "MGSM's problems in 11 languages, by source and by translation"),
    "whole": Part(whole, "`mcot audit --workers 1`: all checks, reading, deciding, writing, the report"),
}

if __name__ == "__main__":
    run_part(PARTS, ["mcot-math", "pyarrow", "numpy", "fasttext-predict"])
