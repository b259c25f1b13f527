"""What stands around a number: other values that it may have there, and whether it surely is one."""

import re
from fractions import Fraction

from mcot.core.numbers.ideographs import is_numeral

__all__ = ["Part", "consider_context"]

_PERCENT = re.compile(r"[ \xa0]?(?:%|٪|percent\b|per cent\b|prozent\b)")
_RANGE = r"(?:[ ]?(?:-|–|~|to|bis|à|a|до|по|から|到|至|ถึง)[ ]?[0-9]{1,2}(?::[0-9]{2})?)?"
_AFTERNOON = re.compile(rf"(?::[0-9]{{2}})?{_RANGE}[ \xa0]?p\.?[ ]?m\b")
_CLOCK = r":[0-9]{2}(?![0-9])"
_HOUR = r"(?:uhr|h\b|heures?\b|час|horas?\b|時|点|น\.|นาฬิกา)"
_HOUR_OF_24 = re.compile(rf"(?:{_CLOCK}|{_RANGE}[ \xa0]?{_HOUR})")
_SWAHILI_HOUR = ("saa ", "saa ya ")
# Two ทุ่ม are 8 PM.
_THAI_EVENING = re.compile(r"[ ]?ทุ่ม")
_OF_AN_HOUR = re.compile(r" of an hour\b")
_LARGEST_ON_CLOCKS = 60
_MONTHS = 12
_HOURS = 12
_FEW = 5
# What English says in words, up to twelve, as "third", "May", "all three": ordinals in digits (3ème, 3.º, 3-й, 3য়,
# 3వ, 3回目), months by number (5月), people counted together (3人で).
_IDEOGRAPHIC = (
    r"[ ]?(?:[^\W\d_]{1,2}|[かヶカ]月)目(?![的標])|[ ]?人(?:で|とも|合計|が合計|の合計|合わせ|共)"
    r"|[ ]?番(?![組号])|[ ]?位(?![于])|[ ]?月(?![間])"
)
_ORDINALS = {
    language: re.compile(pattern)
    for language, pattern in {
        "fr": r"(?:er|re|e|è?me|ère|nde?)(?![a-zà-ÿ])",
        "es": r"(?:[.]?[ºª]|er|ra|ro|do|da|to|ta)(?![a-zà-ÿ])",
        "ru": r"-?(?:й|я|е|го|му|ю|ая|ый|ой)(?![а-яё])",
        "bn": r"(?:ম|য়|\u09df|র্থ|ষ্ঠ)(?![\u0980-\u09ff])",
        "te": r"[ ]?(?:వ|వది|వదానికి|వదాని|వసారి|ో)(?![\u0c00-\u0c7f])",
        "ja": _IDEOGRAPHIC,
        "zh": _IDEOGRAPHIC,
    }.items()
}
# "20 cents" are 0.2 of the currency.
_CENTS = re.compile(r"[ \xa0]?(?:cents?\b|¢|céntimos?|centavos?|centimes?|цент|копе|セント|美分|เซน|เซ็น|সেন্ট|సెంట్)")
# What percents and cents begin with, behind a space or none.
_PERCENT_SIGNS, _CENT_LETTERS = frozenset("%٪p"), frozenset("c¢цкセ美เসస")
_SPACES = (" ", "\xa0")
# 旧三倍 may be three times as old or three times older, which is four times as old.
_TIMES_MORE = re.compile(r"(?:[多大旧老重高长長贵快远厚宽深]|增加|增长|提高|上升)[了出]?[ ]?$")
_TIMES = re.compile(r"[ ]?倍")
# "A4", "CM2" are names; "USD50", "Rs50" and "2X4" are not.
_NAME = re.compile(r"(?<![A-Za-zА-Я])(?!X)[A-ZА-Я]{1,2}$")
_FRACTIONAL_TENTHS = re.compile(r"[ ]?(?:割|成(?![立为員员]))")
_REBATE = re.compile(r"[ ]?折")
_ARTICLES = ("a ", "an ", "one ")
_GRADE = re.compile(r"(?:st|nd|rd|th)[ -]grade")
# Classes of Japan's middle and high schools, which count anew, in years of school: 中学1年 is the seventh.
_SCHOOL_YEAR = re.compile(r"[ ]?年生?")
_SCHOOLS = {"中学": 6, "高校": 9}
# The people who were just named: "AとBの三人は", 、四人が, "A、B和C三人制作"; new ones are 三个人, 有三人, 3人の子供.
_NAMED_TOGETHER = re.compile(r"[ ]?人[はがで]")
_TOGETHER = re.compile(r"[ ]?人(?:とも|全員|一共|一起|共|合|总|總|都|各|平分)")
_KANA = re.compile("[ぁ-ゖ]")
_NEW_PEOPLE = frozenset("有了每需请來来是给")
# A capital letter there begins a sentence, elsewhere a name: "Sally Two".
_SENTENCE_ENDS = frozenset(".!?:;\"“”'(\n-•*")


class Part:
    """A number, or a part of one, as found in the text."""

    __slots__ = ("alternatives", "certain", "definite", "end", "factor", "kind", "ordinal", "pair", "start", "value")

    def __init__(
        self,
        start: int,
        end: int,
        kind: str,
        value: Fraction,
        certain: bool = True,
        alternatives: tuple[Fraction, ...] = (),
        ordinal: bool = False,
        factor: bool = False,
        pair: bool = False,
    ) -> None:
        self.start, self.end, self.kind, self.value = start, end, kind, value
        self.certain, self.alternatives, self.ordinal = certain, alternatives, ordinal
        self.factor, self.pair, self.definite = factor, pair, False


def consider_context(text: str, plain: str, part: Part, language: str) -> None:
    """Add to a number the values that its surroundings allow, or take its certainty away.

    Args:
        text: as written; `plain` is the same in lower case and plain digits, place by place.
    """
    before, after = plain[part.start - 1 : part.start], plain[part.end : part.end + 1]
    if part.kind == "digits":
        if before.isalpha() and _NAME.search(text, max(0, part.start - 4), part.start):
            part.certain = False
        _consider_digits(plain, part, language, before, after)
    elif language == "en" and text[part.start].isupper() and before == " ":
        previous = text[max(0, part.start - 4) : part.start].rstrip(" ")[-1:]
        part.certain = part.certain and (not previous or previous in _SENTENCE_ENDS)
    if language in ("ja", "zh"):
        _consider_ideographs(plain, part, before)
        if language == "zh" and _TIMES_MORE.search(plain, max(0, part.start - 4), part.start):
            _consider_times_more(plain, part)
    elif language == "en":
        _consider_english(plain, part)
    elif language in ("sw", "th"):
        _consider_hours(plain, part, language)


def _consider_times_more(plain: str, part: Part) -> None:
    if plain[part.end - 1] == "倍" or _TIMES.match(plain, part.end):
        part.alternatives = (*part.alternatives, part.value + 1)


def _consider_english(plain: str, part: Part) -> None:
    if part.value.denominator > 1:
        if not part.certain and plain.startswith(" of ", part.end) and not _OF_AN_HOUR.match(plain, part.end):
            # "a third" may be one who comes third, "a quarter" a coin; "a third of them" is neither.
            part.certain = plain.startswith(_ARTICLES, part.start)
            if part.certain:
                part.ordinal, part.alternatives = False, ()
    elif plain.endswith("grade ", 0, part.start) or _GRADE.match(plain, part.end):
        # Schools count their classes differently: grade 5 is CM2 in France.
        part.certain = False


def _consider_digits(plain: str, part: Part, language: str, before: str, after: str) -> None:
    near = plain[part.end + 1 : part.end + 2] if after in _SPACES else after
    if (near in _PERCENT_SIGNS and _PERCENT.match(plain, part.end)) or (
        near in _CENT_LETTERS and _CENTS.match(plain, part.end)
    ):
        part.alternatives = (*part.alternatives, part.value / 100)
    if before in (":", ".") and part.value == 0:
        part.certain = False
    if part.value.denominator > 1 or not 0 < (value := part.value.numerator) <= _LARGEST_ON_CLOCKS:
        return
    if value <= 12 and language in _ORDINALS and _ORDINALS[language].match(plain, part.end):
        part.certain, part.ordinal = False, True
    elif language == "en":
        if value < 12 and after in ": p-t" and _AFTERNOON.match(plain, part.end):
            part.alternatives = (*part.alternatives, part.value + 12)
        elif 12 < value <= 24 and after == ":" and _HOUR_OF_24.match(plain, part.end):
            part.alternatives = (*part.alternatives, part.value - 12)
    elif 12 < value <= 24 and _HOUR_OF_24.match(plain, part.end):
        part.alternatives = (*part.alternatives, part.value - 12)


def _consider_hours(plain: str, part: Part, language: str) -> None:
    """Add the hour of the clock to the hours of days that begin at six."""
    if part.value.denominator > 1 or not 0 < part.value <= _HOURS:
        return
    if language == "th":
        if _THAI_EVENING.match(plain, part.end):
            part.alternatives = (*part.alternatives, part.value + 6, part.value + 18)
    elif plain.endswith(_SWAHILI_HOUR, 0, part.start):
        # The Swahili day begins at six: saa 7 mchana is 1 PM.
        part.alternatives = (*part.alternatives, (part.value + 6 - 1) % _HOURS + 1)


def _are_named(plain: str, part: Part, before: str) -> bool:
    """Whether a number counts people who were named before."""
    end = part.end - plain.endswith("人", 0, part.end)
    if before in ("の", "、", "。") and _NAMED_TOGETHER.match(plain, end):
        return True
    # 三人 in Chinese: people who come anew have a counter, 三个人.
    in_words = is_numeral(plain[part.start : end]) and plain.startswith("人", end)
    is_chinese = in_words and _KANA.search(plain) is None and before not in _NEW_PEOPLE
    return is_chinese or _TOGETHER.match(plain, end) is not None


def _consider_ideographs(plain: str, part: Part, before: str) -> None:
    if plain.startswith("月", part.end) and is_numeral(plain[part.end - 1]) and part.value <= _MONTHS:
        # 五月 is May; five months are 五个月, 五か月.
        part.certain, part.ordinal = False, True
    elif before == "第" or plain[part.start - 2 : part.start] == "第 ":
        part.certain, part.ordinal = False, True
    elif (years := _SCHOOLS.get(plain[part.start - 2 : part.start])) and _SCHOOL_YEAR.match(plain, part.end):
        part.alternatives = (*part.alternatives, part.value + years)
    elif 1 < part.value <= _FEW and _are_named(plain, part, before):
        part.certain, part.definite = False, True
    elif _FRACTIONAL_TENTHS.match(plain, part.end):
        part.alternatives = (*part.alternatives, part.value / 10, part.value * 10)
    elif _REBATE.match(plain, part.end):
        # 七五折 costs 75%, a rebate of 25%.
        share = part.value * 10 if part.value < 10 else part.value
        part.certain = True
        part.value, part.alternatives = 100 - share, (part.value, share, share / 100, 1 - share / 100)
