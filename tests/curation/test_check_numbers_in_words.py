"""Times of day, parts of hours and dozens that a translation says in other numbers than its source."""

import pytest

from curation.checks.numbers import compare_numbers

HALF_PAST = "He gets up at 7:30 a.m. and leaves at 8."
IN_WORDS = "He gets up at half past seven and leaves at a quarter to nine."
QUARTER_PAST = "He gets up at 7:15 and leaves at 9."
QUARTER_TO = "He gets up at 7:45 and leaves at 9."
TO_NOON = "He works from 8 am to 12 pm."
AT_NOON = "He works from 8 am to noon, then finds 2 dimes."
MINUTES = "He ran 30 minutes and then half of the 8 miles."
HALF_AN_HOUR = "He ran half an hour and then half of the 8 miles."
MONTHS = "They saved for 6 months, then for 90 minutes they talked."
AT_FOUR = "By 16:00 2/3 of the 12 had voted."
DOZENS = "She gives away 1.5 dozen red and 2.5 dozen blue ones."

SAME = [
    (HALF_PAST, "es", "Se levanta a las siete y media de la mañana y sale a las 8."),
    (HALF_PAST, "fr", "Il se lève à sept heures et demie et part à 8 heures."),
    (HALF_PAST, "de", "Er steht um halb acht auf und geht um 8."),
    (HALF_PAST, "ru", "Он встаёт в половине восьмого и уходит в 8."),
    (HALF_PAST, "ru", "Он встаёт в полвосьмого и уходит в 8."),
    (HALF_PAST, "ja", "彼は朝7時半に起きて8時に出かける。"),
    (HALF_PAST, "zh", "他早上七点半起床，8点出门。"),
    (HALF_PAST, "th", "เขาตื่นตอนเจ็ดโมงครึ่งและออกตอน 8 โมง"),
    (HALF_PAST, "bn", "সে সকাল সাড়ে সাতটায় ওঠে এবং ৮টায় বের হয়।"),
    (HALF_PAST, "te", "అతను ఉదయం ఏడున్నరకు లేచి 8 గంటలకు బయలుదేరుతాడు."),
    (HALF_PAST, "sw", "Anaamka saa moja na nusu asubuhi na kuondoka saa 2 asubuhi."),
    (IN_WORDS, "ru", "Он встаёт в половине восьмого и уходит без четверти девять."),
    (IN_WORDS, "de", "Er steht um halb acht auf und geht um drei viertel neun."),
    (IN_WORDS, "fr", "Il se lève à sept heures et demie et part à neuf heures moins le quart."),
    (IN_WORDS, "zh", "他早上七点半起床，八点三刻出门。"),
    (QUARTER_PAST, "es", "Se levanta a las siete y cuarto y sale a las 9."),
    (QUARTER_PAST, "fr", "Il se lève à sept heures et quart et part à 9 heures."),
    (QUARTER_PAST, "de", "Er steht um Viertel nach sieben auf und geht um 9."),
    (QUARTER_PAST, "ru", "Он встаёт в четверть восьмого и уходит в 9."),
    (QUARTER_PAST, "zh", "他早上七点一刻起床，9点出门。"),
    (QUARTER_PAST, "bn", "সে সকাল সোয়া সাতটায় ওঠে এবং ৯টায় বের হয়।"),
    (QUARTER_PAST, "te", "అతను ఉదయం ఏడుంపావుకు లేచి 9 గంటలకు బయలుదేరుతాడు."),
    (QUARTER_TO, "es", "Se levanta a las ocho menos cuarto y sale a las 9."),
    (QUARTER_TO, "de", "Er steht um Viertel vor acht auf und geht um 9."),
    (QUARTER_TO, "de", "Er steht um drei viertel acht auf und geht um 9."),
    (QUARTER_TO, "ru", "Он встаёт без четверти восемь и уходит в 9."),
    (QUARTER_TO, "bn", "সে সকাল পৌনে আটটায় ওঠে এবং ৯টায় বের হয়।"),
    (QUARTER_TO, "zh", "他早上七点三刻起床，9点出门。"),
    (QUARTER_TO, "sw", "Anaamka saa mbili kasorobo asubuhi na kuondoka saa 3 asubuhi."),
    (QUARTER_TO, "fr", "Il se lève à huit heures moins le quart et part à 9 heures."),
    (TO_NOON, "zh", "他从早上8点工作到中午。"),
    (TO_NOON, "de", "Er arbeitet von 8 Uhr bis mittags."),
    (TO_NOON, "es", "Trabaja de las 8 al mediodía."),
    (TO_NOON, "fr", "Il travaille de 8 h à midi."),
    (TO_NOON, "ru", "Он работает с 8 утра до полудня."),
    (TO_NOON, "th", "เขาทำงานตั้งแต่ 8 โมงถึงเที่ยง"),
    (TO_NOON, "ja", "彼は朝8時から正午まで働く。"),
    (TO_NOON, "sw", "Anafanya kazi kutoka saa 2 asubuhi hadi saa 6 mchana."),
    (AT_NOON, "zh", "他从早上8点工作到中午12点，然后找到两枚10美分硬币。"),
    (AT_NOON, "de", "Er arbeitet von 8 bis 12 Uhr mittags, dann findet er 2 Zehn-Cent-Münzen."),
    (MINUTES, "ja", "彼は半時間走り、それから8マイルの半分を走った。"),
    (MINUTES, "te", "అతను అరగంట పరుగెత్తి, తర్వాత 8 మైళ్ళలో సగం పరుగెత్తాడు."),
    (MINUTES, "fr", "Il a couru une demi-heure, puis la moitié des 8 miles."),
    (HALF_AN_HOUR, "ja", "彼は30分走り、それから8マイルの半分を走った。"),
    (HALF_AN_HOUR, "es", "Corrió 30 minutos y luego la mitad de las 8 millas."),
    (MONTHS, "de", "Sie sparten ein halbes Jahr, dann redeten sie anderthalb Stunden."),
    (MONTHS, "zh", "他们攒了半年钱，然后谈了一个半小时。"),
    (MONTHS, "es", "Ahorraron medio año y luego hablaron hora y media."),
    (AT_FOUR, "es", "A las cuatro de la tarde habían votado 2/3 de los doce."),
    (DOZENS, "es", "Regala docena y media de rojas y dos docenas y media de azules."),
    (DOZENS, "zh", "她送出一打半红的和两打半蓝的。"),
    (DOZENS, "ja", "彼女は赤を1ダース半、青を2ダース半あげる。"),
    (DOZENS, "sw", "Anatoa dazeni moja na nusu nyekundu na dazeni mbili na nusu za bluu."),
]
OTHER = [
    (HALF_PAST, "es", "Se levanta a las seis y media de la mañana y sale a las 8."),
    (IN_WORDS, "ru", "Он встаёт в половине девятого и уходит без четверти девять."),
    (HALF_PAST, "de", "Er steht um halb sieben auf und geht um 8."),
    (HALF_PAST, "ja", "彼は朝6時半に起きて8時に出かける。"),
    (HALF_PAST, "zh", "他早上七点起床，8点出门。"),
    (HALF_PAST, "ru", "Он встаёт в половине девятого и уходит в 8."),
    (TO_NOON, "zh", "他从早上8点工作到下午。"),
    (MINUTES, "ja", "彼は走り、それから8マイルの半分を走った。"),
    (MONTHS, "zh", "他们攒了一年半钱，然后谈了一个半小时。"),
    (DOZENS, "es", "Regala docena y media de rojas y tres docenas y media de azules."),
]


@pytest.mark.parametrize(("source", "language", "translation"), SAME)
def test_times_said_in_other_ways_correspond(source: str, language: str, translation: str) -> None:
    compared = compare_numbers(source, translation, language)
    assert not compared.missing, compared.missing
    assert not compared.added, compared.added


@pytest.mark.parametrize(("source", "language", "translation"), OTHER)
def test_other_times_do_not(source: str, language: str, translation: str) -> None:
    compared = compare_numbers(source, translation, language)
    assert compared.missing or compared.added
