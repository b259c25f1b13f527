"""Settings: what is valid, and what is said of what is not."""

from pathlib import Path

import pytest
import yaml

from mcot.core.errors import SettingsError
from mcot.core.settings import Band, dump_settings, load_settings

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
        ({"thresholds": {"sw": {"number": {"keep": 1, "drop": 0}}}}, "'translation', 'language', 'numbers'"),
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
    [("a: [1", "line 1: is not valid YAML"), ("- 1", "got list, expected keys"), ("", "got NoneType"),
     ("name: x", "'sources' is missing; add it")],
)  # fmt: skip
def test_wrong_files(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        load_settings(write(tmp_path, content))


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"none\.yaml: not found; give the path"):
        load_settings(tmp_path / "none.yaml")
    with pytest.raises(SettingsError, match="is a folder"):
        load_settings(tmp_path)
    (tmp_path / "latin.yaml").write_bytes(b"name: \xff")
    with pytest.raises(SettingsError, match="not UTF-8"):
        load_settings(tmp_path / "latin.yaml")
