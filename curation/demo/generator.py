"""Parallel math word problems in eleven languages, without end.

A problem is drawn from `problems.yaml` (which sentences, which numbers, which arithmetic) and written in a
language with that language's table of sentences, `texts/<language>.yaml`. The same seed gives the same
problem in every language, so any two languages are parallel sentence by sentence.
"""

import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from babel import Locale
from babel.numbers import format_decimal
from jinja2 import Environment, StrictUndefined, Template

from mcot.core.arithmetic import evaluate, is_true
from mcot.core.languages import get_language

__all__ = [
    "Problem",
    "Quantity",
    "Texts",
    "draw_problem",
    "draw_problems",
    "held_out_words",
    "load_texts",
    "problem_templates",
    "training_words",
]

FOLDER = Path(__file__).parent
# How often numbers are drawn anew until a template's conditions hold.
_DRAWS = 2000


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number of a problem: its value, and how a text shows it if not as a plain number.

    `shown` is an equation or an amount of money, the same in every language; None for a plain number, which
    every language formats its own way.
    """

    value: Fraction
    shown: str | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """A drawn problem, not yet in any language."""

    template: str
    slots: Mapping[str, str]
    quantities: Mapping[str, Quantity]
    question: tuple[tuple[str, ...], ...]
    solution: tuple[tuple[str, ...], ...]
    answer: str


@cache
def problem_templates() -> tuple[dict[str, Any], ...]:
    """The templates of `problems.yaml`."""
    return tuple(yaml.safe_load((FOLDER / "problems.yaml").read_text("utf-8")))


def draw_problem(
    rng: random.Random,
    template: Mapping[str, Any] | None = None,
    *,
    names: tuple[str, ...] | None = None,
    items: tuple[str, ...] | None = None,
) -> Problem:
    """Draw a problem: a template (any, by default), its people and goods, and numbers that fit.

    Args:
        names, items: the keys to draw from; all of the English table's by default.
    """
    english = load_texts("en")
    template = template or rng.choice(problem_templates())
    name, other = rng.sample(names or tuple(english.names), 2)
    item, item2 = rng.sample(items or tuple(english.items), 2)
    slots = {"name": name, "other": other, "item": item, "item2": item2}
    values = _draw_values(rng, template)
    money = set(template.get("money", ()))
    quantities: dict[str, Quantity] = {}
    for key, value in values.items():
        if key in template["steps"]:
            quantities[key] = Quantity(value, _equation(template["steps"][key], key, values, money))
        else:
            quantities[key] = Quantity(value, _amount(key, value, money) if key in money else None)
    lines = {part: tuple(tuple(map(str, line)) for line in template[part]) for part in ("question", "solution")}
    answer = values[template["answer"]]
    return Problem(template["id"], slots, quantities, lines["question"], lines["solution"], _decimal(answer))


def _draw_values(rng: random.Random, template: Mapping[str, Any]) -> dict[str, Fraction]:
    derived = {**template.get("given", {}), **template["steps"]}
    for _ in range(_DRAWS):
        values = {}
        for key, bounds in template["numbers"].items():
            low, high, *step = bounds
            values[key] = Fraction(rng.randrange(low, high + 1, step[0] if step else 1))
        for key, expression in derived.items():
            values[key] = evaluate(expression, values)
        # Fractions of a cent or of an apple, and "1 apples", would be no natural problem.
        whole = all(v.denominator == 1 and v > 1 for v in values.values())
        if whole and all(is_true(condition, values) for condition in template.get("where", ())):
            return values
    raise ValueError(f"template {template['id']}: no numbers meet its conditions")


def _decimal(value: Fraction) -> str:
    return str(value.numerator) if value.denominator == 1 else f"{float(value):g}"


def _amount(key: str, value: Fraction, money: set[str]) -> str:
    return ("$" if key in money else "") + _decimal(value)


def _equation(expression: str, key: str, values: Mapping[str, Fraction], money: set[str]) -> str:
    left = re.sub(r"[a-z]\w*", lambda match: _amount(match[0], values[match[0]], money), expression)
    return f"{left} = {_amount(key, values[key], money)}"


class _Word(str):
    """A name or a good in a text: prints as its basic form, has its other forms as attributes."""

    forms: Mapping[str, Any]

    def __new__(cls, forms: Mapping[str, Any]) -> "_Word":
        word = super().__new__(cls, forms.get("text") or forms.get("other") or forms["one"])
        word.forms = forms
        return word

    def __getattr__(self, form: str) -> Any:
        try:
            return self.forms[form]
        except KeyError:
            raise AttributeError(f"no form {form!r} of {str(self)!r}") from None


class Texts:
    """A language's table of sentences."""

    def __init__(self, language: str, table: Mapping[str, Any]) -> None:
        self.language = get_language(language)
        self.names: dict[str, _Word] = {key: _Word(forms) for key, forms in table["names"].items()}
        self.items: dict[str, _Word] = {key: _Word(forms) for key, forms in table["items"].items()}
        self._plural = Locale.parse(language).plural_form
        environment = Environment(undefined=StrictUndefined, autoescape=False)  # noqa: S701 plain text, no HTML
        environment.filters |= {"of": self._of, "plural": self._choose, "native": self._native}
        environment.finalize = self._show
        count = table["count"]
        counts = count if isinstance(count, dict) else {"default": count}
        self._counts = {case: environment.from_string(text) for case, text in counts.items()}
        self.sentences: dict[str, Template] = {
            key: environment.from_string(text) for key, text in table["sentences"].items()
        }

    def sentence(self, problem: Problem, line: tuple[str, ...]) -> str:
        """One sentence of a problem, e.g. of the line ``("has", "a")``."""
        key, *arguments = line
        quantities = [problem.quantities[argument] for argument in arguments]
        words = {slot: self.names[problem.slots[slot]] for slot in ("name", "other")}
        goods = {slot: self.items[problem.slots[slot]] for slot in ("item", "item2")}
        text = self.sentences[key].render(**dict(zip("xyz", quantities, strict=False)), **words, **goods)
        # French and German begin some sentences with an elided or lower-case form.
        return text[0].upper() + text[1:]

    def question(self, problem: Problem) -> list[str]:
        """The question's sentences."""
        return [self.sentence(problem, line) for line in problem.question]

    def solution(self, problem: Problem) -> list[str]:
        """The solution's sentences, one a step."""
        return [self.sentence(problem, line) for line in problem.solution]

    def _show(self, value: object) -> object:
        return self._number(value) if isinstance(value, Quantity) else value

    def _number(self, quantity: Quantity) -> str:
        if quantity.shown is not None:
            return quantity.shown
        text = format_decimal(_decimal(quantity.value), locale=self.language.code, numbering_system="latn")
        # CLDR groups digits with no-break spaces in French and Russian; NLLB's normaliser makes them plain.
        return re.sub(r"[\u00a0\u202f]", " ", text)

    def _native(self, quantity: Quantity) -> Quantity:
        """The number in the language's own digits; an equation or an amount stays as it is."""
        if quantity.shown is not None:
            return quantity
        zero = ord(self.language.zero)
        digits = {ord("0") + i: chr(zero + i) for i in range(10)}
        return Quantity(quantity.value, self._number(quantity).translate(digits))

    def _category(self, quantity: Quantity) -> str:
        return self._plural(abs(quantity.value.numerator)) if quantity.value.denominator == 1 else "other"

    def _of(self, quantity: Quantity, noun: _Word, case: str = "default") -> str:
        count = self._counts[case]
        return count.render(n=quantity, noun=noun.forms, category=self._category(quantity)).strip()

    def _choose(self, quantity: Quantity, **forms: str) -> str:
        return forms.get(self._category(quantity), forms.get("other", ""))


@cache
def load_texts(language: str) -> Texts:
    """The table of `texts/<language>.yaml`."""
    path = FOLDER / "texts" / f"{language}.yaml"
    return Texts(language, yaml.safe_load(path.read_text("utf-8")))


def _split(words: tuple[str, ...], template: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    shuffled = list(words)
    random.Random(f"held out {template}").shuffle(shuffled)
    fifth = len(shuffled) // 5
    return tuple(shuffled[fifth:]), tuple(shuffled[:fifth])


def training_words(template: str) -> dict[str, tuple[str, ...]]:
    """The people and goods that a template has in training, as `draw_problem` takes them."""
    english = load_texts("en")
    return {"names": _split(tuple(english.names), template)[0], "items": _split(tuple(english.items), template)[0]}


def held_out_words(template: str) -> dict[str, tuple[str, ...]]:
    """The people and goods that a template never has in training."""
    english = load_texts("en")
    return {"names": _split(tuple(english.names), template)[1], "items": _split(tuple(english.items), template)[1]}


def draw_problems(seed: int, count: int) -> Iterator[Problem]:
    """`count` problems, every template in turn."""
    rng = random.Random(seed)
    templates = problem_templates()
    for index in range(count):
        yield draw_problem(rng, templates[index % len(templates)])
