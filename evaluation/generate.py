"""A model's answers to benchmarks' problems, kept as they come: an interrupted run goes on, a second costs nothing."""

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from evaluation.backends import Backend, make_backend
from evaluation.cache import GenerationStore
from evaluation.problems import ProblemSet
from evaluation.prompts import Prompt, make_prompt
from evaluation.samples import from_samples
from evaluation.settings import ModelSettings
from mcot.core.progress import Progress
from mcot.core.runs import sign

__all__ = ["Answers", "generate"]


class Answers(NamedTuple):
    """What a model answered.

    Attributes:
        samples: one table a benchmark, in the benchmarks' order; by language, then in the problems' order. What
            scoring fills in is null.
        revision: of the model; None where nobody knows.
        generated: how many answers were not there before.
    """

    samples: list[pa.Table]
    revision: str | None
    generated: int


class _Task(NamedTuple):
    """One answer to be had."""

    sample: dict[str, Any]
    prompt: Prompt
    key: str


def generate(
    settings: ModelSettings, sets: Sequence[ProblemSet], file: Path, *, seed: int = 0, backend: Backend | None = None
) -> Answers:
    """Have a model answer every problem that it has not answered before.

    Args:
        settings: the model's.
        sets: the benchmarks.
        file: JSONL of the model's answers, which new ones are added to.
        seed: of sampling; without effect where the answers are greedy.
        backend: the one of the settings by default.

    Raises:
        UserError: the model, the few-shot file or the answers' file is not what it should be.
        StageError: a server could not be reached.
    """
    backend = backend or make_backend(settings)
    store = GenerationStore(file)
    tasks = [list(_make_tasks(settings, backend, one, seed)) for one in sets]
    if settings.sampling.temperature and not backend.apart:
        tasks = [_sign_batches(one, backend) for one in tasks]
    wanted = {task.key for task in chain.from_iterable(tasks)}
    there = sum(key in store for key in wanted)
    if there < len(wanted):
        _answer(settings, backend, store, tasks, seed)
    store.close()
    samples = [
        {**task.sample, "response": store[task.key].text, "ended": store[task.key].ended}
        for task in chain.from_iterable(tasks)
    ]
    table, counts = from_samples(samples), [len(one) for one in tasks]
    tables = [table.slice(sum(counts[:place]), count) for place, count in enumerate(counts)]
    return Answers(tables, backend.revision, len(wanted) - there)


def _make_tasks(settings: ModelSettings, backend: Backend, one: ProblemSet, seed: int) -> Iterator[_Task]:
    sampling = settings.sampling
    drawn: Any = [sampling.temperature, sampling.top_p, seed] if sampling.temperature else "greedy"
    if sampling.temperature is None:
        drawn = "as the server draws"
    for language, problems in one.problems.items():
        for problem in problems:
            prompt = make_prompt(problem.question, language, settings.prompt)
            behaviour = [settings.prompt.style, sampling.max_new_tokens, settings.stop, drawn]
            key = sign("generation", 1, backend.signature, behaviour, prompt.shown)
            sample = {
                "benchmark": one.name,
                "language": language,
                "problem": problem.id,
                "variant": problem.variant,
                "question": problem.question,
                "gold": problem.answer,
                "prompt": prompt.shown,
                "model": settings.title,
                "generation_key": key,
            }
            yield _Task(sample, prompt, key)


def _sign_batches(tasks: Sequence[_Task], backend: Backend) -> list[_Task]:
    """The tasks, with keys that say which others are drawn with them.

    A batch draws from one stream of random numbers, so another `limit` or `batch_size` gives other answers.
    """
    keys: dict[tuple[str, str], str] = {}
    for batch in _batches(tasks, backend):
        drawn = sign("batch", [task.key for task in batch])
        keys |= {(task.sample["language"], task.key): sign("drawn", drawn, task.key) for task in batch}
    signed = []
    for task in tasks:
        key = keys[task.sample["language"], task.key]
        signed.append(_Task({**task.sample, "generation_key": key}, task.prompt, key))
    return signed


def _answer(
    settings: ModelSettings, backend: Backend, store: GenerationStore, tasks: Sequence[Sequence[_Task]], seed: int
) -> None:
    keys = {task.key for task in chain.from_iterable(tasks)}
    done = sum(key in store for key in keys)
    with Progress(settings.title, total=len(keys), done=done, unit="answers") as progress:
        progress.note("loading the model")
        backend.open()
        try:
            for batch in chain.from_iterable(_batches(one, backend) for one in tasks):
                missing = [task for task in batch if task.key not in store]
                if missing:
                    _answer_batch(backend, store, missing if backend.apart else batch, seed, progress)
        finally:
            backend.close()


def _answer_batch(
    backend: Backend, store: GenerationStore, batch: Sequence[_Task], seed: int, progress: Progress
) -> None:
    seeds = [int(sign("seed", seed, task.key)[:8], 16) for task in batch]
    answers = backend.generate([task.prompt for task in batch], seeds, progress.say)
    note = "{benchmark} {language}".format_map(batch[0].sample)
    if backend.apart:
        for place, generation in answers:
            store.add({batch[place].key: generation})
            progress.advance(note=note)
        return
    before = len(store)
    store.add({batch[place].key: generation for place, generation in answers})
    progress.advance(len(store) - before, note)


def _batches(tasks: Sequence[_Task], backend: Backend) -> Iterator[list[_Task]]:
    """Prompts of one language and like length, the longest first: what does not fit fails at once.

    They are made of all tasks, done or not, so that they are the same ones after an interruption, and language by
    language, so that a further language changes none.
    """
    languages = dict.fromkeys(task.sample["language"] for task in tasks)
    for language in languages:
        own = {task.key: task for task in tasks if task.sample["language"] == language}
        ordered = sorted(own.values(), key=lambda task: (-len(task.prompt.shown), task.prompt.shown))
        for start in range(0, len(ordered), backend.batch_size):
            yield ordered[start : start + backend.batch_size]
