"""Contamination: leaks are found in any language and light disguise, other problems aren't."""

import json
from pathlib import Path

import pytest

from curation.contamination import ContaminationCheck, split_words
from mcot.core.benchmarks import make_benchmark
from mcot.core.rows import SCORES, from_rows

STAMPS = {
    "en": "Maria bought 16 stamps at the post office. She bought 3 more truck stamps than snowflake stamps, and Maria "
    "gave 9 of them to her brother. How many stamps does Maria have left?",
    "sw": "Maria alinunua stempu 16 kwenye ofisi ya posta. Alinunua stempu 3 zaidi za lori kuliko za theluji, na Maria "
    "alimpa kaka yake 9. Maria amebaki na stempu ngapi?",
    "bn": "মারিয়া ডাকঘর থেকে 16টি ডাকটিকিট কিনল। সে আরও 3টি ট্রাকের টিকিট কিনল, এবং তার ভাইকে 9টি দিল। তার কাছে কতগুলি টিকিট রইল?",
    "th": "มาเรียซื้อแสตมป์ 16 ดวงที่ไปรษณีย์  เธอซื้อแสตมป์รูปรถบรรทุกเพิ่มอีก 3 ดวง และให้น้องชาย 9 ดวง  เธอเหลือแสตมป์กี่ดวง",
    "ja": "マリアは郵便局で切手を16枚買いました。さらに3枚買い、弟に9枚あげました。残りの切手は何枚ですか？",
    "zh": "玛丽亚在邮局买了16张邮票。她又买了3张卡车邮票，给了弟弟9张。她还剩下多少张邮票？",
}
OTHERS = ["What is 2 + 2?", "A train travels 80 miles in an hour. How far does it travel in 5 hours and a half?"]


@pytest.fixture(scope="module")
def check(tmp_path_factory: pytest.TempPathFactory) -> ContaminationCheck:
    folder = tmp_path_factory.mktemp("mgsm")
    for language, question in STAMPS.items():
        records = [{"question": text, "answer": "10"} for text in (OTHERS[0], question)]
        (folder / f"test_{language}.json").write_text(json.dumps(records), "utf-8")
    check = ContaminationCheck([make_benchmark("mgsm", folder)])
    check.open()
    return check


def run(
    check: ContaminationCheck, language: str, source: str | None, text: str | None
) -> tuple[float | None, list[str]]:
    scored = check.score(from_rows([{"language": language, "source_question": source, "question": text}]))
    ((field, scores),) = scored.scores.items()
    assert field in SCORES
    for seen in scored.observations[0]:
        assert (seen.reason, seen.part) == ("contamination.mgsm", "question")
    return scores[0], [seen.detail for seen in scored.observations[0]]


@pytest.mark.parametrize(
    ("language", "old", "new"),
    [
        ("en", "", ""),
        ("en", "Maria", "Ottilie"),
        ("en", "truck", "lorry"),
        ("en", "16", "１６"),
        ("en", "16", "sixteen"),
        ("en", ",", ""),
        ("en", " ", "  "),
        ("en", "?", "? Answer step by step.\nSolution:"),
        ("sw", "Maria", "Amina"),
        ("sw", "16", "kumi na sita"),
        ("bn", "16", "১৬"),
        ("bn", "মারিয়া", "আনা"),
        ("th", "16", "๑๖"),
        ("th", "  ", ""),
        ("th", "มาเรีย", "แอนนา"),
        ("ja", "16", "１６"),
        ("ja", "マリア", "アナ"),
        ("zh", "。", ""),
        ("zh", "玛丽亚", "安娜"),
    ],
)
def test_a_leak_is_found_in_disguise(check: ContaminationCheck, language: str, old: str, new: str) -> None:
    text = STAMPS[language].replace(old, new) if old else STAMPS[language]
    for variant in (text, text.upper(), f"### {text}"):
        score, details = run(check, language, variant if language == "en" else None, variant)
        assert score is not None
        assert score < 0.5
        assert len(details) == 1
        assert details[0].startswith("MGSM problem 2: the ")


def test_a_leak_in_translation_is_found_by_its_source(check: ContaminationCheck) -> None:
    # No benchmark is in Telugu here, and the Swahili is another translation.
    for language, text in (("te", "మరియా"), ("sw", "Swali tofauti kabisa na lile la asili.")):
        score, details = run(check, language, STAMPS["en"], text)
        assert score == 0.0
        assert details == ["MGSM problem 2: the English source has 100% of it"]


@pytest.mark.parametrize(
    "text",
    [
        *OTHERS[1:],
        STAMPS["en"].replace("16", "40").replace("3", "5").replace("9", "8"),
        STAMPS["en"].replace("16", "sixty").replace("9", "8"),
        "How many stamps does Maria have left?",
        "Maria bought 16 stamps.",
        "2",
        "\ufffd\x00 \U0001f600",
        "How many " * 20_000,
    ],
)
def test_another_problem_is_none(check: ContaminationCheck, text: str) -> None:
    score, _ = run(check, "en", text, text)
    assert score is not None
    assert score >= 0.5


def test_no_text_no_score(check: ContaminationCheck) -> None:
    assert run(check, "sw", None, None) == (None, [])
    assert run(check, "en", "", "") == (None, [])
    assert check.score(from_rows([])).scores == {"contamination_question": []}


def test_rows_stay_apart(check: ContaminationCheck) -> None:
    rows = [{"language": code, "source_question": OTHERS[1], "question": text} for code, text in STAMPS.items()] * 60
    rows += [{"language": "sw", "source_question": OTHERS[1], "question": "Swali."}] * 60
    scores = check.score(from_rows(rows)).scores["contamination_question"]
    # The English row is looked up by its source.
    assert [score == 0.0 for score in scores[:6]] == [False, True, True, True, True, True]
    assert scores == scores[:6] * 60 + [1.0] * 60


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Janet’s ducks lay $1,200.50-worth; don't!", ["janets", "ducks", "lay", "120050", "worth", "dont"]),
        ("১৬টি ডিম।", ["16", "টি", "ডিম"]),
        ("అనా 12 గుడ్లు", ["అనా", "12", "గుడ్లు"]),
        ("卵を１２個、", ["卵", "を", "12", "個"]),
        ("ÉTÉ Straße", ["été", "strasse"]),
        ("", []),
    ],
)
def test_split_words(text: str, words: list[str]) -> None:
    assert split_words(text) == words


def test_real_leaks_and_training_problems(shared_data: Path) -> None:
    mgsm = make_benchmark("mgsm", shared_data / "mgsm")
    check = ContaminationCheck([mgsm, make_benchmark("gsm8k", shared_data / "gsm8k")])
    check.open()
    for language in mgsm.languages:
        rows = [
            {"language": language, "source_question": problem.question if language == "en" else None,
             "question": problem.question.lower()}
            for problem in mgsm.read(language)
        ]  # fmt: skip
        assert max(check.score(from_rows(rows)).scores["contamination_question"], key=lambda s: s or 0.0) == 0.0
    lines = (shared_data / "gsm8k" / "train.jsonl").read_text("utf-8").splitlines()[:2000]
    rows = [{"language": "en", "source_question": json.loads(line)["question"]} for line in lines]
    scores = check.score(from_rows(rows)).scores["contamination_question"]
    assert sum(score is not None and score < 0.5 for score in scores) <= 2
