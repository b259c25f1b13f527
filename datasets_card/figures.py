"""Numbers as a card says them."""

from dataclasses import dataclass

__all__ = ["Measured", "show_bytes", "show_count", "show_interval", "show_percent"]


@dataclass(frozen=True, slots=True)
class Measured:
    """A figure with the ends of its 95% interval, in the figure's own unit."""

    value: float
    low: float
    high: float

    def times(self, factor: float) -> "Measured":
        """The same in another unit."""
        return Measured(self.value * factor, self.low * factor, self.high * factor)


def show_count(number: int) -> str:
    """`1,485`."""
    return f"{number:,}"


def show_percent(share: float, digits: int = 1) -> str:
    """A share of 1 as `97.3%`; less than all is never written as all, and more than nothing never as nothing."""
    percent, step = 100 * share, 10**-digits
    if share < 1 - 1e-9:
        percent = min(percent, 100 - step)
    if share > 1e-9:
        percent = max(percent, step)
    return f"{percent:.{digits}f}%"


def show_interval(measured: Measured, digits: int = 1) -> str:
    """`97.3 (96.8–97.9)`, or `0.48 (-0.02 to 0.72)`."""
    between = " to " if measured.low < 0 else "–"
    return f"{measured.value:.{digits}f} ({measured.low:.{digits}f}{between}{measured.high:.{digits}f})"


def show_bytes(size: int) -> str:
    """`36 kB`, in powers of ten, as the Hub counts."""
    amount = float(size)
    for unit in ("bytes", "kB", "MB"):
        if amount < 1000:
            digits = 0 if unit == "bytes" or amount >= 10 else 1
            return f"{amount:.{digits}f}\N{NO-BREAK SPACE}{unit}"
        amount /= 1000
    return f"{amount:.1f}\N{NO-BREAK SPACE}GB"
