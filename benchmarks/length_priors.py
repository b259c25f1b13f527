"""Make the table of `curation.checks.length` from MGSM's parallel questions.

Usage: python benchmarks/length_priors.py FOLDER, with FOLDER/test_{language}.json as MGSM has them. Run it
from the repository root.
"""

import json
import math
import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from curation.checks.length import count_letters
from mcot.core.languages import TARGETS


def _questions(folder: Path, language: str) -> list[str]:
    return [row["question"] for row in json.loads((folder / f"test_{language}.json").read_text("utf-8"))]


def main(folder: Path) -> None:
    """Print the table, and the typical length of a source."""
    sources = [count_letters(text) for text in _questions(folder, "en")]
    for language in TARGETS:
        letters = [count_letters(text) for text in _questions(folder, language.code)]
        ratios = [math.log(target / source) for source, target in zip(sources, letters, strict=True)]
        median = statistics.median(ratios)
        mad = statistics.median(abs(ratio - median) for ratio in ratios)
        print(f'    "{language.code}": LengthPrior({median:.3f}, {mad:.3f}),')
    print(f"TYPICAL_LETTERS = {statistics.median(sources):.0f}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
