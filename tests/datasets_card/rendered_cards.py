"""Dataset cards for tests, rendered as the Hub does."""

import re
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from huggingface_hub import DatasetCard, DatasetCardData
from markdown_it import MarkdownIt

from datasets_card.card import make_card
from datasets_card.publication import Staged
from tests.datasets_card.card_runs import SETTINGS, make_row, make_run, stage

ROWS = [
    *(make_row(number, code) for code in ("sw", "bn", "ja", "en") for number in range(1, 9)),
    make_row(13, "sw", decision="drop", reasons=["numbers.changed"], details=["12 became 21"]),
    make_row(14, "sw", decision="review", reasons=["language.mixed"], details=["half"]),
]
LANGUAGES = {"languages": ["sw", "bn", "ja"]}
HOSTILE = (
    "---\nlicense: mit\n---\n# Heading\n\n</td></tr></table><script>alert(1)</script>\n```\n~~~\n| a | b |\n|---|---|\n"
    "<!-- <img src=x onerror=alert(1)> ![x](http://x.example/x.png) [y](javascript:alert(1)) **b** _i_ `c` ~~s~~ "
    "$$\\frac{1}{2}$$ \\( x \\) www.example.com https://example.com @somebody :smile: &lt; &#60; \\<b>\n"
    "1. one\n- two\n> three\n===\n***\n{{ 7 * 7 }} {% raw %}\n\n\r\n\u2028\u202e\0\ud800 "
)


class Page(HTMLParser):
    """What a browser would see: tags, and the text of each cell."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag in ("td", "th", "code", "pre", "li", "h1", "p"):
            self.texts.append("")
        elif tag == "br" and self.texts:
            self.texts[-1] += "\n"

    def handle_data(self, data: str) -> None:
        if self.texts:
            self.texts[-1] += data


def render(readme: str) -> Page:
    """The card's Markdown as HTML."""
    text = re.sub(r"\A---\n.*?\n---\n", "", readme, flags=re.DOTALL)
    page = Page()
    page.feed(MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(text))
    return page


def read_metadata(readme: bytes) -> dict[str, Any]:
    """What the Hub's own class reads at a card's head."""
    data = DatasetCard(readme.decode()).data
    assert isinstance(data, DatasetCardData)
    content: dict[str, Any] = data.to_dict()  # type: ignore[no-untyped-call]
    return content


Published = tuple[Path, Staged, dict[str, bytes]]


def publish_rows(
    folder: Path,
    rows: list[dict[str, Any]],
    *,
    previous: Mapping[str, Any] | None = None,
    title: str | None = "Word problems",
    **facts: Any,
) -> Published:
    """A run of some rows, what is staged of it, and its card's files."""
    run = make_run(folder / "run", rows, **{"settings": LANGUAGES, **facts})
    settings = SETTINGS.model_copy(update={"title": title})
    staged = stage(run, folder / "staged", settings)
    return run, staged, make_card(run, staged, settings, previous=previous)
