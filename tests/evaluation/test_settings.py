"""Settings of an evaluation: defaults, names, and what is refused in one line."""

from pathlib import Path
from typing import Any

import pytest

from evaluation.settings import EvaluationSettings, ModelSettings
from mcot.core.errors import SettingsError
from mcot.core.settings_file import dump_settings, load_settings, parse_settings


def read(**content: Any) -> EvaluationSettings:
    return parse_settings({"models": [{"model": "org/a"}], **content}, "settings file x.yaml", EvaluationSettings)


def test_one_line_is_enough(tmp_path: Path) -> None:
    file = tmp_path / "study.yaml"
    file.write_text("models: [{model: org/mCoT-7B}, {model: org/other, prompt: {style: chat}}]\n", "utf-8")
    settings = load_settings(file, EvaluationSettings)
    assert [model.title for model in settings.models] == ["mCoT-7B", "other"]
    assert (settings.benchmarks, settings.scorer, settings.folder) == (
        {"mgsm": None},
        "robust",
        Path("runs/evaluation"),
    )
    assert settings.models[0].prompt.text == "Question:\n{question}\nAnswer:\n{cue}\n"
    file.write_text(dump_settings(settings), "utf-8")
    assert load_settings(file, EvaluationSettings) == settings


@pytest.mark.parametrize(
    ("model", "title"),
    [
        ({"model": "org/mCoT 7B!"}, "mCoT-7B"),
        ({"model": "gpt-4o:2024"}, "gpt-4o-2024"),
        ({"model": "x/模型"}, "model"),
        ({"model": "org/a", "name": "mine"}, "mine"),
    ],
)
def test_a_models_name_is_a_folders(model: dict[str, str], title: str) -> None:
    assert ModelSettings.model_validate(model).title == title


def test_a_folders_own_name_is_the_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "checkpoint-90").mkdir()
    monkeypatch.chdir(tmp_path / "checkpoint-90")
    for given in (".", "../checkpoint-90/", str(tmp_path / "checkpoint-90")):
        assert ModelSettings(model=given).title == "checkpoint-90"


@pytest.mark.parametrize(
    ("content", "stop"),
    [
        ({}, ()),
        ({"prompt": {"few_shot": "x.jsonl"}}, ("\nQuestion:",)),
        ({"prompt": {"few_shot": "x.jsonl", "template": "Q: {question}\nA:"}}, ("\nQ:",)),
        ({"prompt": {"few_shot": "x.jsonl", "template": "{question}\n{cue}\n"}}, ()),
        ({"prompt": {"few_shot": "x.jsonl", "style": "chat"}}, ()),
        ({"prompt": {"few_shot": "x.jsonl"}, "sampling": {"stop": []}}, ()),
        ({"sampling": {"stop": ["###"]}}, ("###",)),
    ],
)
def test_where_answers_end(content: dict[str, Any], stop: tuple[str, ...]) -> None:
    assert ModelSettings.model_validate({"model": "org/a", **content}).stop == stop


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"models": []}, "'models': List should have at least 1 item"),
        ({"modles": 1}, r"unknown key 'modles'; valid: name, output, models, .*did you mean 'models'"),
        ({"models": [{"model": "a", "backend": "tgi"}]}, "got 'tgi'; valid: transformers, vllm, server"),
        ({"models": [{"model": "a", "prompt": {"cue": "swahili"}}]}, "got 'swahili'; valid: native, english, none"),
        ({"models": [{"model": "a", "backend": "server"}]}, "backend 'server' needs a server with its url"),
        ({"models": [{"model": "a", "server": {"url": "http://x/v1"}}]}, "'transformers' has no use for a server"),
        ({"models": [{"model": "x/a"}, {"model": "y/A"}]}, "'a' is the name of 2 models; give each a `name`"),
        ({"models": [{"model": "generations"}]}, "no model can have the name 'generations'"),
        ({"models": [{"model": "a", "name": "../b"}]}, "should match pattern"),
        ({"models": [{"model": "a", "prompt": {"template": "Q"}}]}, r"template 'Q' has no {question}"),
        ({"models": [{"model": "a", "prompt": {"system": "x"}}]}, "only a chat has a system message"),
        ({"models": [{"model": "a", "prompt": {"shots": 2}}]}, "there is no few_shot file to take them from"),
        ({"models": [{"model": "a", "sampling": {"temperature": -1}}]}, "greater than or equal to 0"),
        ({"benchmarks": {"mgms": None}}, "got 'mgms' without a path; valid: mgsm, msvamp, gsm8k, or any name"),
        ({"benchmarks": {}}, "at least 1 item"),
        ({"benchmarks": {"a/b": "x.jsonl"}}, "should match pattern"),
        ({"revisions": {"msvamp": "main"}}, "'msvamp' is no benchmark that is read from the Hub here"),
        ({"languages": ["sw", "swa"]}, r"got language 'swa'; valid: bn, de, .*did you mean 'sw'"),
        ({"languages": ["sw", "sw"]}, "a language twice"),
        ({"resamples": 1}, "greater than or equal to 100"),
        ({"name": "a\0b"}, "no file name can have"),
    ],
)
def test_a_wrong_setting_is_said_in_one_line(content: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message) as error:
        read(**content)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("localhost:8000/v1", "is no address; valid: http:// or https://"),
        ("http:///v1", "is no address"),
        ("http://me:secret@host/v1", "url holds a user or a password"),
        ("http://host/v1?key=secret", "is no address; .*, and nothing behind"),
        ("http://host:abc/v1", "is no address"),
        ("http://host:99999/v1", "is no address"),
    ],
)
def test_a_wrong_address_is_refused_and_its_secret_not_shown(url: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message) as error:
        read(models=[{"model": "a", "backend": "server", "server": {"url": url}}])
    assert "secret" not in str(error.value)


@pytest.mark.parametrize("key", ["sk-proj-secret", "gsk_secret", "hf_secret"])
def test_a_key_in_place_of_its_variable_is_not_shown(key: str) -> None:
    server = {"url": "http://host/v1", "key_variable": key}
    with pytest.raises(SettingsError, match="key_variable is no name of an environment variable") as error:
        read(models=[{"model": "a", "backend": "server", "server": server}])
    assert "secret" not in str(error.value)


def test_only_a_server_may_be_told_no_temperature() -> None:
    with pytest.raises(SettingsError, match=r"temperature is null, which is for servers only"):
        read(models=[{"model": "a", "sampling": {"temperature": None}}])
