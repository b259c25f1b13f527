"""Text of the dataset and of people on the card: it stays text."""

import re
import shutil
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from datasets_card.escaping import as_code, as_lines, as_preformatted, as_text, shorten
from tests.datasets_card.card_runs import make_row
from tests.datasets_card.rendered_cards import HOSTILE, LANGUAGES, Published, read_metadata, render


def test_hostile_text_stays_text(publish: Callable[..., Published]) -> None:
    texts = ("source_question", "source_rationale", "question", "rationale", "answer", "source", "license")
    evil = dict.fromkeys(texts, HOSTILE.replace("\ud800", ""))
    _, _, harmless = publish_changed(publish, {})
    _, _, files = publish_changed(publish, {**evil, "translator": "a|b`c`<script>@x"})
    calm, page = render(harmless["README.md"].decode()), render(files["README.md"].decode())
    # The same page but for lines within cells.
    assert [tag for tag in page.tags if tag != "br"] == [tag for tag in calm.tags if tag != "br"]
    shown = [cell for cell in page.texts if "</td></tr></table><script>alert(1)</script>" in cell]
    assert len(shown) >= 3
    for line in HOSTILE.split("\n"):
        words = " ".join(re.sub("[\0\u202e\ud800]", "", line).split())
        assert any(words in " ".join(re.sub("\N{REPLACEMENT CHARACTER}", "", cell).split()) for cell in shown)
    assert read_metadata(files["README.md"])["license"] == "mit"
    # What the Hub's own extensions would read.
    for mark in (b"$$", b"://x.example", b"www.example", b"@somebody", b":smile:", b"\\("):
        assert mark not in files["README.md"]
    assert len(files["README.md"]) < 60_000


def publish_changed(publish: Callable[..., Published], changed: Mapping[str, Any]) -> Published:
    """What is published where every row says something else, in the same place as before."""
    rows = [make_row(number, code, **changed) for code in ("sw", "bn", "ja") for number in (1, 2)]
    published = publish(rows, settings={**LANGUAGES, "include_english": False})
    for folder in (published[0], published[1].folder):
        shutil.rmtree(folder)
    return published


def test_a_huge_text_is_cut(publish: Callable[..., Published]) -> None:
    rows = [make_row(1, "sw", question="neno " * 200_000, source_question="word " * 200_000)]
    _, _, files = publish(rows, settings={"languages": ["sw"]})
    assert len(files["README.md"]) < 40_000
    assert "…</td>" in files["README.md"].decode()


def test_a_hostile_title_and_record_of_the_state_before(publish: Callable[..., Published]) -> None:
    previous = {
        "tag": "</code><script>x</script>|`",
        "license": "<b>",
        "configs": {"sw": {"train": 3}, "bn": {"train": "x"}, "ja": None, "<i>": {"train": 1}},
        "translators": {"sw": ["<script>|", 7]},
        "thresholds": {"sw": {"numbers": [2.0, 1.0], "<b>": [1, 2], "length": "x"}},
        "files": {"data/sw/train-00000-of-00001.parquet": None},
    }
    _, _, files = publish(previous=previous, title="A\n---\nlicense: other\n<script>|")
    text = files["README.md"].decode()
    assert read_metadata(files["README.md"])["license"] == "mit"
    page = render(text)
    assert "script" not in page.tags
    assert "i" not in page.tags
    assert "| Swahili | 3 | 8 | +5 |" in text


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("plain, text. 12.5% (a–b) it's x_y", "plain, text. 12.5% (a–b) it's x_y"),
        ("a|b", "a&#124;b"),
        ("<b>&", "&#60;b&#62;&#38;"),
        ("_a_", "&#95;a&#95;"),
        ("1. x", "&#49;. x"),
        ("1.5", "1.5"),
        ("- x", "&#45; x"),
        ("-1", "-1"),
        ("---", "&#45;--"),
        ("=", "&#61;"),
        ("http://x", "http&#58;//x"),
        ("www.x", "www&#46;x"),
        ("a\n\nb\r\nc", "a b c"),
        ("\0\u202e", "\N{REPLACEMENT CHARACTER}" * 2),
        (7, "7"),
    ],
)
def test_text_on_one_line(value: object, expected: str) -> None:
    assert as_text(value) == expected
    assert as_code(value) == f"<code>{expected}</code>"


def test_text_of_several_lines() -> None:
    assert as_lines("a\n\n<b>\r\nc\u2028d\n") == "a<br>&#60;b&#62;<br>c<br>d"
    assert as_preformatted("a:\n  b: <c>\n\n  d") == "a:\n  b: &#60;c&#62;\n\n  d"
    assert (shorten("abc", 3), shorten("abcd", 3)) == ("abc", "ab…")
