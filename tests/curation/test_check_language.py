"""The language check: tables of texts and what it makes of them."""

import pickle
from pathlib import Path

import pytest

from curation.checks.language import LanguageCheck
from mcot.core.errors import ModelError
from tests.curation.checked_texts import EGGS, TRANSLATIONS, run


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_a_language_is_itself_and_no_other(language: str, language_check: LanguageCheck) -> None:
    score, seen = run(language_check, language, EGGS, TRANSLATIONS[language])
    assert score is not None
    assert 0.7 <= score <= 1.0
    assert seen == []
    for other in TRANSLATIONS.keys() - {language}:
        score, seen = run(language_check, other, EGGS, TRANSLATIONS[language])
        assert score is not None
        assert score < 0.3, other
        assert [reason for reason, _ in seen] == ["language.wrong"]


@pytest.mark.parametrize(
    ("language", "text", "low", "high", "looks"),
    [
        ("sw", EGGS, 0.0, 0.1, "looks like English ("),
        ("th", EGGS, 0.0, 0.0, "looks like English ("),
        # Names and units of measure left in Latin letters are no English.
        ("zh", "Janet Smith 在 Netflix 上看了 16 集，每集 45 min。她看了多少分钟？", 0.85, 1.0, None),
        ("th", "Janet ขับรถ 60 km ไปหา Tom", 0.8, 1.0, None),
        # Half a text in English is half a text.
        ("te", TRANSLATIONS["te"] + " " + EGGS, 0.3, 0.7, None),
        ("zh", "安娜买了鸡蛋。 how many eggs does she have left after that", 0.1, 0.5, "looks like English"),
        ("ja", TRANSLATIONS["zh"], 0.0, 0.0, "looks like Chinese (1.00)"),
        ("zh", TRANSLATIONS["ja"], 0.0, 0.2, "looks like Japanese"),
        # A short Japanese sentence may be mostly characters; a Chinese one has no kana at all.
        ("ja", "30人の生徒の半分は男子です。", 0.99, 1.0, None),
        ("ja", "合計18個です。", 0.99, 1.0, None),
        # Hindi: of a script that none of the eleven has.
        ("bn", "उसके पास कितने अंडे बचे हैं?", 0.0, 0.0, "looks like a script that none of the languages has (1.00)"),
        # Equations, LaTeX, code and addresses are of no language.
        (
            "bn",
            "৪৮/2 = ২৪ টি ডিম $x_{half} = \\frac{total}{two}$ `print(total)` https://example.org/eggs",
            1.0,
            1.0,
            None,
        ),
    ],
)
def test_language_of_mixed_texts(
    language: str, text: str, low: float, high: float, looks: str | None, language_check: LanguageCheck
) -> None:
    score, seen = run(language_check, language, EGGS, text)
    assert score is not None
    assert low <= score <= high
    if looks is None:
        assert seen == [] or score < 0.5
    else:
        assert [reason for reason, _ in seen] == ["language.wrong"]
        assert seen[0][1].startswith(looks)


@pytest.mark.parametrize("text", [None, "", "48/2 = 24", "<<48/2=24>>24", "$$x = 5$$", "১২ + ৩ = ১৫", "😀 !?"])
def test_a_text_without_letters_has_no_language(text: str | None, language_check: LanguageCheck) -> None:
    assert run(language_check, "fr", EGGS, text) == (None, [])


def test_a_check_is_pickled_before_it_is_opened(language_check: LanguageCheck) -> None:
    check = pickle.loads(pickle.dumps(LanguageCheck()))  # noqa: S301 our own bytes
    check.open()
    text = TRANSLATIONS["sw"]
    assert run(check, "sw", EGGS, text) == run(language_check, "sw", EGGS, text)


def test_a_model_file_is_known_by_its_content(tmp_path: Path) -> None:
    built_in = LanguageCheck()
    copy = tmp_path / "copy.ftz"
    assert built_in._identifier._path is not None
    copy.write_bytes(built_in._identifier._path.read_bytes())
    check = LanguageCheck(str(copy))
    check.open()
    score, _ = run(check, "de", EGGS, TRANSLATIONS["de"])
    assert score is not None
    assert score > 0.9
    assert str(tmp_path) not in check.signature
    content = check.signature.split("|")[2]
    copy.write_bytes(copy.read_bytes() + b"\0")
    assert LanguageCheck(str(copy)).signature.split("|")[2] != content


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("missing.ftz", "not found"),
        ("lid.177.ftz", "not found"),
        ("some/folder/", "not found"),
        ("/missing/model.bin", "not found"),
        ("{folder}", "is a folder"),
        ("{folder}/text.bin", "fastText can't load it"),
        # HF_HUB_OFFLINE: what is not in the cache can't be had.
        ("cis-lmu/no-such-model/model.bin", "not to be had from the Hub"),
    ],
)
def test_a_wrong_model_is_one_line(model: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "text.bin").write_text("this is no model\n")
    with pytest.raises(ModelError) as raised:
        LanguageCheck(model.format(folder=tmp_path)).open()
    text = str(raised.value)
    assert message in text
    assert "valid: lid.176.ftz (built in)" in text
    assert "\n" not in text
