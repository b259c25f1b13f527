"""Supervised fine-tuning of a causal language model on a run's dataset."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

from mcot.core.checkpoints import Checkpoint
from mcot.core.errors import ModelError
from mcot.core.files import lock_folder, remove_folder, write_file
from mcot.core.progress import say
from mcot.core.runs import sign
from mcot.core.settings_file import dump_settings
from training.base import locate
from training.card import Facts, describe_settings, make_card
from training.data import Prepared
from training.hardware import Hardware, find_hardware, is_out_of_memory, process_count, process_rank
from training.methods import make_adapter, make_arguments
from training.preparation import Start, Workplace, load_model, prepare_start
from training.quiet import quiet_libraries
from training.resume import last_checkpoint, tokens_at
from training.settings import TrainingSettings
from training.source import Source, open_source
from training.tracking import make_tracking
from training.trained import Trained, check_folder, merge_adapter, read_trained, write_model, write_trained
from training.trainer import make_trainer, show_progress

__all__ = ["Trained", "train"]

# Of what a training's weights depend on besides settings, data and model.
_VERSION = 1
# Names, places and what is told and saved on the way change no weight.
_WITHOUT_EFFECT = ("preset", "name", "output", "run", "tracking", "checkpoints", "device")


def train(settings: TrainingSettings) -> Trained:
    """Train a model, go on with a training that was interrupted, or find it done.

    On the same machine with the same packages and the same number of processes and threads, an interrupted training
    comes to the same weights as one that was not; on a GPU as far as its kernels are deterministic.

    Raises:
        UserError: the settings, the run or the model is wrong, or there is too little memory.
        StageError: the loss is no number.
    """
    folder = settings.folder
    source = open_source(settings.run, settings.languages)
    base = locate(settings.model) if settings.model.path is not None else None
    signature = _sign(settings, source, base)
    check_folder(folder)
    with _one_training(folder):
        trained = read_trained(folder, signature)
        if trained is None:
            with quiet_libraries():
                trained = _train(settings, source, base, signature)
        else:
            say(f"{folder}: is trained already under these settings; nothing to do")
        if settings.lora.merge and settings.method != "full" and process_rank() == 0:
            trained = merge_adapter(trained)
    return trained


def _sign(settings: TrainingSettings, source: Source, base: Checkpoint | None) -> str:
    told = settings.model_dump(mode="json", exclude={*_WITHOUT_EFFECT})
    told["model"].pop("path")
    told["lora"].pop("merge")
    return sign("training", _VERSION, told, source.signature, base.revision if base is not None else None)


@contextmanager
def _one_training(folder: Path) -> Iterator[None]:
    """Hold the folder; of several processes the first does."""
    if process_rank():
        yield
        return
    with lock_folder(folder, "folder"):
        yield


def _train(settings: TrainingSettings, source: Source, base: Checkpoint | None, signature: str) -> Trained:
    began, folder = time.monotonic(), settings.folder
    hardware = find_hardware(settings)
    with _main_process_first():
        work = Workplace(folder, signature, main=process_rank() == 0)
        if process_rank() == 0:
            write_file(folder / "settings.yaml", dump_settings(settings))
        start = prepare_start(settings, source, base, work)
        resumed = last_checkpoint(work.checkpoints)
    _say_counts(start.prepared)
    facts = _lineage(settings, source, base, start.prepared, signature)
    with make_tracking(folder, settings.tracking, facts) as tracking:
        progress, told = show_progress(), tracking.callbacks
        trainer = _make_trainer(settings, hardware, start, base, work, [progress, *told])
        if resumed is not None:
            say(f"goes on from {resumed.name}")
            trainer._total_train_tokens = tokens_at(resumed)
        with closing(progress):
            _run(trainer, settings, resumed)
        # Of each language's loss by itself they would keep the first: it is one step's for all.
        for callback in told:
            trainer.remove_callback(callback)
        metrics = _measure(trainer, settings, start.prepared)
        if losses := metrics.get("held_out_loss_by_language"):
            tracking.log_metrics({"loss": losses}, kind="held_out_by_language", step=metrics["steps"])
    metrics["seconds"] = round(time.monotonic() - began, 1)
    saved = work.path / "saved"
    _save(trainer, start, saved)
    if process_rank():
        return Trained(folder, folder / "model", metrics, fresh=True)
    origins, rounds = source.origins()
    title, on_hub = (base.title, base.on_hub) if base is not None else ("none: made from scratch", False)
    card = make_card(settings, Facts(title, on_hub, source, rounds, origins, start.prepared.counts, signature, metrics))
    write_model(folder, saved, start.tokenizer, card)
    trained = write_trained(folder, signature, metrics, facts)
    work.remove()
    return trained


def _make_trainer(
    settings: TrainingSettings,
    hardware: Hardware,
    start: Start,
    base: Checkpoint | None,
    work: Workplace,
    callbacks: Sequence[Any],
) -> Any:
    from datasets import concatenate_datasets
    from trl.trainer.sft_config import SFTConfig

    model = load_model(settings, hardware, start.tokenizer, base)
    held_out = start.prepared.held_out_sets(settings.held_out.rows) if settings.held_out.every else {}
    return make_trainer(
        [*_stopping(settings), *callbacks],
        model=model,
        args=SFTConfig(**make_arguments(settings, hardware, work.checkpoints)),
        train_dataset=start.prepared.training_set(settings.seed),
        eval_dataset=concatenate_datasets(list(held_out.values())) if held_out else None,
        processing_class=start.tokenizer,
        peft_config=make_adapter(settings, model, base),
    )


def _stopping(settings: TrainingSettings) -> list[Any]:
    from transformers import EarlyStoppingCallback

    patience = settings.held_out.patience
    return [EarlyStoppingCallback(early_stopping_patience=patience)] if patience is not None else []


def _run(trainer: Any, settings: TrainingSettings, resumed: Path | None) -> None:
    try:
        # `True` would raise where there is no checkpoint.
        trainer.train(resume_from_checkpoint=str(resumed) if resumed is not None else None)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise ModelError(
            f"the memory is full in training with {settings.optimizer.batch_size} rows of up to "
            f"{settings.data.max_length} tokens at a time; lower optimizer.batch_size and raise accumulation, lower "
            "data.max_length, set optimizer.recompute: true, or use method: lora"
        ) from error


def _measure(trainer: Any, settings: TrainingSettings, prepared: Prepared) -> dict[str, Any]:
    """What training came to: the last loss, and the loss on held-out problems in each language (nats a token)."""
    history, state = trainer.state.log_history, trainer.state
    metrics: dict[str, Any] = {
        "steps": state.global_step,
        "epochs": round(state.epoch or 0.0, 4),
        "stopped_early": state.global_step < state.max_steps,
        "parameters": sum(parameter.numel() for parameter in trainer.model.parameters()),
        "trained_parameters": sum(p.numel() for p in trainer.model.parameters() if p.requires_grad),
        "train_loss": next((entry["loss"] for entry in reversed(history) if "loss" in entry), None),
    }
    losses = {
        language: round(trainer.evaluate(rows, metric_key_prefix="eval")["eval_loss"], 6)
        for language, rows in prepared.held_out_sets(settings.held_out.rows).items()
    }
    if losses:
        metrics["held_out_loss"] = round(sum(losses.values()) / len(losses), 6)
        metrics["held_out_loss_by_language"] = losses
    return metrics


def _save(trainer: Any, start: Start, saved: Path) -> None:
    """The weights, and a generation configuration that knows where an answer ends."""
    generation = trainer.model.generation_config
    known = generation.eos_token_id
    ends = [start.end, *(known if isinstance(known, list) else [known]), start.tokenizer.eos_token_id]
    generation.eos_token_id = list(dict.fromkeys(end for end in ends if end is not None))
    generation.pad_token_id = start.tokenizer.pad_token_id
    if process_rank() == 0:
        remove_folder(saved)
    trainer.accelerator.wait_for_everyone()
    trainer.save_model(str(saved))
    if process_rank() == 0:
        generation.save_pretrained(saved)
    trainer.accelerator.wait_for_everyone()


def _lineage(
    settings: TrainingSettings, source: Source, base: Checkpoint | None, prepared: Prepared, signature: str
) -> dict[str, Any]:
    """What a training is of, for `training.json` and for whoever tracks it. No path of this machine is in it."""
    return {
        "name": settings.name,
        "signature": signature,
        "dataset": {"run": source.name, "run_signature": source.run_signature, "signature": source.signature},
        "model": {"name": base.title, "revision": base.revision} if base is not None else {"name": "scratch"},
        "settings": describe_settings(settings),
        "tokens": {language: count.tokens for language, count in prepared.counts.items()},
        "counts": {language: asdict(count) for language, count in prepared.counts.items()},
    }


def _say_counts(prepared: Prepared) -> None:
    if process_rank():
        return
    counts: Mapping[str, Any] = prepared.counts
    rows, tokens = (sum(getattr(count, name) for count in counts.values()) for name in ("rows", "tokens"))
    say(f"learns {rows:,} rows, {tokens:,} tokens, in {len(counts)} languages")
    for name, what in (("too_long", "longer than data.max_length"), ("without_text", "without question or rationale")):
        if left := {language: getattr(count, name) for language, count in counts.items() if getattr(count, name)}:
            say(f"left out as {what}: " + ", ".join(f"{language} {number:,}" for language, number in left.items()))


@contextmanager
def _main_process_first() -> Iterator[None]:
    """What is written, the first of several processes writes; the others find it there."""
    if process_count() == 1:
        yield
        return
    from accelerate import PartialState

    # Millions of rows take the first one longer than the half hour that the others would wait.
    with PartialState(timeout=timedelta(hours=12)).main_process_first():
        yield
