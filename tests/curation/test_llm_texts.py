"""What an LLM is told, and what is read out of its answers."""

import json

import pytest

from curation.stages import make_checks
from curation.translation.llm.answers import find_fault, read_answer
from curation.translation.llm.judge import Judge, Outcome
from curation.translation.llm.prompts import make_prompt
from mcot.core.chat_store import Reply
from mcot.core.languages import ENGLISH, TARGETS, Language
from mcot.core.rows import source_row
from tests.curation.llm_runs import CURATION

SOURCE = {"question": r"What is $\frac{1}{2} \times 4$?", "solution": "It is 2."}
WANTED = {"question": r"Je, $\frac{1}{2} \times 4$ ni nini?", "solution": "Ni 2."}
ESCAPED = json.dumps(WANTED)
# As models write LaTeX into JSON: "\f" and "\t" are JSON's own escapes.
RAW = ESCAPED.replace("\\\\", "\\")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (ESCAPED, WANTED),
        (RAW, WANTED),
        (f"```json\n{ESCAPED}\n```", WANTED),
        (f"Sure! {ESCAPED} I hope that this helps.", WANTED),
        (f"<think>{{so}}</think>\n\n{ESCAPED}", WANTED),
        (json.dumps({**WANTED, "note": "literal"}), WANTED),
        ('{"question": "Ana ana\n3?", "solution": "3."}', {"question": "Ana ana\n3?", "solution": "3."}),
        (r'{"question": "\(3 \leq 4\)", "solution": "3."}', {"question": r"\(3 \leq 4\)", "solution": "3."}),
        (r'{"question": "\underline{3}", "solution": "3."}', {"question": r"\underline{3}", "solution": "3."}),
        (r'{"question": "\u0033", "solution": "\ud800"}', {"question": "3", "solution": "?"}),
        ("Ana ana 3.", None),
        ("", None),
        (None, None),
        (ESCAPED[:30], None),
        ('{"question": "Ana ana 3?"}', None),
        ('{"question": "Ana ana 3?", "solution": ""}', None),
        ('{"question": "Ana ana 3?", "solution": 3}', None),
        # Of several, the last: a model may repeat what it was given.
        (f"[{json.dumps(SOURCE)}, {ESCAPED}]", WANTED),
        (f"{json.dumps(SOURCE)}\n\n{ESCAPED}", WANTED),
        (json.dumps({"translation": WANTED}), WANTED),
        (f"```json\n{ESCAPED}\n```\nNote: the {{}} of the source are gone.", WANTED),
        # The prompt's template has opened the thought.
        (f"Let me see {{what}} it says.</think>\n{ESCAPED}", WANTED),
        (f"<thinking>{ESCAPED[:40]}</thinking>{RAW}", WANTED),
        ("{" * 100_000, None),
        ("[" * 100_000, None),
    ],
)
def test_read_answer(text: str | None, expected: dict[str, str] | None) -> None:
    assert read_answer(Reply(text), SOURCE) == expected


def test_a_line_break_before_letters_of_a_command_stays() -> None:
    source = {"question": r"Is $a \neq b$?"}
    text = r'{"question": "Je, $a \neq b$?\nequal"}'
    assert read_answer(Reply(text), source) == {"question": "Je, $a \\neq b$?\nequal"}


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (Reply(None, "stop", "I can't."), 'refused: "I can\'t."'),
        (Reply(None, "content_filter"), "refused"),
        (Reply('{"question": "Ana', "length"), "cut off: it reached the limit of its tokens"),
        (Reply("Ana  ana\n3."), 'no JSON object with the texts: "Ana ana 3."'),
        (Reply("x" * 200), f'no JSON object with the texts: "{"x" * 79}\u2026"'),
        (Reply(" "), "an empty answer"),
    ],
)
def test_find_fault(reply: Reply, expected: str) -> None:
    assert find_fault(reply) == expected


@pytest.mark.parametrize("language", TARGETS, ids=lambda language: language.code)
def test_prompts(language: Language) -> None:
    prompt = make_prompt(ENGLISH, language)
    system, *examples, asked = prompt.ask({"question": "Ana has 3."})
    assert f"into {language.name} ({language.native_name})" in system["content"]
    assert language.answer_phrase.replace("{answer}", "24") in system["content"]
    # A glossary of both kinds of words, none of them empty.
    words = dict(line.split(": ", 1) for line in system["content"].replace("; ", "\n").split("\n") if ": " in line)
    assert {"remainder", "percent", "average", "rate", "area", "fraction", "mile", "dozen"} <= words.keys()
    assert asked["content"] == '{"question": "Ana has 3."}'
    assert [message["role"] for message in examples] == ["user", "assistant"] * 2
    back = make_prompt(language, ENGLISH)
    assert [one["content"] for one in back.ask({"question": "?"})[1:5]] == [
        examples[place]["content"] for place in (1, 0, 3, 2)
    ]
    assert prompt.signature != back.signature


@pytest.fixture(scope="module")
def judge() -> Judge:
    made = Judge(make_checks(CURATION))
    made.open()
    return made


@pytest.mark.parametrize("language", TARGETS, ids=lambda language: language.code)
def test_the_worked_examples_pass_every_check(judge: Judge, language: Language) -> None:
    _, *examples, _ = make_prompt(ENGLISH, language).ask({"question": "?"})
    for given, wanted in zip(examples[::2], examples[1::2], strict=True):
        source, text = json.loads(given["content"]), json.loads(wanted["content"])
        answer = source["solution"].split()[-1].rstrip(".")
        problem = source_row(
            problem_id="p", source="s", license="MIT", question=source["question"], rationale=source["solution"],
            answer=answer,
        )  # fmt: skip
        assert judge.judge(Outcome(text).to_row(problem, language, "t"), language) == ((0, 0), [])


def test_glossaries_have_the_same_words() -> None:
    told = [make_prompt(ENGLISH, language).ask({"question": "?"})[0]["content"] for language in TARGETS]
    keys = [
        [piece.split(": ")[0] for line in text.split("\n") if line.startswith(("addition: ", "dollar: "))
         for piece in line.split("; ")]
        for text in told
    ]  # fmt: skip
    assert len(keys[0]) == 81
    assert all(one == keys[0] for one in keys)
