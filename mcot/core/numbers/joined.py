"""What belongs to a number though a unit or a sign stands between: 3 hours and a half, 1 ใน 3, $70k."""

import re
from fractions import Fraction

from mcot.core.numbers.context import Part

__all__ = ["JOINING", "WIDEST_UNIT", "add_article", "join_half", "join_share", "read_scale"]

# The longest unit with what stands around it: " kilomètres et ".
WIDEST_UNIT = 16
_HALF = Fraction(1, 2)
_LARGEST_SHARE = 10

# A unit between a whole and the half that is added to it, and the word for the half there.
_HALVES: dict[str, tuple[re.Pattern[str], re.Pattern[str]]] = {
    language: (re.compile(between), re.compile(half))
    for language, between, half in (
        ("en", r" (?:hours?|minutes?|days?|weeks?|months?|years?|miles?|cups?|dozen) and ", r"a half(?! of\b)"),
        ("fr", (r" (?:heures?|minutes?|jours?|semaines?|mois|ans?|années?|mètres?|kilomètres?|litres?|tasses?|kilos?"
               r"|douzaines?|fois) et "), r"demie?\b"),
        ("es", (r" (?:horas?|minutos?|días?|semanas?|mes(?:es)?|años?|metros?|kilómetros?|litros?|tazas?|kilos?"
               r"|docenas?|veces) y "), r"medi[oa]\b"),
        ("zh", r"[个個天年周倍块斤米杯小时]{1,3}", r"半(?:小时|个小时)?(?![价数场径个])"),
        ("ja", r"(?:時間|[年日個杯倍分枚本]|週間|[かヶカ]月|リットル|メートル|キロ|ダース)", r"半(?![分額数日年])"),
        ("th", r"[ ]?(?:ชั่วโมง|ปี|วัน|เดือน|สัปดาห์|นาที|เท่า|กิโลกรัม|ลิตร|เมตร|ถ้วย|ไมล์|แก้ว)", r"ครึ่ง(?!หนึ่ง|ของ|โหล)"),
    )
}  # fmt: skip
# "a minute and a half": the article is the whole, or the unit alone, as in "hora y media".
_UNITS_AND = {
    "en": (r"\b(?:a|an) (?:{}) and $", "hour|minute|day|week|month|year|mile|cup", "a half"),
    "es": (
        r"\b(?:{}) y $",
        "hora|minuto|día|semana|mes|año|metro|kilómetro|litro|taza|kilo|milla|libra|galón|pie|pulgada|onza|botella|vaso",
        "medi",
    ),
    "th": (
        r"(?:{})[ ]?$",
        "ชั่วโมง|ปี|วัน|เดือน|สัปดาห์|นาที|กิโลกรัม|ลิตร|ไมล์|ปอนด์|แกลลอน|ฟุต|นิ้ว|ถ้วย|แก้ว|ขวด|กล่อง|ชิ้น|ถุง|เอเคอร์",
        "ครึ่ง",
    ),
    "sw": (r"\b(?:{}) na $", "saa|mwaka|mwezi|siku|wiki|kilo|lita|maili", "nusu"),
}
_ONE_AND = {code: (re.compile(one.format(units)), half) for code, (one, units, half) in _UNITS_AND.items()}
_LONGEST_ONE = 16
_OF = {"en": " of ", "es": " de ", "th": "ของ", "sw": " ya "}
_SHARES = {"th": re.compile(r"[ ]?ใน[ ]?")}
#: The languages that anything is said of here.
JOINING = frozenset({*_HALVES, *_SHARES})

_CURRENCY = "$€£¥₹"
_SCALE = re.compile(
    rf"[ \xa0]?(?P<before>[km]|bn)(?=[ ]?[{_CURRENCY}](?![0-9]))"
    r"|(?:(?P<letter>[kmb])|[ \xa0]?(?P<word>bn|mn|mio))(?![^\W_])"
)
_SCALE_LETTERS, _SPACES = ("k", "m", "b"), (" ", "\xa0")
_SCALES = {"k": 10**3, "m": 10**6, "mn": 10**6, "mio": 10**6, "b": 10**9, "bn": 10**9}


def join_half(plain: str, whole: Part, following: Part, language: str) -> Part | None:
    """A whole and a half with the unit between them; None if they are none."""
    if language not in _HALVES or following.kind != "fraction" or following.value != _HALF:
        return None
    between, half = _HALVES[language]
    if whole.value.denominator != 1 or not between.fullmatch(plain, whole.end, following.start):
        return None
    if not half.match(plain, following.start):
        return None
    return Part(whole.start, following.end, "cardinal", whole.value + _HALF, True, (whole.value,))


def add_article(plain: str, part: Part, language: str) -> None:
    """Make one and a half of the half in "an hour and a half", "hora y media"."""
    if part.value != _HALF or language not in _ONE_AND:
        return
    one, half = _ONE_AND[language]
    if (
        plain.startswith(half, part.start)
        and one.search(plain, max(0, part.start - _LONGEST_ONE), part.start)
        and not plain.startswith(_OF[language], part.end)
    ):
        part.value, part.alternatives, part.certain = part.value + 1, (_HALF, *part.alternatives), True


def join_share(plain: str, first: Part, following: Part, language: str) -> Part | None:
    """So many of so many: 1 ใน 3 is a third; None if they are none."""
    if language not in _SHARES or first.kind != "digits" or following.kind != "digits":
        return None
    if not 0 < first.value < following.value <= _LARGEST_SHARE:
        return None
    if not _SHARES[language].fullmatch(plain, first.end, following.start):
        return None
    return Part(first.start, following.end, "cardinal", first.value / following.value, True, (first.value,))


def read_scale(plain: str, start: int, end: int) -> tuple[int, int] | None:
    """What the letter behind a sum of money multiplies it by, and where it ends; None where there is none."""
    near = plain[end : end + 1]
    if near in _SPACES:
        near = plain[end + 1 : end + 2]
    match = _SCALE.match(plain, end) if near in _SCALE_LETTERS else None
    if match is None:
        return None
    if match["before"]:
        return _SCALES[match["before"]], match.end("before")
    before = plain[max(0, start - 2) : start].rstrip(" \xa0")
    return (_SCALES[match["letter"] or match["word"]], match.end()) if before[-1:] in tuple(_CURRENCY) else None
