"""What each column of a row holds, in words: for the card's table and for Croissant."""

from collections.abc import Mapping

__all__ = ["COLUMNS", "REVIEW", "SCORE_PARTS"]

#: Every column of `mcot.core.rows.SCHEMA`, in its order.
COLUMNS: Mapping[str, str] = {
    "id": "the problem's id and the language, the same in every round",
    "problem_id": "of the English problem: its rows in all languages have it in common",
    "source": "where the English problem came from",
    "license": "of that source",
    "language": "ISO 639-1",
    "source_question": "the problem in English",
    "source_rationale": "its solution in English, step by step",
    "answer": "the gold final answer, a decimal number or a fraction",
    "question": "the problem in the row's language",
    "rationale": "the solution in the row's language",
    "translator": "model, revision and signature of its settings; null for English",
    "back_question": "the question translated back into English; null if it was not",
    "back_rationale": "the solution translated back into English; null if it was not",
    "scores": "every check's score, higher is better; null where a check does not apply",
    "decision": "keep, review or drop",
    "reasons": "every check that failed, such as numbers.changed; may stand in kept rows that people accepted",
    "details": "beside each reason what was seen: the number, the words",
    "review": "what people said; null where nobody was asked",
    "round": "the curation round that made this version of the row",
}

#: The fields of `review`.
REVIEW: Mapping[str, str] = {
    "verdict": "accept, fix or reject",
    "reviewers": "under pseudonyms",
    "error_types": "what was wrong with it",
    "agreement": "the share of its annotators that said what was resolved",
    "round": "the review round",
}

#: The last part of a score's name: the text that it is of, or what is counted.
SCORE_PARTS: Mapping[str, str] = {
    "question": "of the question",
    "rationale": "of the solution",
    "ended": "of both texts' sentences",
    "spans": "of both texts' formulas",
}
