"""Settings: what is valid, and what is said of what is not."""

from functools import partial
from pathlib import Path

import pytest
import yaml

from mcot.core import settings_file
from mcot.core.errors import SettingsError
from mcot.core.settings import DEFAULT_BANDS, DEFAULT_LANGUAGE_BANDS, Band, CurationSettings
from mcot.core.settings_file import dump_settings

load_settings = partial(settings_file.load_settings, model=CurationSettings)
MINIMAL = {"name": "trial", "sources": [{"path": "a.jsonl"}]}


def write(folder: Path, content: object) -> Path:
    path = folder / "settings.yaml"
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return path


def test_defaults_are_spelled_out_and_read_back(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path, MINIMAL))
    assert settings.folder == Path("runs/trial")
    dumped = dump_settings(settings)
    assert "batch_tokens" in dumped
    assert load_settings(write(tmp_path, dumped)) == settings


@pytest.mark.parametrize(("word", "switch"), [("off", False), ("no", False), ("on", True), ("yes", True)])
def test_words_are_words_and_switches_take_them(tmp_path: Path, word: str, switch: bool) -> None:
    text = f"name: {word}\nsources: [{{path: a.jsonl}}]\ninclude_english: {word}\n"
    settings = load_settings(write(tmp_path, text))
    assert (settings.name, settings.include_english) == (word, switch)


def test_bands_by_language_over_default(tmp_path: Path) -> None:
    content = {
        **MINIMAL,
        "thresholds": {"default": {"length": {"keep": 0.9, "drop": 0.1}}, "sw": {"length": {"keep": 0.8, "drop": 0.1}}},
    }
    settings = load_settings(write(tmp_path, content))
    assert settings.bands("sw")["length"] == Band(keep=0.8, drop=0.1)
    assert settings.bands("de")["length"] == Band(keep=0.9, drop=0.1)
    assert settings.bands("de")["numbers"].keep == 1.0


@pytest.mark.parametrize(
    ("thresholds", "language", "expected"),
    [
        ({}, "de", DEFAULT_BANDS["language"]),
        # Swahili's own, without which one in ten of its good rows would be reviewed.
        ({}, "sw", DEFAULT_LANGUAGE_BANDS["sw"]["language"]),
        # What the user says of all languages comes before what is built in for one.
        ({"default": {"language": {"keep": 0.9, "drop": 0.8}}}, "sw", Band(keep=0.9, drop=0.8)),
        (
            {"default": {"language": {"keep": 0.9, "drop": 0.8}}, "sw": {"language": {"keep": 0.2, "drop": 0.1}}},
            "sw", Band(keep=0.2, drop=0.1),
        ),
        ({"de": {"language": {"keep": 0.9, "drop": 0.8}}}, "sw", DEFAULT_LANGUAGE_BANDS["sw"]["language"]),
    ],
)  # fmt: skip
def test_whose_band_it_is(tmp_path: Path, thresholds: object, language: str, expected: Band) -> None:
    bands = load_settings(write(tmp_path, {**MINIMAL, "thresholds": thresholds})).bands(language)
    assert bands["language"] == expected
    # The other checks' bands stay, and every check has one.
    assert {**bands, "language": expected} == {**DEFAULT_BANDS, "language": expected}
    assert DEFAULT_BANDS["language"] != DEFAULT_LANGUAGE_BANDS["sw"]["language"]


def test_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    content = {
        "name": "trial",
        "output": "~/runs/x",
        "sources": [{"path": "~/a.jsonl"}, {"path": "b~/a.jsonl"}, {"path": "./~"}],
        "translator": {"model": "~/nllb"},
        "checks": {"language_model": "~/lid.bin"},
    }
    write(tmp_path, content)
    settings = load_settings(Path("~/settings.yaml"))
    assert settings.folder == tmp_path / "runs" / "x"
    assert [source.path for source in settings.sources] == [f"{tmp_path}/a.jsonl", "b~/a.jsonl", "./~"]
    assert settings.translator.model == f"{tmp_path}/nllb"
    assert settings.checks.language_model == f"{tmp_path}/lid.bin"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"shard_row": 5}, "unknown key 'shard_row'; valid: .*did you mean 'shard_rows'"),
        ({"translator": {"beems": 4}}, "unknown key 'translator.beems'; valid: model, .*did you mean 'beams'"),
        ({"sources": [{"path": "a", "kolumns": {}}]}, r"unknown key 'sources.0.kolumns'; .*did you mean 'columns'"),
        ({"sources": [{"path": "a", "columns": {"qestion": "q"}}]}, "unknown key .*did you mean 'question'"),
        ({"languages": ["sw", "xx"]}, "got language 'xx'; valid: bn, de, "),
        ({"languages": ["sw", "sw"]}, "a language twice"),
        ({"languages": ["en"]}, "got language 'en'"),
        ({"thresholds": {"swa": {}}}, "got language 'swa'; .*did you mean 'sw'"),
        ({"thresholds": {"sw": {"numbers": {"keep": 0.1, "drop": 0.5}}}}, "drop 0.5 is above keep 0.1"),
        (
            {"thresholds": {"default": {"langauge": {"keep": 1, "drop": 0}}}},
            "unknown key 'thresholds.default.langauge'; valid: translation, .* .did you mean 'language'",
        ),
        ({"thresholds": {"sw": {"numbers": {"kep": 1, "drop": 0}}}}, "unknown key .*did you mean 'keep'.* .and 1 more"),
        ({"thresholds": {"sw": {1: {"keep": 1, "drop": 0}}}}, "unknown key 'thresholds.sw.1'; valid: translation"),
        ({"thresholds": {False: {}}}, "'thresholds.0': got the key False, .* put it in quotes"),
        ({"thresholds": {"sw": {"numbers": {"keep": float("nan"), "drop": 0}}}}, "numbers.keep': .*finite number"),
        ({"thresholds": {"sw": {"numbers": {"keep": 1, "drop": float("-inf")}}}}, "numbers.drop': .*finite number"),
        ({"sources": [{"path": "a", "format": "gms8k"}]}, "got 'gms8k'; valid: columns, .*did you mean 'gsm8k'"),
        ({"translator": {"device": None}}, "'translator.device': got None; valid: auto, cpu, cuda, mps$"),
        ({1: 2}, "unknown key '1'; valid: name, output"),
        ({"translator": {1: 2}}, "unknown key 'translator.1'; valid: model, "),
        ({"translator": None}, "'translator': got None, expected keys and values; valid: model, "),
        ({"sources": ["a.jsonl"]}, "'sources.0': got 'a.jsonl', expected keys and values; valid: path, "),
        ({"round": 3_000_000_000}, "'round': Input should be less than or equal to 2147483647"),
        ({"output": 5}, "'output': got 5, expected a path"),
        ({"output": "a\0b"}, r"'output': holds the character '\\x00', .*remove it"),
        ({"output": "~no-such-user/x"}, "no home folder '~no-such-user' here; give the path in full"),
        ({"sources": [{"path": "a\0"}]}, r"'sources.0.path': holds the character '\\x00'"),
        ({"sources": [{"path": "a\ud800"}]}, r"'sources.0.path': holds the character '\\ud800'"),
        ({"translator": {"model": "a\0"}}, "'translator.model': holds the character"),
        ({"name": "x" * 10_000 + "/"}, "'name': String should match .{1,200}$"),
        ({"translator": {"beams": 0}}, "'translator.beams': Input should be greater than or equal to 1 .got 0."),
        ({"sources": []}, "'sources': List should have at least 1 item"),
        ({"name": "../x"}, "'name': String should match pattern"),
        ({"name": None}, "'name': Input should be a valid string"),
    ],
)
def test_wrong_settings(tmp_path: Path, change: dict[str, object], message: str) -> None:
    with pytest.raises(SettingsError, match=message) as error:
        load_settings(write(tmp_path, MINIMAL | change))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [("a: [1", "line 1: is not valid YAML"), ("- 1", "got a list, expected keys"), ("", "is missing; add it"),
     ("name: x", "'sources' is missing; add it"),
     ("a: " + "[" * 5000 + "]" * 5000, "nested too deeply"), ("a: 2020-13-45", "can't be read: month must be"),
     ("a: " + "9" * 5000, "can't be read: Exceeds the limit"), ("a: \x07", "is not valid YAML: special characters")],
)  # fmt: skip
def test_wrong_files(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message) as error:
        load_settings(write(tmp_path, content))
    assert "\n" not in str(error.value)


def test_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    for name, message in [
        ("file/settings.yaml", "can't be read: Not a directory"),
        ("x" * 300, "can't be read: File name too long"),
        ("a\0b", "embedded null byte"),
        ("~no-such-user/a.yaml", "no home folder"),
    ]:
        with pytest.raises(SettingsError, match=f"^settings file {name}: .*{message}.*; give the path"):
            load_settings(Path(name))
    with pytest.raises(SettingsError, match=r"none\.yaml: not found; give the path"):
        load_settings(tmp_path / "none.yaml")
    with pytest.raises(SettingsError, match="is a folder"):
        load_settings(tmp_path)
    (tmp_path / "latin.yaml").write_bytes(b"name: \xff")
    with pytest.raises(SettingsError, match="not UTF-8"):
        load_settings(tmp_path / "latin.yaml")
