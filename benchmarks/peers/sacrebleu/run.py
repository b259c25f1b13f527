"""sacreBLEU's sentence chrF++: what one calls where a tool has no chrF of its own.

Runs in this project's own environment, which has it for the tests.
"""

from benchmarks.peers.clock import Given, Part, Work, run_part


def chrf(given: Given) -> Work:
    """One metric object for all rows, which is the fastest way to call it."""
    from sacrebleu import CHRF

    metric = CHRF(word_order=2)
    hypotheses, references = given.texts("back_question"), given.texts("source_question")
    metric.sentence_score("a cat", ["a dog"])
    return lambda: [metric.sentence_score(one, [two]) for one, two in zip(hypotheses, references, strict=True)]


PARTS = {"chrF": Part(chrf, "CHRF(word_order=2).sentence_score: the same scores as ours")}

if __name__ == "__main__":
    run_part(PARTS, ["sacrebleu"])
