"""Problems in files for tests of sources, and how they are read."""

import json
from pathlib import Path
from typing import Any

from curation.sources import read_source
from mcot.core.settings import SourceSettings

GSM8K = {"question": "Ann has 3 pens and buys 4. How many?", "answer": "She has 3 + 4 = <<3+4=7>>7 pens.\n#### 7"}
PLAIN = {"question": "What is 3 + 4?", "rationale": "3 + 4 = 7.", "answer": "7"}


def write_lines(path: Path, *records: object) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records), "utf-8")
    return path


def read(path: Path, limit: int | None = None, **settings: Any) -> list[dict[str, Any]]:
    return list(read_source(SourceSettings(path=str(path), **settings), limit=limit))
