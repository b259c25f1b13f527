"""What tests of several modules use."""

from collections.abc import Iterator

import pytest

from curation.checks.language import LanguageCheck
from tests.curation.llm_server import LlmServer


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[LlmServer]:
    """A planted LLM server, whose clients wait next to nothing before they try again."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr("mcot.core.servers.FIRST_WAIT", 0.01)
    one = LlmServer()
    yield one
    one.close()


@pytest.fixture(scope="module")
def language_check() -> LanguageCheck:
    """The language check with its model loaded."""
    check = LanguageCheck()
    check.open()
    return check
