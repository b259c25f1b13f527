"""Counter words and units that count nothing, language by language.

Each pattern is of what no sentence has unless a number was taken out of it; what is rightly said without one
("hourly", "the hours", "a cup each") is kept out by what must stand before it or may not follow.
"""

import re

__all__ = ["HOLES"]

# Japanese. Before what a sentence's noun phrase begins: a mark, or the particle that ends the phrase before.
_JA_BEFORE = r"(?:^|(?<!\d)\s|[、。，．「」『』（）()]|(?<=[はがをにでもへ]))"
# Counters that are no nouns, so never stand alone (本 is a book, 人 people, 日に "a day"); 個数, 枚挙, 匹敵 and
# 冊子 are other words.
_JA_COUNTERS = (
    r"(?:個(?![数人別性室々体展])|枚(?![数挙])|匹(?!敵)|冊(?!子)|杯(?=[のを飲])|回(?=[のずに])|週間(?!予報|単位|[前後]?ごと)"
    r"|[かヶカヵ][月所](?=[のをがはにで、。あご目後]|$)|年生|[人本台羽頭分秒](?=あたり|につき)|[日回週晩](?=につき)"
    r"|(?:ピース|パック|[個枚粒匹冊杯])(?=入[っり])|ドル(?=多|少な|安[いくか]|高[いくか])|セント(?=多|少な|安|高))"
)
# Words of time are nouns as well; as adverbs, before a verb or a comparative, they need their number.
_JA_TIME = (
    r"(?:時間|分間)(?=[長早遅多少短]く|後に|以[内上]|未満|[働走寝眠燃読待休歩泳遊]"
    r"|勉強し|練習し|運転し|過ご|続[いけく]|[$＄]?\d)"
)
# 日間 always follows a number; so do measures that stand as a verb's object beside the one with を.
_JA_DAYS = r"(?:(?<=[、。\sはがをにでものへ])|^)日間(?!賞)"
_JA_MEASURES = (
    r"(?:^|(?<=[をはが、。\s]))(?:カップ|スライス|ポンド|マイル|ガロン|リットル|メートル|グラム|インチ|フィート|lbs|kg|km|cm)"
    r"(?=[食飲与走歩使買多少長短増減]|ハードル)"
)
# A month's number opens the clause; 月、火、水 are days of the week.
_JA_MONTH = r"(?:^|(?<=[。\s]))月(?=、(?![\s]?[火水木金土日])|の(?:初|終|支出|収入|売上))"
_JA_ORDINALS = (
    r"(?:[個人回度年日枚匹本冊台軒件組箱袋着足問曲行段杯階皿]|週間?|時間|番|種類|セット|グループ|ページ|パック)"
    r"目(?![的標指立])"
)
# The counter つ is a suffix, whatever its case; つの is a horn, but not one with a number's company.
_JA_THINGS = r"(?<=[ァ-ヶー、。はがをに\s])つ(?=目(?![的標指立])|あたり|につき|ずつ|の(?![るっりを]))"
# "靴は足20ドル": the price of one.
_JA_PRICED = (
    r"(?<=[がはをに、])(?:[箱袋足枚個本缶着杯切]れ?|スライス|パック|ダース|カートン|ガロン|ポンド|オンス|リットル|セット)"
    r"(?=[$＄]?\d)"
)
# 分間 and 時間半 never stand alone, 午後 has an hour after it.
_JA_TIMES = (
    r"(?<=[がはをに、で])(?:分間(?=[にでと])|時間半|時間に(?=[$＄]?\d)|分(?=[にで]?\d))"
    r"|(?<=から)日(?=まで)"
)
_JA_CLOCK = r"午[前後]\s?時(?=[からにま、])"
# What is counted needs a number in these places, whatever stands before.
_JA_NO_NUMBER = r"(?<![\d一二三四五六七八九十百千万億数何各毎幾両半 ])"
_JA_ANY_ORDINAL = rf"{_JA_NO_NUMBER}(?:番|回|本|冊|個|匹|軒|台|列|件|種類|枚|杯|箱|袋)目(?![的標指立])"
_JA_EACH = rf"{_JA_NO_NUMBER}(?:[枚匹冊台](?=あたり|につき)|[かヶカヵ]月(?=ごと|あたり|後|間))"
_JA_CLAUSES = r"(?:^|(?<=[。、]))(?:回戦|階の|人(?=で合計|で合わせ|は全部|は合計|の平均))"
_JA_OBJECTS = r"(?<=を)(?:[足箱袋枚個匹冊台缶辺本]|ダース)(?=買|見つけ|購入|売|持|使|食べ|飲|もら|あげ)"
# "Another" needs the one of もう一組.
_JA_MORE = (
    r"(?<=もう)(?:\s?[組枚個匹冊台杯箱袋](?=[のがはを、])|つの|分の(?=\d))|わずか\s?(?:ドル|セント|円)"
    r"|(?<=それぞれ)(?:[枚匹冊台](?=の)|週間に)|(?<=いる)[匹羽頭冊枚台]の"
)
# Japanese and Chinese are written without spaces: one before what counts is where a number was.
_JA_GAP = (
    r"(?<=[ぁ-んァ-ヶー一-龠々、])[ ](?:時間|種類|番目|ドル|セント|キロ|メートル|センチ|ミリ|マイル|フィート|インチ"
    r"|ヤード|グラム|ポンド|オンス|トン|リットル|ガロン|カップ|ダース|パック|スライス|カートン"
    r"|ページ|パーセント|エーカー|クォート|[かヶカヵ][月所]"
    r"|[個人枚匹本冊台軒件組箱袋着足問曲杯階皿頭羽点缶円歳才度回倍日週年月時分秒文切つ])"
)
# 3分の1 without its 3, or its 1.
_JA_PARTS = r"分の(?=[0-9０-９一二三四五六七八九])"
_JA_PART = r"(?<=\d)分の[ ]?(?=[をがへ、。の]|オンス|カップ|ポンド|マイル|リットル|ガロン|トン|メートル|ドル)"

_ZH_GAP = (
    r"(?<=[一-龠，、])[ ](?:小时|小時|分钟|分鐘|分之|英里|英尺|英寸|公里|公斤|千克|千米|厘米|毫升|盎司|加仑|夸脱"
    r"|美元|美分|百分点|星期|个月|本书|[天周年](?![天周年一-龠])|[个個只隻支枝把张張件朵块塊颗顆顶位名辆輛岁歲次倍元角]"
    r"|[双對对打盒箱包袋瓶杯碗盘片棵株匹套层層间座艘台份组組页頁题題门門局轮輪群磅吨码枚幅句章篇串束根卷罐桶]"
    r"|[节節圈封首集号號点點万萬亿億米升克秒])"
)

# German compounds with a number in digits: "8-stündig". After "und", "oder" or a comma the hyphen stands for the
# first part of the word before: "Haupt- und -nebenstunden".
_DE_UNITS = (
    "stündig|tägig|wöchig|monatig|jährig|minütig|sekündig|köpfig|teilig|seitig|stöckig|stellig|prozentig|mal|fach"
    "|meter|kilometer|zentimeter|liter|gramm|kilo|cent|dollar|euro|zoll|meilen|stunden|minuten|tage|wochen|zimmer"
)
_DE_ARTICLES = "der|die|das|den|dem|des|im|am|vom|zum|zur|beim|jeder?|jedes|jedem|jeden"
_ES_UNITS = "horas?|minutos?|segundos?|metros?|kil[óo]metros?|litros?|gramos?|millas?|libras?|d[íi]as?|años?|pulgadas?"
_FR_UNITS = "heures?|minutes?|secondes?|jours?|semaines?|mois|ans?|années?"
_RU_SUFFIXES = "(?:го|му|й|я|е|ю|х|м|ти|ми)(?![а-яё])|метров|часов|минут|секунд|летн|дневн|недельн|месячн|процент|кратн"
_BN_UNITS = "মিটার|কিলোমিটার|ঘণ্টা|ঘন্টা|মিনিট|দিনের|সপ্তাহ|মাসের|বছর|লিটার|গ্রাম|পাউন্ড|ইঞ্চি|ফুট|মাইল|পৃষ্ঠা|তলা"
_TE_UNITS = "మీటర్|కిలోమీటర్|గంట|నిమిష|రోజుల|వారాల|నెలల|సంవత్సర|లీటర్|గ్రాము|పౌండ్|అంగుళ|అడుగు|మైళ్|పేజీ|పీస్|డాలర్"
# ชั่วโมงครึ่ง is one and a half hours, วันเดียว a single day: the one comes after, or is understood.
_TH_AFTER = "(?!ละ|ต่อ|ครึ่ง|หนึ่ง|เดียว|กว่า|เศษ|ที่|นี้|นั้น|แรก|สุดท้าย|เต็ม|ๆ|เท่า)"
_TH_TIME = "สัปดาห์|อาทิตย์|ชั่วโมง|นาที|เดือน|ปี"

# The language, signs, and what to look for in a text that has one of the signs (in any text where none are named): most
# texts are passed over by the look for signs alone.
_PATTERNS: list[tuple[str, tuple[str, ...], str]] = [
    ("sw", ("mara zaidi", "umri wa miaka", " saa "),
     # "mara zaidi ya" and "umri wa miaka," have lost what Swahili puts after the noun.
     (r"\bmara(?= zaidi ya\b)|\bumri wa miaka(?=\s*(?:[.,;?]|$))"
     r"|\b(?:hadi|kuanzia|kutoka|kufikia|ifikapo|mnamo) saa(?= (?:asubuhi|mchana|jioni|usiku|alasiri)\b)")),
    ("bn", ("-",), rf"(?:(?<=\s)|^)-\s?(?:{_BN_UNITS})"),
    # Suffixes alone; টি শার্ট is a shirt.
    ("bn", (" টি ", " টির ", " টা ", " খানা "),
     r"(?<=[^\d]\s)(?:টি(?! ?(?:শার্ট|ব্যাগ|স্টল|পট|কাপ|ভি))|টির|টা|খানা)(?=\s)"),
    ("bn", (" গুণ ",),
     r"(?:(?<=থেকে )|(?<=ে\u09af\u09bcে )|(?<=ে\u09dfে )|(?<=া\u09af\u09bc )|(?<=া\u09df ))গুণ(?=\s)"),
    ("te", ("-",), rf"(?:(?<=\s)|^)-\s?(?:{_TE_UNITS})"),
    ("te", ("వ ",), r"(?:(?<=[^\d]\s)|^)వ(?=\s)"),
    ("th", (),
     (rf"เป็น(?:จำนวน|เวลา)\s?(?:{_TH_TIME}|บาท|ดอลลาร์|ปอนด์|เมตร|ไมล์){_TH_AFTER}"
     rf"|(?:อายุ\s?ปี|หนัก\s?(?:ปอนด์|กิโลกรัม)|ราคา\s?(?:ดอลลาร์|บาท)|[สยก](?:ูง|าว|ว้าง)\s?(?:เมตร|นิ้ว|ฟุต)){_TH_AFTER}"
     r"|(?:เวลา|ถึง|ตั้งแต่)\s?น\.")),
    ("ja", (), rf"{_JA_BEFORE}\s?(?:{_JA_COUNTERS}|{_JA_PARTS}|{_JA_TIME})"),
    ("ja", (), _JA_MEASURES),
    ("ja", (), _JA_PRICED),
    ("ja", ("分間", "時間", "分に", "分で", "日まで"), _JA_TIMES),
    ("ja", ("日間",), _JA_DAYS),
    ("ja", ("月、", "月の"), _JA_MONTH),
    ("ja", ("つ目", "つあたり", "つにつき", "つずつ", "つの"), _JA_THINGS),
    ("ja", ("分の",), _JA_PART),
    ("ja", ("目",), rf"{_JA_BEFORE}\s?{_JA_ORDINALS}|{_JA_ANY_ORDINAL}"),
    ("ja", ("あたり", "につき", "ごと", "月後", "月間"), _JA_EACH),
    ("ja", ("もう", "わずか", "それぞれ", "いる"), _JA_MORE),
    ("ja", ("回戦", "階の", "人で合", "人は", "人の平"), _JA_CLAUSES),
    ("ja", ("午後時", "午前時", "午後 ", "午前 "), _JA_CLOCK),
    ("ja", ("を",), _JA_OBJECTS),
    ("ja", (" ",), _JA_GAP),
    ("zh", (),
     # 为期数周 has its number, 在月份牌上 its own word.
     (r"(?:为期|历时|耗时|用时|需时|为时|长达)\s?个?(?:小时|分钟|天|年|周|月|星期)|[在于从到自至]\s?月份(?!牌)"
     r"|(?:早上|上午|中午|下午|晚上|凌晨|傍晚)\s?点(?![心菜餐名了着钟燃亮击])|(?:今年|现在|年龄为)\s?岁(?![月数末初])"
     r"|比\s?(?:块(?!头)|颗|辆|枚|朵|棵)|时速(?:为|是)?\s?(?:英里|公里|千米)|[重高宽]\s?(?:公斤|千克|英尺|英寸|厘米)"
     r"|(?:[，。、；：]|^)\s?(?:点钟|折后)|[比多长高重](?:英寸|英尺|厘米|公斤|千克|盎司)(?![多少高长重])"
     r"|[短低轻矮少](?<!多少)(?<!减少)(?:英寸|英尺|厘米|公斤|千克|盎司|磅|美元|美分|小时|分钟|英里|公里)(?![多少高长重])"
     r"|[要用花]了?(?:小时|分钟|英里|公里)(?=[，。])")),
    ("zh", ("是",), r"是(?<!单位是)(?:盎司|磅|英里|英尺|厘米|公斤|美元|美分|小时|分钟)(?=[，。])"),
    ("zh", ("号",), r"[从到至括含自]\s?号(?![召码称角外令线码])"),
    ("zh", (" ",), _ZH_GAP),
    ("ru", (" -", " ч.", " часов "),
     rf"(?:(?<=[а-яё,] )|^)-(?:{_RU_SUFFIXES})|\b(?:в|к|около|после|с|до) (?:ч\.|часов (?:утра|вечера|дня|ночи))"),
    ("es", (" -", " p. m", " p.m", " pm", " a. m", " a.m", " am"),
     rf"\b(?:a|de|desde|hasta) (?:la|las) [ap]\.?\s?m\b|(?<=\s)-(?:{_ES_UNITS})\b"),
    ("es", ("del al", "el.", "el .", " de.", " de .", " al.", " al ."),
     r"\bdel al\b|(?<=\s)(?:del?|el|al) ?\.(?=\s|$)"),
    ("fr", (" -", "à h ", "pendant ", "durant ", "depuis ", "mis ", "met"),
     # "à heures fixes" and "heure après heure" need none.
     (rf"\b(?:pendant|durant|depuis|mis|met|mettent) (?:{_FR_UNITS})(?= (?:pour|et|de|à|il|elle|ils|elles|chaque)\b"
     rf"|\s?[.,;?!])|(?<=\s)-(?:{_FR_UNITS}|mètres?|litres?|dollars?|euros?)\b|\bà h\b")),
    ("fr", ("du au", " du.", " du .", " au.", " au .", " le.", " le .", " de.", " de .", " à.", " à ."),
     r"\bdu au\b|(?<=\s)(?:du|au|le|de|à) ?\.(?=\s|$)"),
    ("de", (" -", " . ", " Uhr"),
     (rf"(?<![Uu]nd )(?<!oder )(?<!bis )(?<!, )(?<=\s)-(?:{_DE_UNITS})|\b(?:{_DE_ARTICLES}) \.(?=\s)"
     r"|\b(?:von|bis|um|gegen|ab|zwischen) Uhr\b")),
]  # fmt: skip
_CASED = ("de", "es", "fr", "ru")

HOLES: dict[str, list[tuple[tuple[str, ...], re.Pattern[str]]]] = {}
for _language, _signs, _pattern in _PATTERNS:
    _compiled = re.compile(_pattern, re.IGNORECASE if _language in _CASED else 0)
    HOLES.setdefault(_language, []).append((_signs, _compiled))
