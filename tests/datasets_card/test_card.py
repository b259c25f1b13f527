"""The dataset card: its metadata, and that its figures are those of the report."""

import fnmatch
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from datasets_card.card import make_card
from datasets_card.citations import find_citations
from datasets_card.examples import pick_examples
from datasets_card.figures import show_count
from datasets_card.metadata import size_category
from mcot.core.files import read_json, write_json
from tests.datasets_card.card_runs import SETTINGS, make_row, summary
from tests.datasets_card.rendered_cards import LANGUAGES, Published, read_metadata


def test_metadata_is_what_the_hub_reads(publish: Callable[..., Published]) -> None:
    _, _, files = publish(reviews=summary(), annotators=["amina", "juma"])
    content = read_metadata(files["README.md"])
    assert content["language"] == ["sw", "bn", "ja", "en"]
    assert (content["license"], content["pretty_name"]) == ("mit", "Word problems")
    assert (content["size_categories"], content["task_categories"]) == (["n<1K"], ["text-generation"])
    assert content["annotations_creators"] == ["expert-generated"]
    assert content["source_datasets"] == ["openai/gsm8k"]


def test_configs_are_the_staged_ones(publish: Callable[..., Published]) -> None:
    _, staged, files = publish()
    written = read_metadata(files["README.md"])["configs"]
    assert {config["config_name"] for config in written} == {config.name for config in staged.configs}
    assert [config["config_name"] for config in written if config.get("default")] == ["all"]
    for config in staged.configs:
        told = next(one for one in written if one["config_name"] == config.name)
        for data_files in told["data_files"]:
            paths = data_files["path"]
            patterns = paths if isinstance(paths, list) else [paths]
            found = {path for path in staged.files if any(fnmatch.fnmatch(path, pattern) for pattern in patterns)}
            assert found == set(config.splits[data_files["split"]])


def test_the_same_run_gives_the_same_bytes(publish: Callable[..., Published]) -> None:
    run, staged, files = publish(reviews=summary())
    assert make_card(run, staged, SETTINGS) == files
    assert set(files) == {"README.md", "croissant.json", "images/rows.png", "images/precision.png"}
    text = files["README.md"].decode()
    assert all(f"]({name})" in text for name in files if name.endswith(".png"))


def test_figures_are_the_reports(publish: Callable[..., Published]) -> None:
    run, _, files = publish(reviews=summary())
    report, text = read_json(run / "report.json"), files["README.md"].decode()
    for line in report["languages"][:3]:
        counts = " | ".join(show_count(line[name]) for name in ("keep", "review", "drop"))
        assert f"| {line['name']} | {counts} |" in text
    told = report["rows"]
    assert f"{told['keep']} translations kept of {told['translations']}, and {told['english']} English" in text
    assert "**95.0%** (95% interval 85.0% to 99.0%)" in text
    assert "| Swahili | 95.0% (85%–99%) | 20 |" in text
    assert "| Swahili | 12 | 2 | 90.0% (80%–100%) | 0.50 (-0.10 to 0.90) |" in text
    assert "One number of the source became another one (1)" in text
    assert report["signatures"]["decide"] in text


def test_a_corrected_share_says_so_and_what_was_judged(publish: Callable[..., Published]) -> None:
    said = summary()
    said["estimates"] = [
        {**one, "basis": "corrected for annotators' error", "error": {}, "judged_good": {"value": 0.9}}
        for one in said["estimates"]
    ]
    text = publish(reviews=said, annotators=["amina", "simulated-sw-1"])[2]["README.md"].decode()
    told = "**95.0%** (95% interval 85.0% to 99.0%), corrected for annotators' error (90.0% as judged), 20 judged"
    assert f"{told} by 1 simulated annotator and 1 person" in text
    assert f"Over the languages judged: {told}." in text
    assert "1 simulated annotator and 1 person judged 1 row:" in text
    assert "those corrected are in the set as corrected" in text


def test_other_languages_thresholds_have_a_line_of_their_own(publish: Callable[..., Published]) -> None:
    bands = {"sw": {"language": {"keep": 0.5, "drop": 0.1}}}
    rows = [make_row(1, code, scores={"language_question": 0.9}) for code in ("sw", "bn", "ja")]
    text = publish(rows, settings={**LANGUAGES, "thresholds": bands})[2]["README.md"].decode()
    assert "\nOtherwise:\n\n- Language: Swahili kept from 0.5, dropped below 0.1\n" in text
    assert "| Language | probability of the right language among the eleven (fastText) | 0." in text


def test_nothing_is_said_of_what_is_not_known(publish: Callable[..., Published]) -> None:
    _, _, files = publish([make_row(1, "sw")], settings={"languages": ["sw"], "include_english": False})
    text = files["README.md"].decode()
    for word in ("annotators agree", "Precision](", "Changes since", "None", "nan", "Undefined", "pseudonyms"):
        assert word not in text
    assert "images/precision.png" not in files
    assert not re.search(r"\n\n\n\n", text)
    headings = re.findall(r"^#+ .*", text, re.MULTILINE)
    assert len(headings) == len(set(headings))


def test_an_audit_has_a_card_too(publish: Callable[..., Published]) -> None:
    run, staged, _ = publish([make_row(1, "sw", translator=None)], settings={"languages": ["sw"]})
    # What `mcot audit` reports of: no sources, and nothing that translated.
    report = read_json(run / "report.json")
    kept = {key: value for key, value in report["settings"].items() if key in ("thresholds", "checks")}
    write_json(run / "report.json", {**report, "kind": "audit", "settings": kept, "signatures": {}})
    text = make_card(run, staged, SETTINGS)["README.md"].decode()
    assert "No back-translation" in text
    assert "facebook" not in text


def test_no_name_of_an_annotator(publish: Callable[..., Published]) -> None:
    _, _, files = publish(reviews=summary(), annotators=["zawadi", "juma"])
    for content in files.values():
        assert b"zawadi" not in content


@pytest.mark.parametrize(
    ("previous", "expected", "absent"),
    [
        (None, None, "Changes since"),
        ({}, None, "Changes since"),
        ({"tag": "round-1", "configs": {"sw": {"train": 9}}}, "| Swahili | 9 | 8 | -1 |", "Translated before"),
        ({"tag": "round-1", "translators": {"sw": ["old@1 2"]}}, "before by old&#64;1 2; now by", "licence was"),
        ({"tag": "round-1", "license": "cc0-1.0"}, "The licence was cc0-1.0 and is mit.", "byte by byte"),
        (
            {"tag": "round-1", "thresholds": {code: {"numbers": [0.9, 0.5]} for code in ("sw", "bn", "ja")}},
            "Numbers: kept from 1.0 (before: 0.9), dropped below 0.75 (0.5) in every language.",
            "Length: kept",
        ),
    ],
)  # fmt: skip
def test_changes(
    publish: Callable[..., Published], previous: Mapping[str, Any] | None, expected: str | None, absent: str
) -> None:
    text = publish(previous=previous)[2]["README.md"].decode()
    assert expected is None or expected in text
    assert absent not in text


def test_rows_that_are_the_same_are_called_so(publish: Callable[..., Published]) -> None:
    run, staged, _ = publish()
    files = {path: {"sha256": digest} for path, digest in staged.files.items()}
    configs = {config.name: dict(config.rows) for config in staged.configs}
    again = make_card(run, staged, SETTINGS, previous={"tag": "round-1", "files": files, "configs": configs})
    assert "The rows are the same, byte by byte." in again["README.md"].decode()


def test_examples_are_one_problem_in_three_languages(publish: Callable[..., Published]) -> None:
    _, staged, _ = publish()
    (example,) = pick_examples(staged)
    assert list(example.translations) == ["sw", "bn", "ja"]
    assert all(str(int(example.answer) - 2) in question for question, _ in example.translations.values())


def test_examples_without_a_problem_in_common(publish: Callable[..., Published]) -> None:
    rows = [make_row(number, code) for number, code in enumerate(("sw", "bn", "ja"), 1)]
    _, staged, files = publish(rows)
    assert [list(example.translations) for example in pick_examples(staged)] == [["sw"], ["bn"], ["ja"]]
    assert "A row each of 3 languages" in files["README.md"].decode()


@pytest.mark.parametrize(
    ("sources", "models", "expected"),
    [
        ([], [], ["mCoT"]),
        ([{"format": "metamathqa"}], ["facebook/nllb-200-3.3B@1 2"], ["mCoT", "MetaMathQA", "GSM8K", "NLLB"]),
        ([{"format": "mathinstruct"}], [], ["mCoT", "MathInstruct", "GSM8K"]),
        ([{"format": "gsm8k"}], [], ["mCoT", "GSM8K"]),
        ([{"format": "columns", "path": "openai/gsm8k"}], [], ["mCoT", "GSM8K"]),
        # The demo's problems are written as GSM8K's, and are none of them.
        ([{"format": "gsm8k", "name": "demo", "license": "Apache-2.0"}], ["demo@1 2"], ["mCoT"]),
    ],
)
def test_citations(sources: list[dict[str, Any]], models: list[str], expected: list[str]) -> None:
    found = find_citations(sources, models)
    assert list(found) == expected
    for entry in found.values():
        assert entry.count("{") == entry.count("}")
        assert re.match(r"@\w+\{[\w-]+,\n", entry)
        assert re.search(r"arXiv:?(preprint arXiv:)?\s?\d{4}\.\d{5}|arXiv preprint arXiv:\d{4}\.\d{5}", entry)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [(0, "n<1K"), (999, "n<1K"), (1000, "1K<n<10K"), (580_000, "100K<n<1M"), (6_300_000, "1M<n<10M"),
     (10**11, "10B<n<100B")],
)  # fmt: skip
def test_size_categories(rows: int, expected: str) -> None:
    assert size_category(rows) == expected


def test_croissant_is_beside_it(publish: Callable[..., Published]) -> None:
    _, _, files = publish()
    assert json.loads(files["croissant.json"])["name"] == "Word problems"
