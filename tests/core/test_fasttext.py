"""What is read of fastText's classifiers: the library, asked for the same texts, is right."""

from dataclasses import replace
from pathlib import Path

import fasttext
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mcot.core.fasttext_file import END_OF_TEXT, UnreadableModelError, read_fasttext
from mcot.core.fasttext_words import FastTextTexts, FastTextWords
from mcot.core.language_id import LanguageIdentifier
from tests.core.fasttext_models import Shape, write_model

LABELS = [f"__label__{code}" for code in ("en", "sw", "es", "fr", "de", "pt", "ny")]
ASKED = ["__label__sw", "__label__none", "__label__de", "__label__en"]
WORDS = ["jibu", "ni", "straße", "niño", "дом"]
COUNTED = {"ni": 0, "und": 1, "das": 1}
# Letters of one, two, three and four bytes.
_LETTERS = st.text("aeniköß€дก𝒜", min_size=1, max_size=8)
_TEXTS = st.lists(st.lists(st.one_of(st.sampled_from([*WORDS, "und", END_OF_TEXT[1:]]), _LETTERS), max_size=6))
SHAPES = {
    "hierarchical": Shape(),
    "softmax": Shape(loss="softmax"),
    "no n-grams": Shape(minn=0, maxn=0),
    "single letters": Shape(minn=1, maxn=1),
    "long n-grams": Shape(minn=3, maxn=6, bucket=7),
    "no end of text": Shape(end_of_text=False),
    "pruned": Shape(quantised=True, pruned=True, bucket=9, loss="softmax"),
    "quantised": Shape(quantised=True, pruned=True, dim=8),
    "the last part shorter": Shape(quantised=True, dim=7, part=3),
    "norms apart": Shape(quantised=True, norms=True, loss="softmax"),
    "labels quantised too": Shape(quantised=True, quantised_output=True, norms=True),
}


def ask_library(path: Path, texts: list[list[str]]) -> np.ndarray:
    """The probabilities of what is asked, text by text."""
    predict = fasttext.load_model(str(path)).f.predict
    found = [{label: value for value, label in predict(" ".join(words) + "\n", -1, -1.0, "strict")} for words in texts]
    return np.array([[one.get(label, 0.0) for label in ASKED] for one in found]).reshape(-1, len(ASKED))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("models")
    for name, shape in SHAPES.items():
        write_model(made / name, WORDS, LABELS, shape)
    return made


@pytest.mark.parametrize("name", SHAPES)
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(texts=_TEXTS)
def test_probabilities_are_the_librarys(name: str, texts: list[list[str]], folder: Path) -> None:
    words = FastTextWords(folder / name, ASKED, COUNTED)
    lowered = [[word.lower() for word in text] for text in texts]
    # What is known of the words from the first time is the same.
    for _ in range(2):
        found, counts = words.tell(texts)
        expected = ask_library(folder / name, lowered)
        empty = np.array([not text and not SHAPES[name].end_of_text for text in texts], bool)
        np.testing.assert_allclose(found[~empty], expected[~empty], rtol=2e-4, atol=2e-5)
        groups = [[sum(COUNTED.get(word) == group for word in text) for group in (0, 1)] for text in lowered]
        assert counts.tolist() == groups


@pytest.mark.parametrize("name", SHAPES)
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(texts=_TEXTS, size=st.integers(1, 7))
def test_a_text_is_told_alike_whatever_it_is_told_with(
    name: str, texts: list[list[str]], size: int, folder: Path
) -> None:
    texts *= 3
    together, _ = FastTextWords(folder / name, ASKED, COUNTED).tell(texts)
    words = FastTextWords(folder / name, ASKED, COUNTED)
    for start in reversed(range(0, len(texts), size)):
        found, _ = words.tell(texts[start : start + size])
        assert found.tolist() == together[start : start + size].tolist()


@pytest.mark.parametrize("count", [1, 2, 3, 50])
def test_any_number_of_labels(count: int, tmp_path: Path) -> None:
    labels = ["__label__sw", *(f"__label__{number}" for number in range(count - 1))]
    write_model(tmp_path / "model", WORDS, labels, Shape(), seed=count)
    texts = [["jibu", "ni"], ["abc"]]
    found, _ = FastTextWords(tmp_path / "model", ASKED, {}).tell(texts)
    np.testing.assert_allclose(found, ask_library(tmp_path / "model", texts), rtol=2e-4, atol=2e-5)


def test_the_built_in_model_is_told_as_by_the_library() -> None:
    path = LanguageIdentifier()._path
    assert path is not None
    texts = [
        text.split() for text in ("Jibu ni kumi na nane", "la réponse est dix-huit", "Übrig bleiben acht", "no", "")
    ]
    words, library = FastTextWords(path, ASKED, COUNTED), FastTextTexts(path, ASKED, COUNTED)
    assert words.known == library.known
    (found, counts), (expected, expected_counts) = words.tell(texts), library.tell(texts)
    np.testing.assert_allclose(found, expected, rtol=2e-4, atol=2e-5)
    assert counts.tolist() == expected_counts.tolist()


def test_words_are_forgotten_when_they_are_many(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mcot.core.fasttext_words._REMEMBERED_BYTES", 500)
    words = FastTextWords(folder / "hierarchical", ASKED, {})
    texts = [[f"neno{number}"] for number in range(2000)]
    found, _ = words.tell(texts)
    assert len(words._places) < 1000
    np.testing.assert_allclose(found, ask_library(folder / "hierarchical", texts), rtol=2e-4, atol=2e-5)


def test_a_megabyte_without_a_space_is_no_word(folder: Path) -> None:
    found, _ = FastTextWords(folder / "hierarchical", ASKED, {}).tell([["a" * 1_000_000], ["b"] * 500_000])
    assert np.isfinite(found).all()


def test_no_texts_have_no_probabilities(folder: Path) -> None:
    found, counts = FastTextWords(folder / "softmax", ASKED, COUNTED).tell([])
    assert (found.shape, counts.shape) == ((0, len(ASKED)), (0, 2))


def test_word_ngrams_are_the_librarys_own(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    write_model(path, WORDS, LABELS, Shape(word_ngrams=2))
    with pytest.raises(UnreadableModelError, match="by words alone"):
        read_fasttext(path)
    identifier = LanguageIdentifier(str(path))
    identifier.open()
    (row,) = identifier.among_latin([["Jibu", "ni", "saba"]])
    assert row.sum() == pytest.approx(1.0)
    found, counts = FastTextTexts(path, ASKED, COUNTED).tell([["Jibu", "NI"]])
    np.testing.assert_allclose(found, ask_library(path, [["jibu", "ni"]]))
    assert counts.tolist() == [[1.0, 0.0]]


@pytest.mark.parametrize("name", ["hierarchical", "quantised", "pruned"])
def test_a_broken_file_is_no_model(name: str, folder: Path, tmp_path: Path) -> None:
    content = (folder / name).read_bytes()
    path = tmp_path / "model"
    for size in [*range(0, len(content), 97), len(content) - 1]:
        path.write_bytes(content[:size])
        with pytest.raises(UnreadableModelError):
            read_fasttext(path)
    for place in (0, 4, 28, 32, 36, 64, 68, 72):
        path.write_bytes(content[:place] + b"\xff\xff\xff\x7f" + content[place + 4 :])
        with pytest.raises(UnreadableModelError):
            read_fasttext(path)


def test_labels_alone_tell_what_is_known(tmp_path: Path) -> None:
    write_model(tmp_path / "model", [], LABELS[:2], replace(SHAPES["softmax"], end_of_text=False))
    words = FastTextWords(tmp_path / "model", ASKED, {})
    assert words.known == set(LABELS[:2])
    found, _ = words.tell([["x"]])
    assert (found[0] > 0).tolist() == [True, False, False, True]
