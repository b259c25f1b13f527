"""Texts and their translations for tests of the checks, and what a check makes of them."""

import json
from pathlib import Path

from curation.checks.base import Check
from mcot.core.rows import SCORES, from_rows

EGGS = "Ana buys 12 eggs and gives three of them to Tom. How many eggs does she have left?"
TRANSLATIONS = {
    "sw": "Ana ananunua mayai 12 na kumpa Tom matatu kati ya hayo. Amebaki na mayai mangapi?",
    "bn": "আনা ১২টি ডিম কেনে এবং তার মধ্যে তিনটি টমকে দেয়। তার কাছে আর কতগুলি ডিম আছে?",
    "te": "అనా 12 గుడ్లు కొని వాటిలో మూడు టామ్‌కు ఇస్తుంది. ఆమె వద్ద ఇంకా ఎన్ని గుడ్లు ఉన్నాయి?",
    "th": "แอนาซื้อไข่ 12 ฟองและให้ทอมไปสามฟอง  เธอเหลือไข่กี่ฟอง",
    "ja": "アナは卵を12個買い、そのうち3個をトムにあげました。彼女の手元に残っている卵は何個ですか？",
    "zh": "安娜买了12个鸡蛋，给了汤姆其中的三个。她还剩下多少个鸡蛋？",
    "ru": "Анна покупает 12 яиц и отдаёт три из них Тому. Сколько яиц у неё осталось?",
    "es": "Ana compra 12 huevos y le da tres a Tom. ¿Cuántos huevos le quedan?",
    "fr": "Ana achète 12 œufs et en donne trois à Tom. Combien d'œufs lui reste-t-il ?",
    "de": "Ana kauft 12 Eier und gibt Tom drei davon. Wie viele Eier hat sie noch?",
}
Seen = list[tuple[str, str]]


def run(check: Check, language: str, source: str | None, text: str | None) -> tuple[float | None, Seen]:
    """Score a text as question of one row and rationale of another; both must give the same."""
    rows = [
        {"language": language, f"source_{part}": source, part: text, f"back_{part}": text}
        for part in ("question", "rationale")
    ]
    scored = check.score(from_rows(rows))
    fields = [f"{check.name}_{part}" for part in ("question", "rationale")]
    assert set(scored.scores) == set(fields) <= set(SCORES)
    (question, none), (also_none, rationale) = (scored.scores[field] for field in fields)
    assert none is None
    assert also_none is None
    assert question == rationale
    assert [seen.part for seen in scored.observations[0] + scored.observations[1]] == (
        ["question"] * len(scored.observations[0]) + ["rationale"] * len(scored.observations[1])
    )
    return question, [(seen.reason, seen.detail) for seen in scored.observations[0]]


def mgsm_questions(shared_data: Path, language: str) -> list[str]:
    return [row["question"] for row in json.loads((shared_data / "mgsm" / f"test_{language}.json").read_text("utf-8"))]
