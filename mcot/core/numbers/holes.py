"""Places where a number must have stood and none does: a counter word with nothing before it."""

import re

__all__ = ["find_holes"]

# Before what a sentence's noun phrase begins: a mark, or the particle that ends the phrase before.
_BEFORE = r"(?:^|[\s、。，．「」『』（）()]|(?<=[はがをにでもへ]))"
# Japanese counters that are no nouns, so never stand alone (本 is a book, 人 people, 日に "a day"); 個数, 枚挙, 匹敵
# and 冊子 are other words.
_COUNTERS = (
    r"(?:個(?![数人別性室々体展])|枚(?![数挙])|匹(?!敵)|冊(?!子)|杯(?=[のを飲])|回(?=[のず])|週間(?!予報|単位)"
    r"|[かヶカヵ][月所](?=[のをがはにで、。あご目]|$)|年生|[人本台羽頭分秒](?=あたり|につき))"
)
_ORDINALS = r"(?:[個人回度年日枚匹本]|週間|番)目"
# The counter つ is a suffix, whatever its case; つの is a horn, but not one with a number's company.
_THINGS = r"(?<=[ァ-ヶー、。はがをに])つ(?=目|あたり|につき|ずつ|の(?![るっりを]))"
# 3分の1 without its 3.
_PARTS = r"分の(?=[0-9０-９一二三四五六七八九])"
_HOLE = re.compile(rf"{_BEFORE}(?P<counter>{_COUNTERS}|{_ORDINALS}|{_PARTS})|(?P<thing>{_THINGS})")


def find_holes(text: str, language: str) -> list[str]:
    """The counter words of a text that count nothing.

    Only Japanese is looked at: in it a counter follows nearly every number, and the 1 of "1個" has no
    counterpart in the English source whose absence would show that it was lost.
    """
    if language != "ja":
        return []
    return [match["counter"] or match["thing"] for match in _HOLE.finditer(text)]
