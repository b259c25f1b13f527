"""Which language a text is in, without knowing which it should be."""

import pytest

from mcot.core.language_id import NO_LANGUAGE, LanguageIdentifier


@pytest.fixture(scope="module")
def identifier() -> LanguageIdentifier:
    opened = LanguageIdentifier()
    opened.open()
    return opened


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("She sells the nine eggs that are left, and so she has 9 * 2 = $18 every day.", "en"),
        ("Anauza mayai tisa yaliyobaki, kwa hivyo anapata 9 * 2 = $18 kila siku. Jibu ni 18.", "sw"),
        ("সে বাকি ডিমগুলো বিক্রি করে। উত্তর হল 18।", "bn"),
        ("ఆమె మిగిలిన గుడ్లను అమ్ముతుంది. సమాధానం 18.", "te"),
        ("เธอขายไข่ที่เหลือ คำตอบคือ 18", "th"),
        ("残りの卵を売ります。答えは18です。", "ja"),
        ("她卖掉剩下的鸡蛋。答案是 18。", "zh"),
        ("Она продаёт оставшиеся яйца. Ответ: 18.", "ru"),
        ("Vende los huevos que le quedan y gana 18 dólares cada día. La respuesta es 18.", "es"),
        ("Elle vend les œufs qui restent et gagne 18 dollars par jour. La réponse est 18.", "fr"),
        ("Sie verkauft die übrigen Eier und verdient 18 Dollar am Tag. Die Antwort ist 18.", "de"),
        ("उसके पास 18 अंडे हैं।", NO_LANGUAGE),
    ],
)
def test_the_likeliest_language(text: str, expected: str, identifier: LanguageIdentifier) -> None:
    (found,) = identifier.probabilities([(text, None, None)])
    assert max(found, key=lambda code: found[code]) == expected
    assert found[expected] > 0.7


def test_numbers_alone_are_in_none(identifier: LanguageIdentifier) -> None:
    assert identifier.probabilities([("16 - 3 - 4 = 9", None, None)]) == [{}]
