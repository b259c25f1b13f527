"""Can all numbers of two texts correspond at once? What greedy pairing, best pairs first, may leave open."""

from collections.abc import Callable, Sequence

from mcot.core.numbers.number import Number

__all__ = ["can_all_correspond"]

# Comparing all pairs of more numbers than this would take long.
_MANY = 60


def can_all_correspond(
    source: Sequence[Number],
    translation: Sequence[Number],
    is_missed: Callable[[Number], bool],
    is_added: Callable[[Number], bool],
    correspond: Callable[[Number, Number], bool],
) -> bool:
    """Whether there is a pairing in which each number of either side that must have a counterpart has one.

    A half hour may stand for 30 minutes or for a half; which it is, the other numbers tell. If one pairing covers all
    that must be covered of the source and another all of the translation, one covers both (Mendelsohn & Dulmage 1958,
    Canadian Journal of Mathematics 10).

    Args:
        source, translation: all numbers of each.
        is_missed, is_added: whether a number of the source, of the translation must have a counterpart.
        correspond: whether a number of the source and one of the translation may be the same.
    """
    if max(len(source), len(translation)) > _MANY:
        return False
    edges = [[correspond(one, other) for other in translation] for one in source]
    turned = [list(row) for row in zip(*edges, strict=True)]
    return _covers(edges, [place for place, number in enumerate(source) if is_missed(number)]) and _covers(
        turned, [place for place, number in enumerate(translation) if is_added(number)]
    )


def _covers(edges: Sequence[Sequence[bool]], wanted: Sequence[int]) -> bool:
    """Whether each of the wanted can have a counterpart of its own, by augmenting paths (Kuhn 1955)."""
    taken: dict[int, int] = {}

    def place(one: int, tried: set[int]) -> bool:
        for other, joined in enumerate(edges[one]):
            if joined and other not in tried:
                tried.add(other)
                if other not in taken or place(taken[other], tried):
                    taken[other] = one
                    return True
        return False

    return all(place(one, set()) for one in wanted)
