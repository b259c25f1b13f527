"""What the records of each known format mean."""

import math
import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from curation.sources.places import FieldError, Record, clean
from mcot.core.answers import canonical, find_statement
from mcot.core.errors import choose
from mcot.core.languages import ENGLISH
from mcot.core.settings import ColumnMapping, SourceSettings

__all__ = ["Format", "Problem", "make_format"]

_CALCULATOR_MARK = re.compile(r"<<[^<>]*>>")
_HASH_LINE = re.compile(r"^####.*\n?", re.MULTILINE)


class Problem(NamedTuple):
    """A problem as its source has it.

    Attributes:
        question, rationale: cleaned; the question may be empty, the rationale None.
        answer: canonical, or None.
        stated: what stands where the answer should be.
        id: of the source's own, or None.
    """

    question: str
    rationale: str | None
    answer: str | None
    stated: str | None = None
    id: str | None = None


class Format(NamedTuple):
    """How records are read.

    Attributes:
        license: what the format's dataset is known to have.
        select: which of a file's columns are needed; raises `FieldError` where one is missing.
        read: a record's problem; None for one that the format leaves out on purpose.
    """

    license: str
    select: Callable[[Sequence[str]], Sequence[str]]
    read: Callable[[Record], Problem | None]


def make_format(settings: SourceSettings) -> Format:
    """The format that a source's settings name."""
    read: Callable[[Record], Problem | None]
    columns: tuple[str, ...]
    match settings.format:
        case "gsm8k":
            read, license, columns = _read_gsm8k, "MIT", ("question", "answer")
        case "metamathqa":
            read, license, columns = _read_metamathqa, "MIT", ("query", "response")
        case "mathinstruct":
            read, license, columns = _read_mathinstruct, "MIT", ("instruction", "output", "source")
        case "columns":
            return _mapped(settings.columns, settings.calculator_marks)

    def select(available: Sequence[str]) -> Sequence[str]:
        for column in columns:
            if column not in available:
                raise FieldError(
                    f"format {settings.format!r} needs the columns {', '.join(columns)}: got no {column!r}; "
                    f"{choose(column, available)}; set the right `format`, or `columns`"
                )
        return columns

    return Format(license, select, _without_marks(read, settings.calculator_marks))


def _without_marks(
    read: Callable[[Record], Problem | None], calculator_marks: str
) -> Callable[[Record], Problem | None]:
    if calculator_marks == "keep":
        return read

    def read_without_marks(record: Record) -> Problem | None:
        problem = read(record)
        if problem is None or problem.rationale is None:
            return problem
        return problem._replace(rationale=_CALCULATOR_MARK.sub("", problem.rationale))

    return read_without_marks


def _text(record: Record, column: str) -> str:
    """A column's text; empty where it is null."""
    try:
        value = record[column]
    except KeyError:
        # The columns of the first record were found to be right.
        raise FieldError(
            f"this record lacks the column {column!r}, which the first has; it has: {', '.join(record) or 'nothing'}; "
            "mend or remove it"
        ) from None
    if value is None:
        return ""
    if not isinstance(value, str):
        raise FieldError(f"column {column!r}: got {type(value).__name__} {value!r:.40}, expected text")
    return clean(value)


def _answer_text(record: Record, column: str) -> str:
    """A column's text, or its number as text."""
    value: Any = record.get(column)
    if isinstance(value, float):
        # Decimal writes 1e+16 out; a missing number is NaN in what pandas wrote.
        return f"{Decimal(repr(value)):f}" if math.isfinite(value) else ""
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return f"{value:f}" if isinstance(value, Decimal) else str(value)
    return _text(record, column) if column in record else ""


def _read_gsm8k(record: Record) -> Problem:
    """`question, answer`: the answer is the solution, then a line "#### 72"."""
    solution, mark, stated = _text(record, "answer").rpartition("####")
    question = _text(record, "question")
    if not mark:
        return _stated_problem(question, stated)
    solution, stated = solution.rstrip(), stated.strip()
    answer = canonical(stated)
    return Problem(question, _ended(solution, answer or stated), answer, stated)


def _read_metamathqa(record: Record) -> Problem:
    """`query, response`: a response ends in "The answer is: 72", after "#### 72" in the types of GSM8K."""
    return _stated_problem(_text(record, "query"), _without_hash_lines(_text(record, "response")))


def _read_mathinstruct(record: Record) -> Problem | None:
    """`instruction, output, source`: chains of thought and programs; the source is a path that tells which."""
    if "/PoT/" in _text(record, "source"):
        return None
    return _stated_problem(_text(record, "instruction"), _without_hash_lines(_text(record, "output")))


def _without_hash_lines(solution: str) -> str:
    """The solution without its "#### 72" lines, unless nothing else states the answer."""
    if "####" not in solution:
        return solution
    rest = _HASH_LINE.sub("", solution).strip()
    return rest if find_statement(rest, ENGLISH.code) else solution


def _stated_problem(question: str, solution: str) -> Problem:
    """A problem whose solution states the answer; the statement becomes the solution's last line."""
    statement = find_statement(solution, ENGLISH.code)
    if statement is None:
        return Problem(question, solution or None, None)
    answer = canonical(statement.text)
    if answer is None:
        return Problem(question, solution, None, statement.text)
    # "The answer is 72." goes to a line of its own; "so the answer is 72, as ..." is part of the reasoning.
    first = solution[statement.start]
    own = (first.isupper() or first == "#") and statement.end == len(solution)
    return Problem(question, _ended(solution[: statement.start].rstrip() if own else solution, answer), answer)


def _ended(solution: str, answer: str) -> str:
    """The solution with the answer in the language's own phrase on the last line."""
    phrase = ENGLISH.answer_phrase.format(answer=answer)
    return f"{solution}\n{phrase}" if solution else phrase


def _mapped(columns: ColumnMapping, calculator_marks: str) -> Format:
    """A format by column names. The texts are taken as they are."""
    defaults = ColumnMapping()

    def select(available: Sequence[str]) -> Sequence[str]:
        wanted = [columns.question]
        for role in ("rationale", "answer", "id"):
            name: str | None = getattr(columns, role)
            # A column of the default mapping may be missing; one that somebody chose may not.
            if name is not None and (name in available or name != getattr(defaults, role)):
                wanted.append(name)
        for name in wanted:
            if name not in available:
                raise FieldError(f"got no column {name!r}; {choose(name, available)}; name the right one in `columns`")
        if columns.rationale not in wanted and columns.answer not in wanted:
            raise FieldError(
                "got no column that holds an answer, neither 'answer' nor 'rationale'; valid: "
                f"{', '.join(available)}; name one of them as `answer` or `rationale` in `columns`"
            )
        return wanted

    def read(record: Record) -> Problem:
        rationale = _text(record, columns.rationale) if columns.rationale and columns.rationale in record else ""
        stated = _answer_text(record, columns.answer) if columns.answer else ""
        own_id = _answer_text(record, columns.id) if columns.id else ""
        answer = _answer_in(stated)
        if answer is None and rationale:
            statement = find_statement(rationale, ENGLISH.code)
            answer = canonical(statement.text) if statement else None
            stated = stated or (statement.text if statement else "")
        return Problem(_text(record, columns.question), rationale or None, answer, stated or None, own_id or None)

    return Format("unknown", select, _without_marks(read, calculator_marks))


def _answer_in(text: str) -> str | None:
    """The answer in an answer column: a number, or a text that states one."""
    statement = find_statement(text, ENGLISH.code)
    return canonical(statement.text if statement else text)
