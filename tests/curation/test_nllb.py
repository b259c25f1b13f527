"""NLLB through transformers, with the embedded model."""

import json
import random
import shutil
from pathlib import Path

import pytest
import torch

from curation.demo.generator import draw_problem, held_out_words, load_texts, problem_templates
from curation.demo.lint_texts import faults
from curation.translation.nllb import DEMO_FOLDER, NllbTranslator
from mcot.core.errors import ModelError
from mcot.core.languages import ENGLISH, LANGUAGES, TARGETS
from mcot.core.settings import TranslatorSettings


@pytest.fixture(scope="module")
def translator() -> NllbTranslator:
    made = NllbTranslator(TranslatorSettings())
    made.open()
    return made


@pytest.mark.parametrize("code", [language.code for language in TARGETS])
def test_tables_of_sentences(code: str) -> None:
    assert list(faults(code, seeds=5)) == []


def test_model_is_small_enough_to_ship() -> None:
    assert (DEMO_FOLDER / "model.safetensors").stat().st_size < 8_000_000


@pytest.mark.parametrize("code", [language.code for language in TARGETS])
def test_held_out_sentences_are_exact_both_ways(translator: NllbTranslator, code: str) -> None:
    """Held out: people and goods that a template never had in training. `benchmarks/` has the full figures."""
    rng, language = random.Random(f"test {code}"), LANGUAGES[code]
    pairs = []
    for template in problem_templates():
        drawn = draw_problem(rng, template, **held_out_words(template["id"]))
        english, texts = load_texts("en"), load_texts(code)
        pairs += [(english.sentence(drawn, line), texts.sentence(drawn, line)) for line in drawn.question]
    pairs = [pair for pair in pairs if "$" not in pair[0]]
    forward = translator.translate([english for english, _ in pairs], ENGLISH, language)
    backward = translator.translate([target for _, target in pairs], language, ENGLISH)
    assert all(hypothesis.ended for hypothesis in forward + backward)
    exact = sum(h.text == target for h, (_, target) in zip(forward, pairs, strict=True)) / len(pairs)
    exact_back = sum(h.text == english for h, (english, _) in zip(backward, pairs, strict=True)) / len(pairs)
    assert exact >= 0.8
    assert exact_back >= 0.8


def test_order_and_batches_do_not_matter(translator: NllbTranslator) -> None:
    sentences = [f"Ana has {number} cups." for number in range(2, 30)] + ["How many cups does Ana have left?"]
    whole = translator.translate(sentences, ENGLISH, LANGUAGES["de"])
    small = NllbTranslator(TranslatorSettings(batch_tokens=64))
    small.open()
    assert small.translate(sentences[::-1], ENGLISH, LANGUAGES["de"])[::-1] == whole
    assert translator.translate([], ENGLISH, LANGUAGES["de"]) == []


def test_a_cut_hypothesis_is_flagged() -> None:
    short = NllbTranslator(TranslatorSettings(max_length=8))
    short.open()
    sentence = "There are 12 rows of chairs in the hall, and Ana has 45 cups."
    assert not short.translate([sentence], ENGLISH, LANGUAGES["ru"])[0].ended


def test_a_source_beyond_the_models_length_is_flagged(translator: NllbTranslator) -> None:
    (hypothesis,) = translator.translate(["Ana has 3 cups. " * 200], ENGLISH, LANGUAGES["sw"])
    assert not hypothesis.ended


def test_out_of_memory_halves_the_batch(translator: NllbTranslator, monkeypatch: pytest.MonkeyPatch) -> None:
    sentences = [f"Ana has {number} cups." for number in range(2, 12)]
    expected = translator.translate(sentences, ENGLISH, LANGUAGES["sw"])
    generate, sizes = translator._model.generate, []

    def limited(**inputs: torch.Tensor) -> object:
        sizes.append(len(inputs["input_ids"]))
        if sizes[-1] > 3:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return generate(**inputs)

    monkeypatch.setattr(translator._model, "generate", limited)
    assert translator.translate(sentences, ENGLISH, LANGUAGES["sw"]) == expected
    assert sizes[0] == 10
    assert sum(size for size in sizes if size <= 3) == 10


def test_beams(translator: NllbTranslator) -> None:
    beams = NllbTranslator(TranslatorSettings(beams=3))
    beams.open()
    assert beams.translate(["Ana has 12 cups."], ENGLISH, LANGUAGES["es"])[0].text == "Ana tiene 12 tazas."
    assert beams.signature != translator.signature


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copy = tmp_path / "model"
    shutil.copytree(DEMO_FOLDER, copy, ignore=shutil.ignore_patterns("training"))
    return copy


def test_a_folder_is_signed_by_its_contents(folder: Path, translator: NllbTranslator) -> None:
    first = NllbTranslator(TranslatorSettings(model=str(folder)))
    assert NllbTranslator(TranslatorSettings(model=f"{folder}/../{folder.name}")).signature == first.signature
    # The same weights as the embedded ones, under a name of their own.
    assert first.name.partition("@")[2] == translator.name.partition("@")[2]
    assert first.name.startswith("model@")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"note": "changed"}))
    assert NllbTranslator(TranslatorSettings(model=str(folder))).signature != first.signature


def test_no_nllb_model(folder: Path, tmp_path: Path) -> None:
    def fails(message: str, model: Path | str) -> None:
        with pytest.raises(ModelError, match=message) as error:
            NllbTranslator(TranslatorSettings(model=str(model))).open()
        assert "\n" not in str(error.value)

    fails("no such folder; give a Hub id", tmp_path / "none")
    fails("no such folder", "nllb")
    fails("could not be had from the Hub", "nobody/no-such-model")
    fails("has no config.json", tmp_path)
    weights = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(weights[: len(weights) // 2])
    fails("can't be loaded as a translation model", folder)
    (folder / "model.safetensors").unlink()
    fails("has no weights", folder)
    (folder / "config.json").write_text('{"model_type": "bert"}')
    fails("is a 'bert' model, not NLLB", folder)
    (folder / "config.json").write_text("[]")
    fails("is no JSON object", folder)
