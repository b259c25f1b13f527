"""NLLB through CTranslate2, with the embedded model."""

import json
import random
import shutil
from collections import Counter
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import torch

from curation.checks.back_translation import chrf_plus_plus
from curation.demo.generator import draw_problem, held_out_words, load_texts, problem_templates
from curation.pipeline import curate
from curation.translation import ctranslate, make_translator
from curation.translation.base import Hypothesis
from curation.translation.conversion import cache_folder
from curation.translation.ctranslate import CTranslateTranslator
from curation.translation.nllb import DEMO_FOLDER, NllbTranslator
from curation.translation.nllb_checkpoint import find_nllb
from mcot.core.errors import MissingExtraError, ModelError
from mcot.core.languages import ENGLISH, LANGUAGES, TARGETS
from mcot.core.settings import CurationSettings, TranslatorSettings
from mcot.demo import write_problems

CUPS = [f"Ana has {number} cups." for number in range(2, 12)]


def make(**more: object) -> CTranslateTranslator:
    return CTranslateTranslator(TranslatorSettings.model_validate({"backend": "ctranslate2", **more}))


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield cache_folder()


@pytest.fixture(scope="module")
def original(cache: Path) -> NllbTranslator:
    made = NllbTranslator(TranslatorSettings())
    made.open()
    return made


@pytest.fixture(scope="module")
def exact(cache: Path) -> CTranslateTranslator:
    made = make(quantization="none")
    made.open()
    return made


@pytest.fixture(scope="module")
def int8(cache: Path) -> CTranslateTranslator:
    made = make()
    made.open()
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copy = tmp_path / "model"
    shutil.copytree(DEMO_FOLDER, copy, ignore=shutil.ignore_patterns("training"))
    return copy


def demo_sentences(code: str) -> list[str]:
    rng, english = random.Random(f"test {code}"), load_texts("en")
    sentences = []
    for template in problem_templates()[::3]:
        drawn = draw_problem(rng, template, **held_out_words(template["id"]))
        sentences += [english.sentence(drawn, line) for line in (*drawn.question, *drawn.solution)]
    return list(dict.fromkeys(sentences))


def test_hypotheses_are_those_of_transformers(
    original: NllbTranslator, exact: CTranslateTranslator, int8: CTranslateTranslator
) -> None:
    """Forward and back, in every language. `benchmarks/ctranslate_speed.py` has the full figures."""
    equal: Counter[str] = Counter()
    total, likeness = 0, []
    for language in TARGETS:
        english = demo_sentences(language.code)
        expected = original.translate(english, ENGLISH, language)
        backward = original.translate([h.text for h in expected], language, ENGLISH)
        total += len(english) * 2
        for name, translator in (("float32", exact), ("int8", int8)):
            got = translator.translate(english, ENGLISH, language)
            back = translator.translate([h.text for h in expected], language, ENGLISH)
            equal[name] += sum(a == b for a, b in zip(got + back, expected + backward, strict=True))
            if name == "int8":
                likeness += chrf_plus_plus([h.text for h in got], [h.text for h in expected])
    assert total > 500
    assert equal["float32"] / total >= 0.999
    assert equal["int8"] / total >= 0.95
    assert sum(likeness) / len(likeness) >= 98


@pytest.mark.parametrize(
    ("settings", "sentences"),
    [
        ({"max_length": 8}, ["There are 12 rows of chairs in the hall, and Ana has 45 cups.", *CUPS]),
        ({"max_length": 12}, CUPS),
        # Beyond what the checkpoint's configuration says of positions, and beyond the longest source.
        ({"max_length": 1024}, ["Ana has 3 cups. " * 200, "Ana has 3 cups. " * 40]),
        ({}, ["", " ", "a", "!!" * 40, "zxqv ☃ wüß 漢字 𓀀", "</s> eng_Latn <unk>"]),
        ({"beams": 3, "batch_tokens": 64}, CUPS),
    ],
)
def test_limits_and_odd_sentences(settings: dict[str, int], sentences: list[str]) -> None:
    original, exact = NllbTranslator(TranslatorSettings.model_validate(settings)), make(quantization="none", **settings)
    original.open()
    exact.open()
    for code in ("ru", "ja"):
        expected = original.translate(sentences, ENGLISH, LANGUAGES[code])
        assert exact.translate(sentences, ENGLISH, LANGUAGES[code]) == expected
    if settings.get("max_length") in (8, 1024):
        assert not expected[0].ended


def test_order_and_batches_do_not_matter(exact: CTranslateTranslator) -> None:
    whole = exact.translate(CUPS, ENGLISH, LANGUAGES["de"])
    small = make(quantization="none", batch_tokens=64)
    small.open()
    told: list[tuple[int, int]] = []
    assert small.translate(CUPS[::-1], ENGLISH, LANGUAGES["de"], lambda *n: told.append(n))[::-1] == whole
    assert told[-1] == (10, 10)
    assert exact.translate([], ENGLISH, LANGUAGES["de"]) == []
    assert whole[0] == Hypothesis("Ana hat 2 Tassen.", ended=True)


@pytest.mark.parametrize("error", [MemoryError("std::bad_alloc"), RuntimeError("CUDA failed with error out of memory")])
def test_out_of_memory_halves_the_batch(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    translator, sizes = make(), []
    translator.open()
    expected = translator.translate(CUPS, ENGLISH, LANGUAGES["sw"])
    engine = translator._engine

    class Limited:
        def translate_batch(self, source: list[list[str]], *rest: object, **named: object) -> object:
            sizes.append(len(source))
            if len(source) > 3:
                raise error
            return engine.translate_batch(source, *rest, **named)

    monkeypatch.setattr(translator, "_engine", Limited())
    assert translator.translate(CUPS, ENGLISH, LANGUAGES["sw"]) == expected
    assert sum(size for size in sizes if size <= 3) == 10
    monkeypatch.setattr(Limited, "translate_batch", lambda *_, **__: (_ for _ in ()).throw(RuntimeError("a bug")))
    with pytest.raises(RuntimeError, match="a bug"):
        translator.translate(CUPS, ENGLISH, LANGUAGES["sw"])


def test_name_and_signature_tell_what_ran(
    original: NllbTranslator, exact: CTranslateTranslator, int8: CTranslateTranslator
) -> None:
    assert (exact._engine.compute_type, int8._engine.compute_type) == ("float32", "int8_float32")
    assert make().name.startswith(f"demo@{find_nllb_revision()} ctranslate2-{metadata.version('ctranslate2')} int8_")
    translators = [original, exact, make(), make(beams=2), make(max_length=100), make(batch_tokens=64)]
    assert len({translator.signature for translator in translators}) == len(translators)
    assert len({translator.name for translator in translators}) == len(translators)
    assert make(quantization="int8").signature == make().signature
    assert isinstance(make_translator(TranslatorSettings()), NllbTranslator)
    assert isinstance(make_translator(TranslatorSettings(backend="ctranslate2")), CTranslateTranslator)


def find_nllb_revision() -> str:
    return find_nllb(TranslatorSettings(), architectures=("m2m_100",), what="NLLB").revision[:12]


def fails(message: str, **more: object) -> str:
    with pytest.raises(ModelError, match=message) as error:
        make(**more).open()
    assert "\n" not in str(error.value)
    return str(error.value)


def test_what_it_cannot_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fails("can't calculate in int8_bfloat16 on this CPU; valid: auto, float32", dtype="bfloat16")
    fails("can't calculate in float16 on this CPU", dtype="float16", quantization="none")
    fails("no such folder", model="nllb")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    fails("CTranslate2 sees no such device here", device="cuda")
    monkeypatch.undo()
    (folder / "model.safetensors").write_bytes(b"\x08")
    fails("can't be loaded as a translation model", model=str(folder))
    (folder / "model.safetensors").unlink()
    fails("has no weights", model=str(folder))
    for architecture in ("nllb-moe", "bert"):
        (folder / "config.json").write_text(json.dumps({"model_type": architecture}))
        fails(f"is a '{architecture}' model, not one that CTranslate2 can run", model=str(folder))

    def not_installed(package: str) -> str:
        raise metadata.PackageNotFoundError(package)

    monkeypatch.setattr("curation.translation.ctranslate.version", not_installed)
    with pytest.raises(MissingExtraError, match=r"pip install 'mcot-math\[ctranslate2\]'"):
        make()


def test_cublas_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctranslate, "_CUBLAS", "libnone.so.12")
    with pytest.raises(ModelError, match=r"needs libnone.so.12, which is not here; pip install nvidia-cublas-cu12"):
        ctranslate._load_cublas()
    monkeypatch.setattr(ctranslate, "_CUBLAS", "libm.so.6")
    ctranslate._load_cublas()


def test_quantization_is_ctranslates() -> None:
    with pytest.raises(ValueError, match="set `backend: ctranslate2`"):
        TranslatorSettings(quantization="int8")


def test_a_run_keeps_as_many_rows(tmp_path: Path) -> None:
    problems = tmp_path / "problems.jsonl"
    write_problems(problems, 12)
    kept = {}
    for backend in ("transformers", "ctranslate2"):
        settings = CurationSettings.model_validate(
            {"name": backend, "output": tmp_path / backend, "languages": ["sw", "ja"], "contamination": {},
             "sources": [{"path": str(problems), "format": "gsm8k", "license": "MIT"}],
             "translator": {"backend": backend}}
        )  # fmt: skip
        run = curate(settings).folder
        rows = [row for path in (run / "dataset").rglob("*.parquet") for row in pq.read_table(path).to_pylist()]
        kept[backend] = len(rows)
        names = {row["translator"] for row in rows if row["language"] != "en"}
        assert [f" {backend}-" in name for name in names] == [backend == "ctranslate2"]
    assert kept["transformers"] >= 30
    assert abs(kept["ctranslate2"] - kept["transformers"]) <= 2
