"""The numbers check: source and translation correspond as values."""

import json
import random
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.checks.base import Observation
from curation.checks.numbers import NumbersCheck
from curation.demo.generator import draw_problems, load_texts
from mcot.core.languages import TARGETS
from mcot.core.rows import from_rows

# False rejects among 250 human translations, in percent; what is left is mostly the translators' own slips.
LARGEST_REJECTED = {"ja": 3.3}


def _check(language: str, source: str, translation: str) -> tuple[float | None, list[Observation]]:
    row = {"id": "1", "language": language, "source_question": source, "question": translation}
    scored = NumbersCheck().score(from_rows([row]))
    assert scored.scores["numbers_rationale"] == [None]
    return scored.scores["numbers_question"][0], scored.observations[0]


@pytest.mark.parametrize(
    ("language", "source", "translation"),
    [("fr", "He is half as old.", "Il est deux fois moins âgé."),
     ("ru", "She has half as many as Tom.", "У неё вдвое меньше, чем у Тома."),
     ("ru", "She has 1,234.5 kg and a dozen eggs.", "У неё 1 234,5 кг и 12 яиц."),
     ("ja", "She takes 2/3 of 30 eggs.", "30個の卵の3分の2を取ります。"),
     ("ja", "16 eggs per day", "1日に16個"),
     ("zh", "He pays 50% of $80,000.", "他付了8万美元的一半。"),
     ("zh", "a 30% discount", "打七折"),
     ("de", "from 1 PM to 5:00 PM", "von 13 Uhr bis 17 Uhr"),
     ("sw", "by 5 pm", "kufikia saa 11 jioni"),
     ("es", "One of the two boys ate 3 pies.", "Uno de los niños comió tres tartas."),
     ("th", "two and a half hours", "สองชั่วโมงครึ่ง"),
     ("te", "two thirds of the 12 boys", "12 అబ్బాయిలలో మూడింట రెండువంతులు"),
     ("bn", "16 eggs in three days", "তিন দিনে ১৬টি ডিম"),
     ("fr", "a minute and a half", "1,5 minute"),
     ("fr", "1/4 of the boys", "1 garçon sur 4"),
     ("es", "He ran 400 meters. After the 400 meters he drank.", "Corrió 400 metros. Después bebió."),
     ("zh", "She shared it with her two parents and 3 friends.", "她和爸爸妈妈及3个朋友分享。"),
     ("fr", "the 200 Grade 5 students", "les 200 élèves de CM2"),
     ("th", "5 more clients, and he counts them too", "ลูกค้าอีก 5 คน และนับรวม 5 คนนี้"),
     ("ru", "Sally Thirtytwo is 8", "Салли Тридцать два 8 лет"),
     ("es", "It takes 1 hour.", "Tarda una hora."),
     ("sw", "Two boys have 8.", "Wavulana wawili wana 8, wote wawili wana wangapi?"),
     # The same time, in hours, in minutes, in both.
     ("fr", "It takes an hour and a half.", "Cela prend 1 h 30."), ("fr", "It takes 90 minutes.", "Cela prend 1h30."),
     ("de", "one and a half hours", "1 Std. 30"), ("de", "150 minutes", "2 Stunden und 30 Minuten"),
     ("zh", "an hour and a half", "1小时30分"), ("zh", "2 and a half hours", "2小时30分钟"),
     ("ja", "90 minutes", "1時間30分"), ("ru", "an hour and a half", "1 ч 30 мин"),
     ("es", "1 hour and 30 minutes", "90 minutos"), ("es", "an hour and a half", "1 hora y 30 minutos"),
     ("sw", "It took 90 minutes.", "Ilichukua saa 1 na dakika 30."), ("ru", "an hour and a half", "1 час 30 минут"),
     # An amount, a time in two units.
     ("ja", "$2.50 for the first mile, then $1.20", "最初の1マイルが2ドル50セント、その後は1ドル20セント"),
     ("ja", "$1.75, then 50 cents less", "1ドル75セント、それより50セント少ない"),
     ("zh", "It is $2.50.", "要2美元50美分。"),
     ("sw", "It is $2.50.", "Ni dola mbili na senti hamsini."), ("ru", "It is $2.50.", "Стоит 2 доллара 50 центов."),
     ("es", "It is $2.50.", "Cuesta 2 dólares con 50 centavos."), ("de", "It is $2.50.", "2 Dollar und 50 Cent"),
     ("fr", "It is $2 and 5 cents.", "Cela coûte 2,05 dollars."), ("bn", "It is $2.50.", "দাম ২ ডলার ৫০ সেন্ট।"),
     ("te", "It is $2.50.", "ధర 2 డాలర్లు 50 సెంట్లు."), ("th", "It is $2.50.", "ราคา 2 ดอลลาร์ 50 เซนต์"),
     ("de", "for 18 months", "1 Jahr und 6 Monate lang"), ("ja", "one and a half years", "1年6か月間"),
     # Said once for both, or a count of those who were just named.
     ("zh", "50% men and 50% women", "男女各占50%"), ("de", "5 dogs and 5 cats", "je 5 Hunde und Katzen"),
     ("ja", "Tom, Ann and Bo worked 157 hours.", "TomとAnnとBoの三人は157時間働きました。"),
     ("zh", "Tom, Ann and Bo worked 157 hours.", "汤姆、安和博三人一共工作了157小时。"),
     ("zh", "Tom, Ann and Bo made 9 dishes.", "汤姆、安和博三人做了9个盘子。"),
     ("ja", "If the 6 differ, how many did they all visit?", "6か所が異なるとすると、四人は何か所訪れたか。"),
     ("zh", "What percentage of the 12 hours is it?", "占12小时的百分之几？"),
     ("es", "her 13th pair of shoes", "su decimotercer par de zapatos"),
     ("te", "her 13th pair of shoes", "తన పదమూడో జత బూట్లు"),
     ("te", "5 650 000 cars, 500 000 more", "56,50,000 కార్లు, 5 లక్షలు ఎక్కువ"),
     # Worked out, or counted again.
     ("zh", "2 hours of TV, then reading for half as long", "2 个小时电视，1 小时书"),
     ("ja", "a 4 by 400 meter relay", "1600メートルリレー"), ("de", "$.20 per gallon", "20 Cent pro Gallone"),
     ("ja", "12 months; how much by then?", "12か月間、12か月後には？"),
     ("ja", "One says 80. Another says 20. A third says 25.", "80、20、3番目は25。3人の平均は？"),
     ("fr", "He had 5 four years ago, now 8 more than four years ago.", "Il avait 5 il y a quatre ans, puis 8."),
     # Which way it goes, and by how much.
     ("ru", "half the age of Tom", "вдвое младше Тома"), ("zh", "four times as old", "大三倍"),
     ("zh", "20% off", "打八折"), ("zh", "The price of $5 doubled.", "5美元的价格翻了一番。"),
     ("ru", "a 1 time reward", "однократная премия"), ("de", "a hundred-dollar bill", "ein Hundertdollarschein"),
     ("zh", "5 boxes in May", "五月，5个箱子")],
)  # fmt: skip
def test_corresponding(language: str, source: str, translation: str) -> None:
    assert _check(language, source, translation) == (1.0, [])


@pytest.mark.parametrize(
    ("language", "source", "translation", "score", "reason", "detail"),
    [("de", "12 boys ate 5 pies", "21 Jungen aßen 5 Torten", 0.5, "numbers.changed", "12 -> 21"),
     ("de", "12 boys ate 5 pies", "Jungen aßen 5 Torten", 2 / 3, "numbers.missing", "12 is missing"),
     ("ja", "12 boys ate 5 pies", "12人の男の子が5個、7個食べた", 0.8, "numbers.added", "7 is not in the source"),
     ("ru", "three pies", "четыре пирога", 0.0, "numbers.changed", "three -> четыре"),
     ("es", "1 hour for 5 boys", "2 horas para 5 niños", 0.5, "numbers.changed", "1 -> 2"),
     ("es", "The dozen costs $1.00 and a card", "La docena y una tarjeta", 2 / 3, "numbers.missing", "1.00 is missing"),
     ("de", "three times as many, how many do the three have", "Wie viele haben drei Kinder?", 0.5,
      "numbers.missing", "three is missing"),
     ("fr", "an hour and a half", "1 h 20", 1 / 3, "numbers.changed", "a half -> 20"),
     ("sw", "It took 90 minutes.", "Ilichukua saa 1 na dakika 20.", 1 / 3, "numbers.changed", "90 -> 20"),
     ("zh", "3 times as old", "大五倍", 0.0, "numbers.changed", "3 -> 五倍"),
     ("es", "1/4 of the 8 boys", "5/4 de los 8 niños", 0.5, "numbers.changed", "1/4 -> 5/4"),
     ("de", "2 pairs of shoes, $60 a pair", "Paar Schuhe, das Paar 60 $", 2 / 3, "numbers.missing", "2 is missing"),
     # What is said again does not say what was said first.
     ("de", "He baked 5 pies. The 8 boys ate the five pies.", "Er backte Torten. Die 8 Jungen aßen die 5 Torten.", 0.75,
      "numbers.missing", "5 is missing"),
     ("es", "He ran the 400-meter race in 38 s, she the 400-meter race too.",
      "Él corrió la carrera de 400 metros en 38 s, ella la de metros también.", 0.8,
      "numbers.missing", "400 is missing"),
     ("fr", "from the 3rd to the 8th, the 3rd included", "du 3 au 8, le jour inclus", 0.8,
      "numbers.missing", "3 is missing"),
     # What is referred back to is not said by the reference alone.
     ("de", "Emmy has 14 iPods. She loses 6 of the 14.", "Emmy hat iPods. Sie verliert 6 der 14.", 0.8,
      "numbers.missing", "14 is missing"),
     ("ja", "the first and the second supplier", "6番目と2番目の業者", 0.0,
      "numbers.added", "6 is not in the source"),
     ("ja", "books in March", "6月の本", 0.0, "numbers.added", "6 is not in the source"),
     ("de", "She adds 20 coins. She takes 20 coins.", "Sie legt 20 Münzen hinein und nimmt sie.", 2 / 3,
      "numbers.missing", "20 is missing"),
     ("fr", "two pairs of shoes", "des paires de chaussures", 0.0, "numbers.missing", "two is missing"),
     ("ja", "16 eggs", "16個の卵、個あたり", 2 / 3, "numbers.missing", "個 counts nothing"),
     ("zh", "4 friends, the second and the fourth", "2个朋友，第二个和第四个", 0.0, "numbers.changed", "4 -> 2"),
     ("fr", "the car costs $20,000", "la voiture coûte 200 000 $", 0.0, "numbers.changed", "20,000 -> 200 000"),
     # Twice is no half, whichever way round.
     ("es", "Half of the 40 kids left", "El doble de los 40 niños se fue", 2 / 3, "numbers.missing", "Half is missing"),
     ("zh", "half as many as Tom", "是汤姆的两倍", 0.0, "numbers.changed", "half -> 两倍"),
     ("ru", "twice as many as Tom", "вдвое меньше, чем у Тома", 0.0, "numbers.changed", "twice -> вдвое меньше")],
)  # fmt: skip
def test_not_corresponding(
    language: str, source: str, translation: str, score: float, reason: str, detail: str
) -> None:
    got, observations = _check(language, source, translation)
    assert got == pytest.approx(score)
    assert observations == [Observation(reason, "question", detail)]


@pytest.mark.parametrize("amount", ["2 Dollar und 60 Cent", "3 Dollar und 50 Cent", "2 Dollar, 50 Stück", "2 und 50"])
def test_another_amount_in_two_units(amount: str) -> None:
    score, observations = _check("de", "It is $2.50.", f"Es kostet {amount}.")
    assert score == 0.0
    assert {one.reason for one in observations} == {"numbers.missing", "numbers.added"}


@pytest.mark.parametrize(
    ("language", "source", "translation", "back", "swapped"),
    [("de", "He has 5 cats. She has 8 dogs.", "Er hat 5 Katzen. Sie hat 8 Hunde.", None, None),
     ("de", "He has 5 cats. She has 8 dogs.", "Er hat 8 Katzen. Sie hat 5 Hunde.", None, "5 and 8 changed places"),
     ("ja", "He has 5 cats. She has 8 dogs.", "彼は猫を8匹飼う。彼女は犬を5匹飼う。", None, "5 and 8 changed places"),
     # Within a sentence the clauses may have another order.
     ("fr", "He bought 5 pens for $8.", "Pour 8 $, il a acheté 5 stylos.", None, None),
     ("te", "5 of 8 cats, 3 dogs", "8 5 3", None, None),
     ("fr", "5 pens, 7 cups and 8 cats", "8 stylos, 7 tasses et 5 chats", None, "5 and 8 changed places"),
     ("bn", "5 pens, 7 cups and 8 cats", "8 7 5", None, None),
     # Side by side, but with each other's units or names.
     ("de", "Tom has 5 pens, Anna 8.", "Tom hat 5 Stifte, Anna 8.", None, None),
     ("de", "Tom has 5 pens, Anna 8.", "Tom hat 8 Stifte, Anna 5.", None, "5 and 8 changed places"),
     ("de", "Tom has 5 pens, Anna 8.", "Anna hat 8 Stifte, Tom 5.", None, None),
     ("sw", "5 hours for $30", "saa 30 kwa dola 5", None, "5 and 30 changed places"),
     ("th", "20% of 80 students", "80% ของนักเรียน 20 คน", None, "20 and 80 changed places"),
     ("ja", "8 hours for $5", "5ドルで8時間", None, None),
     ("ja", "5 years older than Jan, who is 30", "30歳のジャンより5つ上", None, None),
     ("bn", "5 pens and 8 cats", "8 5", "8 pens and 5 cats", "5 and 8 changed places"),
     ("bn", "5 pens for 8 dollars", "8 5", "For 8 dollars 5 pens", None)],
)  # fmt: skip
def test_order(language: str, source: str, translation: str, back: str | None, swapped: str | None) -> None:
    row = {"id": "1", "language": language, "source_question": source, "question": translation, "back_question": back}
    scored = NumbersCheck().score(from_rows([row]))
    expected = [Observation("numbers.order", "question", swapped)] if swapped else []
    assert scored.observations[0] == expected
    assert scored.scores["numbers_question"][0] == (0.9 if swapped else 1.0)


def _check_solution(language: str, source: str, translation: str, problem: str) -> list[Observation]:
    row = {"id": "1", "language": language, "source_rationale": source, "rationale": translation}
    return NumbersCheck().score(from_rows([{**row, "source_question": problem}])).observations[0]


def test_a_rationale_says_again_what_is_known() -> None:
    problem = "Riley has 3 fewer pairs than Ellie's 8. Half of them are red."
    source = "Together they have Ellie's 8 + Riley's 5 = 13 pairs."
    known = "艾莉有8双。莱利有5双。一共是8+5=13双，一半是红的。"
    assert _check_solution("zh", source, known, problem) == []
    assert _check_solution("zh", source, known.replace("莱利有5", "莱利有7"), problem) != []
    # Nor does it make up for what is missing.
    assert _check_solution("zh", source, "艾莉有8双，另有3双。一共是8+5=8双。", problem) != []


def test_a_rationale_mentions_a_number_often() -> None:
    """A changed result is found though its value stands in the equation, in the mark and in the text."""
    source = "3 boys have 4 each: 3*4 = <<3*4=12>>12 pies.\n12 - 2 = <<12-2=10>>10 are left.\n#### 10"
    good = "3 Jungen haben je 4: 3*4 = <<3*4=12>>12 Torten.\n12 - 2 = <<12-2=10>>10 bleiben.\n#### 10"
    row = {"id": "1", "language": "de", "source_rationale": source}
    rows = [
        {**row, "rationale": text} for text in (good, good.replace(">>12", ">>13"), good.replace("#### 10", "####"))
    ]
    assert [score == 1 for score in NumbersCheck().score(from_rows(rows)).scores["numbers_rationale"]] == [1, 0, 0]


@given(st.text(max_size=60), st.text(alphabet="0123456789 .,/二三半", max_size=60))
def test_unknown_text_never_raises(source: str, translation: str) -> None:
    for language in ("ja", "fr"):
        score, _ = _check(language, source, translation)
        assert score is None or 0 <= score <= 1


def test_long_text_takes_linear_time() -> None:
    score, _ = _check("de", "12 boys, " * 100_000, "13 Jungen, " * 100_000)
    assert score == 0.0


@pytest.mark.parametrize("language", [language.code for language in TARGETS])
def test_generated_problems_are_kept(language: str) -> None:
    english, texts = load_texts("en"), load_texts(language)
    rows = [
        {"id": str(index), "language": language, "source_question": " ".join(english.question(problem)),
         "question": " ".join(texts.question(problem)), "source_rationale": "\n".join(english.solution(problem)),
         "rationale": "\n".join(texts.solution(problem))}
        for index, problem in enumerate(draw_problems(11, 120))
    ]  # fmt: skip
    scored = NumbersCheck().score(from_rows(rows))
    assert [found for found in scored.observations if found] == []


@pytest.mark.parametrize("language", [language.code for language in TARGETS])
def test_human_translations(language: str, shared_data: Path) -> None:
    """Most are kept; with one number changed, hardly any."""
    rng = random.Random(5)
    kept = changed = found = 0
    english, texts = (mgsm_questions(shared_data, code) for code in ("en", language))
    for source, translation in zip(english, texts, strict=True):
        if _check(language, source, translation)[0] != 1:
            continue
        kept += 1
        # A lone 1 is an article or "per" elsewhere, and "50" after a mark may be cents that don't change.
        places = [match for match in re.finditer(r"(?<![\d.,:/])[1-9]\d*(?![.,:/]?\d)", translation) if match[0] != "1"]
        if places:
            place = rng.choice(places)
            planted = f"{translation[: place.start()]}{int(place[0]) * 7 + 2}{translation[place.end() :]}"
            changed += 1
            found += _check(language, source, planted)[0] != 1
    assert 100 * (1 - kept / len(english)) <= LARGEST_REJECTED.get(language, 1)
    assert found / changed >= 0.98


def mgsm_questions(folder: Path, language: str) -> list[str]:
    return [row["question"] for row in json.loads((folder / "mgsm" / f"test_{language}.json").read_text("utf-8"))]
