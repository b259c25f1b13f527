"""What tests of several modules use."""

from collections.abc import Iterator

import pytest

from tests.curation.llm_server import LlmServer


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[LlmServer]:
    """A planted LLM server, whose clients wait next to nothing before they try again."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr("mcot.core.servers.FIRST_WAIT", 0.01)
    one = LlmServer()
    yield one
    one.close()
