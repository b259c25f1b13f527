"""Numbers as values, in any of the eleven languages: ``read_numbers("drei Dutzend", "de")`` is ``[36]``."""

from mcot.core.numbers.number import Number
from mcot.core.numbers.reader import read_numbers

__all__ = ["Number", "read_numbers"]
