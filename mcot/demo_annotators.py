"""Simulated annotators for the demo's rounds. They stand in for people, and are none.

They get what people get, the files of `mcot review export`, and fill in the same cells. They know what each problem
says in their language: what says the same they accept, what does not they correct, what is beyond mending they reject.
And they err, each by oneself, at a stated rate: they reject what is good, and accept what is not.
"""

import random
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from annotation.filled import FILLED_IN
from annotation.spreadsheets import dump_csv, read_lines
from curation.demo.generator import Problem
from mcot.core.errors import SourceError
from mcot.core.files import write_file
from mcot.core.languages import ENGLISH, get_language
from mcot.demo_problems import Truth, true_texts

__all__ = ["ERRORS", "Annotators", "name_annotators"]

#: The share of rows on which each annotator is wrong, unless told otherwise.
ERRORS = 0.03
# A text less like the true one (difflib's ratio of characters) is not corrected but rejected: it would have to be
# written anew. Of the embedded translator's wrong rows about one in twelve is.
_BEYOND_MENDING = 0.75
_PARTS = ("question", "rationale")
_NEEDED = ("id", "key", "annotator", "source_question", *_PARTS, *FILLED_IN)
_NUMBER = re.compile(r"\d+")
_LATIN_WORD = re.compile(r"[A-Za-z]{3,}")


def name_annotators(languages: Iterable[str]) -> dict[str, Any]:
    """Who judges, as the settings of `mcot review` have it: two of each language, and one who settles disputes."""
    return {
        "annotators": {code: [f"simulated-{code}-{number}" for number in (1, 2)] for code in languages},
        "adjudicators": ["simulated-adjudicator"],
    }


@dataclass(frozen=True, slots=True)
class Annotators:
    """Those who fill in the files.

    Attributes:
        problems: by their English question, as it was given to be translated.
        errors: the share of rows on which each is wrong, 0 to 1.
        seed: of their errors. Whether one errs on a row depends on this, the name and the row alone.
    """

    problems: Mapping[str, Problem]
    errors: float = ERRORS
    seed: int = 0

    def fill_in(self, folder: Path) -> int:
        """Fill in every file of a folder, in its place. What is filled in already comes to the same again.

        Returns:
            How many rows were judged.

        Raises:
            SourceError: a file can't be read, or a row is none of the problems.
        """
        return sum(self._fill_in_file(path) for path in sorted(folder.glob("*.csv")))

    def _fill_in_file(self, path: Path) -> int:
        rows: list[dict[str, Any]] = []
        for line in read_lines(path, _NEEDED):
            if line.fault is not None or line.cells["source_question"] not in self.problems:
                why = line.fault or "is none of the demo's problems"
                raise SourceError(f"{path}, line {line.number}: {why}; export it again into another folder")
            rows.append({**line.cells, **self.judge(line.cells)})
        write_file(path, dump_csv(list(rows[0]), rows))
        return len(rows)

    def count_good(self, run: Path) -> tuple[int, int]:
        """How many of a run's kept translations say what they should, and how many there are. Nobody errs here."""
        good = total = 0
        for path in sorted((run / "dataset").glob("*/*.parquet")):
            for row in pq.ParquetFile(path).read(columns=["language", "source_question", *_PARTS]).to_pylist():
                if row["language"] != ENGLISH.code:
                    truth = true_texts(self.problems[row["source_question"]], row["language"])
                    good += _judge(row, truth, row["language"])["verdict"] == "accept"
                    total += 1
        return good, total

    def judge(self, cells: Mapping[str, Any]) -> dict[str, Any]:
        """What somebody says of a row.

        Args:
            cells: by column, as `mcot review export` writes them.

        Returns:
            The cells that are to be filled in.
        """
        language = cells["id"].rpartition("-")[2]
        truth = true_texts(self.problems[cells["source_question"]], language)
        said = _judge(cells, truth, language)
        if random.Random(f"{self.seed} {cells['annotator']} {cells['key']}").random() < self.errors:
            said = {"verdict": "accept"} if said["verdict"] != "accept" else {"verdict": "reject"}
        return dict.fromkeys(FILLED_IN, "") | said


def _judge(shown: Mapping[str, Any], truth: Truth, language: str) -> dict[str, Any]:
    true = {part: getattr(truth, part) for part in _PARTS}
    wrong = [part for part in _PARTS if _plain(shown[part]) != _plain(true[part])]
    if not wrong:
        return {"verdict": "accept"}
    types = sorted({_name_error(shown[part], true[part], language) for part in wrong})
    if any(SequenceMatcher(None, shown[part], true[part], autojunk=False).ratio() < _BEYOND_MENDING for part in wrong):
        return {"verdict": "reject", "error_types": types}
    return {"verdict": "fix", "error_types": types, **{f"corrected_{part}": true[part] for part in wrong}}


def _plain(text: str) -> str:
    """A text whose digits and blanks are plain ones: in another script they say the same."""
    return " ".join(_NUMBER.sub(lambda match: "".join(str(unicodedata.digit(c)) for c in match[0]), text).split())


def _name_error(shown: str, true: str, language: str) -> str:
    if sorted(_NUMBER.findall(_plain(shown))) != sorted(_NUMBER.findall(_plain(true))):
        return "wrong_number"
    copied = set(_LATIN_WORD.findall(shown)) - set(_LATIN_WORD.findall(true))
    return "untranslated" if copied and get_language(language).script != "Latn" else "mistranslation"
