"""Texts are taken apart and put together again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.translation.segments import assemble, split
from mcot.core.answers import final_answer
from mcot.core.languages import ENGLISH, LANGUAGES

CASES = [
    ("Ana has 5 apples. Ben buys 3.", "en", "sw", "«Ana has 5 apples.» «Ben buys 3.»"),
    ("Ana has 5 apples. Ben buys 3.", "en", "th", "«Ana has 5 apples.»  «Ben buys 3.»"),
    ("Ana has 5 apples. Ben buys 3.", "en", "ja", "«Ana has 5 apples.»«Ben buys 3.»"),
    ("Dr. Ana has 3.5 apples.", "en", "sw", "«Dr. Ana has 3.5 apples.»"),
    ("One.\n\n3 + 4 = 7\n  Two. ", "en", "bn", "«One.»\n\n3 + 4 = 7\n  «Two.» "),
    ("- First.\n2. Second.\n", "en", "de", "- «First.»\n2. «Second.»\n"),
    ("Code:\n```\nx = 1. y\n```\nDone.", "en", "fr", "«Code:»\n```\nx = 1. y\n```\n«Done.»"),
    ("So it is 72.\nThe answer is 72.", "en", "sw", "«So it is 72.»\nJibu ni 72."),
    ("The answer is: $1,234.50.", "en", "zh", "答案是 $1,234.50。"),
    ("リンゴは3個です。何個？\n答えは72です。", "ja", "en", "«リンゴは3個です。» «何個？»\nThe answer is 72."),
    ("อานามี 5 ผล  อานาซื้อ 3 ผล\nคำตอบคือ 72", "th", "en", "«อานามี 5 ผล» «อานาซื้อ 3 ผล»\nThe answer is 72."),
    ("উত্তর হল ৭২।", "bn", "en", "The answer is 72."),
    # Where a comma marks decimals, a point would group digits.
    ("The answer is 1.125.", "en", "de", "Die Antwort ist 1,125."),
    ("The answer is $1,200.50.", "en", "es", "La respuesta es $1200,50."),
    ("Die Antwort ist 1,125.", "de", "en", "The answer is 1.125."),
    # Two equations that touched would make a number of their own.
    ("2 + 2 = 4. 3 + 3 = 6.", "en", "zh", "2 + 2 = 4. 3 + 3 = 6."),
    # sentencex by itself panics at a no-break space here.
    ("Plan A\u00a0. costs $5. How much?", "en", "sw", "«Plan A\u00a0. costs $5.» «How much?»"),
    ("", "en", "sw", ""),
    (" \n ", "en", "sw", " \n "),
]


@pytest.mark.parametrize(("text", "source", "target", "expected"), CASES)
def test_split_and_assemble(text: str, source: str, target: str, expected: str) -> None:
    segments = split(text, LANGUAGES[source])
    assert assemble(segments, LANGUAGES[target], lambda sentence: f"«{sentence}»") == expected


@given(st.text(st.sampled_from("abAB. 3+=?。\n  -*$।\\`\u00a0\u3000é"), max_size=60), st.sampled_from(list(LANGUAGES)))
def test_segments_are_the_text(text: str, code: str) -> None:
    assert "".join(segment.text for segment in split(text, LANGUAGES[code])) == text


@pytest.mark.parametrize("answer", ["72", "0.5", "1.125", "-3", "1/2", "1200", "12.5%"])
@pytest.mark.parametrize("code", list(LANGUAGES))
def test_every_answer_is_stated_and_read_back(code: str, answer: str) -> None:
    language = LANGUAGES[code]
    stated = assemble(split(f"The answer is {answer}.", ENGLISH), language, str)
    assert final_answer(stated, code) == answer.removesuffix("%")
    (segment,) = split(stated, language)
    assert segment.answer == answer
