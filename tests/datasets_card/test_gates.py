"""What is not published, and what licences go together: tables of faults and the line that each gives."""

import json
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from datasets_card.gates import check_run
from datasets_card.licenses import combine
from datasets_card.pseudonyms import Pseudonyms
from datasets_card.record import choose_previous
from datasets_card.settings import PublishSettings
from mcot.core.errors import UserError
from mcot.core.rows import SCHEMA

SWAHILI = "dataset/sw/train-00000.parquet"


def settings_of(**changes: Any) -> PublishSettings:
    return PublishSettings.model_validate({"repo_id": "org/set"} | changes)


def rewrite(run: Path, change: Callable[[list[dict[str, Any]]], None], path: str = SWAHILI) -> None:
    """Change rows of a file, as a run would have written them."""
    rows = pq.ParquetFile(run / path).read().to_pylist()
    change(rows)
    replace(run, pa.Table.from_pylist(rows, SCHEMA), path)


def replace(run: Path, table: pa.Table, path: str = SWAHILI) -> None:
    pq.write_table(table, run / path)
    manifest = json.loads((run / "manifest.json").read_text())
    manifest["files"][path] = (run / path).stat().st_size
    (run / "manifest.json").write_text(json.dumps(manifest))


def without_language(run: Path) -> None:
    manifest = json.loads((run / "manifest.json").read_text())
    manifest["files"].pop(SWAHILI)
    (run / "manifest.json").write_text(json.dumps(manifest))
    (run / SWAHILI).unlink()


def set_field(**values: Any) -> Callable[[Path], None]:
    return lambda run: rewrite(run, lambda rows: rows[1].update(values))


def set_scores(score: float | None) -> Callable[[Path], None]:
    return lambda run: rewrite(run, lambda rows: rows[1]["scores"].update(contamination_question=score))


def other_schema(run: Path) -> None:
    replace(run, pq.ParquetFile(run / SWAHILI).read().drop_columns(["translator"]))


def other_type(run: Path) -> None:
    table = pq.ParquetFile(run / SWAHILI).read()
    place = table.schema.get_field_index("round")
    replace(run, table.set_column(place, "round", pc.cast(table["round"], pa.int64())))


def broken(run: Path) -> None:
    content = (run / SWAHILI).read_bytes()
    (run / SWAHILI).write_bytes(content[:2000] + b"\0" * 3000 + content[5000:])


NAMED = {"reasons": ["contamination.gsm8k"], "details": ["1"]}


@pytest.mark.parametrize(
    ("break_run", "parts"),
    [
        (lambda run: (run / "manifest.json").unlink(), ["no finished run", "mcot curate"]),
        (lambda run: (run / SWAHILI).unlink(), ["train-00000.parquet: is not there"]),
        (lambda run: (run / SWAHILI).write_bytes(b"PAR1"), ["has 4 bytes"]),
        (lambda run: (run / "dataset" / "sw" / "train-1.parquet").write_bytes(b""), ["is not of this run"]),
        (broken, ["can't be read", "curate again"]),
        (other_schema, ["not of the schema", "['translator']"]),
        (other_type, ["not of the schema"]),
        (set_field(language="de"), ["holds a row of language 'de'"]),
        (set_field(decision="review"), ["holds a row of decision 'review'"]),
        (set_field(question=None), ["1 rows without question"]),
        (set_field(id=None), ["1 rows without id"]),
        (set_field(**NAMED), ["1 kept rows are of a benchmark", "raise the band"]),
        (set_scores(0.2), ["1 kept rows are of a benchmark"]),
        (set_scores(None), ["1 of ", "not looked for in the benchmarks", "--without-contamination-check"]),
        (without_language, ["kept no row of sw", "languages: [en, de]"]),
        (set_field(license="GPL"), ["several licences (GPL, MIT)", "source_licenses"]),
    ],
)
def test_a_run_that_is_not_fit_is_one_line(run: Path, break_run: Callable[[Path], None], parts: list[str]) -> None:
    break_run(run)
    with pytest.raises(UserError) as raised:
        check_run(run, settings_of())
    message = str(raised.value)
    assert "\n" not in message
    assert [part for part in parts if part not in message] == []


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"languages": ["fr"]}, "'fr', of which the run kept no row; valid: en, sw, de"),
        ({"source_licenses": {"problem": "mit"}}, "'problem'; valid: problems (did you mean 'problems'?)"),
    ],
)
def test_settings_that_do_not_fit_the_run(run: Path, changes: dict[str, Any], part: str) -> None:
    with pytest.raises(UserError) as raised:
        check_run(run, settings_of(**changes))
    assert part in str(raised.value)


def test_what_is_fit_is_counted(run: Path) -> None:
    rows = check_run(run, settings_of(languages=["de", "en"], source_licenses={"problems": "cc-by-4.0"}))
    assert list(rows.languages) == ["en", "de"]
    assert rows.licenses == {"problems": "cc-by-4.0"}
    assert rows.unchecked == 0
    set_field(source=None, license=None)(run)
    assert check_run(run, settings_of()).licenses == {"problems": "MIT", "unknown": None}
    set_scores(None)(run)
    assert check_run(run, settings_of(without_contamination_check=True)).unchecked == 1


@pytest.mark.parametrize(
    ("sources", "chosen", "expected"),
    [
        (["MIT"], None, "mit"),
        (["MIT", "mit"], None, "mit"),
        (["MIT", "Apache-2.0"], None, "apache-2.0"),
        (["CC0-1.0", "MIT"], None, "mit"),
        (["cc-by-3.0"], None, "cc-by-3.0"),
        (["MIT", "CC-BY-4.0"], None, "cc-by-4.0"),
        (["MIT", "CC-BY-SA-4.0", "CC-BY-4.0"], None, "cc-by-sa-4.0"),
        (["CC-BY-SA-3.0", "CC-BY-SA-4.0"], None, "cc-by-sa-4.0"),
        (["MIT", "CC-BY-NC-4.0"], None, "cc-by-nc-4.0"),
        (["CC-BY-NC-4.0", "CC-BY-NC-SA-4.0"], None, "cc-by-nc-sa-4.0"),
        (["MIT"], "CC-BY-4.0", "cc-by-4.0"),
        (["MIT", "House licence 7"], "other", "other"),
        (["MIT", "House licence 7"], "cc-by-4.0", "cc-by-4.0"),
    ],
)
def test_licences_that_go_together(sources: list[str], chosen: str | None, expected: str) -> None:
    assert combine({f"s{number}": one for number, one in enumerate(sources)}, chosen) == expected


@pytest.mark.parametrize(
    ("sources", "chosen", "part"),
    [
        ([None], None, "'s0' names no licence"),
        (["MIT", " "], "mit", "'s1' names no licence"),
        (["House licence 7"], None, "set `license` in the settings"),
        (["CC-BY-SA-4.0", "CC-BY-NC-4.0"], None, "don't go together: s0 cc-by-sa-4.0, s1 cc-by-nc-4.0"),
        (["CC-BY-SA-4.0", "ODbL-1.0"], None, "don't go together"),
        (["CC-BY-SA-4.0", "GPL-3.0"], None, "don't go together"),
        (["CC-BY-ND-4.0"], None, "lets nobody pass on a translation"),
        (["CC-BY-NC-4.0"], "mit", "'s0' (cc-by-nc-4.0) does not allow"),
        (["CC-BY-4.0"], "mit", "does not allow"),
        (["CC-BY-SA-4.0"], "cc-by-4.0", "does not allow"),
        (["MIT"], "apache2", "(did you mean 'apache-2.0'?)"),
    ],
)
def test_licences_that_do_not(sources: list[str | None], chosen: str | None, part: str) -> None:
    with pytest.raises(UserError) as raised:
        combine({f"s{number}": one for number, one in enumerate(sources)}, chosen)
    assert part in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("name", "comment", "expected"),
    [
        ("Ann", "Annさんの意見", "reviewer-1さんの意見"),
        ("Ann", "see _Ann_, @ann and ANN's", "see _reviewer-1_, @reviewer-1 and reviewer-1's"),
        ("Ann", "Annex, Joann, Ann2", "Annex, Joann, Ann2"),
        ("José García", "José García said", "reviewer-1 said"),
        ("José García", "José  García said", "reviewer-1 said"),
        ("José García", "JOSÉ\u00a0\nGARCÍA said", "reviewer-1 said"),
        ("José García", "by @JoséGarcía", "by @reviewer-1"),
        ("Mary  O'Brien", "Mary O'Brien's", "reviewer-1's"),
        ("würth@x.org", "Würth, wu\u0308rth@x.org", "reviewer-1, reviewer-1"),
        ("李雷", "请问李雷老师", "请问reviewer-1老师"),
    ],
)
def test_names_however_they_are_written(tmp_path: Path, name: str, comment: str, expected: str) -> None:
    for form in ("NFC", "NFD"):
        pseudonyms = Pseudonyms(tmp_path / form, [unicodedata.normalize(form, name)])
        for other in ("NFC", "NFD"):
            assert pseudonyms.hide_in(unicodedata.normalize(other, comment)) == expected


def test_numbers_are_drawn_by_lot(tmp_path: Path) -> None:
    # By chance they follow the alphabet once in 20! times.
    names = [f"annotator {letter}" for letter in "abcdefghijklmnopqrst"]
    pseudonyms = Pseudonyms(tmp_path, names)
    assert [pseudonyms.of(name) for name in names] != [f"reviewer-{number}" for number in range(1, 21)]


def test_pseudonyms_stay_and_tell_nothing(tmp_path: Path) -> None:
    first = Pseudonyms(tmp_path, ["ana", "ben"])
    later = Pseudonyms(tmp_path, ["cem", "ben"])
    assert {first.of("ana"), first.of("ben")} == {"reviewer-1", "reviewer-2"}
    assert (later.of("ana"), later.of("cem")) == (first.of("ana"), "reviewer-3")
    assert later.hide_in("Ben saw Benin; ana-cem") == f"{later.of('ben')} saw Benin; {later.of('ana')}-reviewer-3"
    assert later.hide_in(None) is None


@pytest.mark.parametrize(
    ("found", "tag", "expected"),
    [
        ({}, "round-1", None),
        ({"tag": "round-1", "previous": None}, "round-1", None),
        ({"tag": "round-1", "previous": None}, "round-2", {"tag": "round-1"}),
        ({"tag": "round-2", "previous": {"tag": "round-1"}}, "round-2", {"tag": "round-1"}),
        ({"tag": "round-2", "previous": {"tag": "round-1"}}, "round-3", {"tag": "round-2"}),
    ],
)
def test_what_a_publication_is_compared_with(found: dict[str, Any], tag: str, expected: dict[str, Any] | None) -> None:
    assert choose_previous(found, tag) == expected
