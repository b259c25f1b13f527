"""What tests of several modules use."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from annotation.connection import connect
from tests.annotation.argilla_people import SignIn
from tests.annotation.exported_files import write_queue


@pytest.fixture
def closing() -> Iterator[ExitStack]:
    """Closes what a test opened."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def sign_in(closing: ExitStack) -> SignIn:
    def connected(*arguments: Any, **options: Any) -> Any:
        client = connect(*arguments, **options)
        closing.callback(client.http_client.close)
        return client

    return connected


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run with a queue: see `write_queue`."""
    return write_queue(tmp_path)
