"""Settings of a server: what may be no secret's place, and what is no address."""

from typing import Any

import pytest

from mcot.core.chat_settings import ChatSettings
from mcot.core.errors import SettingsError
from mcot.core.servers import blot_out, read_retry_after
from mcot.core.settings_file import dump_settings, parse_settings

KEY = "sk-proj-planted0123"


@pytest.mark.parametrize(
    "changes",
    [
        {"key_variable": KEY},
        {"key_variable": "gsk_AbCdEf0123456789"},
        {"key_variable": "hf_AbCdEf0123456789"},
        {"key_variable": ""},
        {"extra": {"headers": {"Authorization": "Bearer x"}}},
        {"extra": {"options": [{"deep": {"X-API-Key": "x"}}]}},
        {"extra": {"token": "x"}},
        {"extra": {"access_token": "x"}},
        {"extra": {"bearer": "x"}},
        {"extra": {"user": KEY}},
        {"extra": {"options": ["Bearer x-planted"]}},
    ],
)
def test_a_key_in_the_settings_is_refused_and_not_shown(changes: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=r"key_variable|see key_variable") as error:
        parse_settings({"url": "http://host/v1", "model": "m", **changes}, "settings", ChatSettings)
    assert not [shown for shown in (KEY, "gsk_", "hf_", "planted", "Bearer") if shown in str(error.value)]


@pytest.mark.parametrize(
    "extra",
    [
        {"min_tokens": 3},
        {"thinking": {"budget_tokens": 100}},
        {"stop_token_ids": [1]},
        {"stop_token": "</s>"},
        {"eos_token": "</s>"},
        {"skip_special_tokens": True},
        {"reasoning_effort": "low"},
        {"chat_template_kwargs": {"enable_thinking": False}},
    ],
)
def test_other_parameters_are_kept(extra: dict[str, Any]) -> None:
    read = parse_settings({"url": "http://host/v1", "model": "m", "extra": extra}, "settings", ChatSettings)
    assert read.extra == extra
    assert "OPENAI_API_KEY" in dump_settings(read)


@pytest.mark.parametrize(
    "url",
    ["http://host:abc/v1", "http://127.0.0.1:99999/v1", "http://ho st/v1", "http://[::1/v1", "http://ho\nst/v1",
     "http://host/v 1", "http://a..b/v1", "http:///v1", "host/v1", "http://host:-1/v1"],
)  # fmt: skip
def test_no_address(url: str) -> None:
    with pytest.raises(SettingsError, match="url is no address; valid: ") as error:
        parse_settings({"url": url, "model": "m"}, "settings", ChatSettings)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8000/v1", "http://[::1]:8000/v1", "https://m\u00fcnchen.example/v1", "http://gpu_1:80/v1"]
)
def test_addresses(url: str) -> None:
    assert parse_settings({"url": url, "model": "m"}, "settings", ChatSettings).url == url


@pytest.mark.parametrize(
    ("key", "text", "expected"),
    [
        (KEY, f"my {KEY}!", "my [key]!"),
        # What people set for a server that asks for no key is a word.
        ("test", "getestet", "getestet"),
        ("1", "11 apples", "11 apples"),
        ("", "text", "text"),
    ],
)
def test_only_a_key_is_blotted_out(key: str, text: str, expected: str) -> None:
    assert blot_out(text, key) == expected


@pytest.mark.parametrize(
    "value",
    [f"Mon, 01 Jan 2024 00:00:00 +{'9' * 20}", "Mon, 01 Jan 2024 00:00:00 +9999", "Fri, 31 Dec 9999 23:59:59 -2359"],
)
def test_a_date_that_is_none(value: str) -> None:
    assert read_retry_after(value) in (None, 600.0)
