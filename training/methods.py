"""How weights are changed: all of them, or an adapter; and the settings as TRL takes them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mcot.core.checkpoints import Checkpoint
from mcot.core.errors import SettingsError, choose
from training.hardware import Hardware
from training.settings import TrainingSettings

__all__ = ["make_adapter", "make_arguments"]


def make_adapter(settings: TrainingSettings, model: Any, base: Checkpoint | None) -> Any:
    """The adapter's configuration (`peft.LoraConfig`); None where the whole model is trained.

    Args:
        model: that gets it.
        base: where the model is from, to be named in the adapter.

    Raises:
        SettingsError: a target is the name of no layer.
    """
    if settings.method == "full":
        return None
    from peft import LoraConfig

    lora = settings.lora
    _check_targets(lora.targets, model)
    return LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=lora.targets,
        task_type="CAUSAL_LM",
        base_model_name_or_path=base.place if base else None,
        revision=base.revision if base and base.on_hub else None,
    )


def _check_targets(targets: str | Sequence[str], model: Any) -> None:
    from torch.nn import Linear

    # The output layer is no target: the loss is taken from its weights directly.
    output = model.get_output_embeddings()
    layers = [name for name, module in model.named_modules() if isinstance(module, Linear) and module is not output]
    if isinstance(targets, str):
        return
    for target in targets:
        if not any(name == target or name.endswith(f".{target}") for name in layers):
            valid = ["all-linear", *dict.fromkeys(name.rpartition(".")[2] for name in layers)]
            raise SettingsError(f"lora.targets: got {target!r}, the name of no layer of the model; "
                                f"{choose(target, valid)}")  # fmt: skip


def make_arguments(settings: TrainingSettings, hardware: Hardware, checkpoints: Path) -> dict[str, Any]:
    """The arguments of `trl.SFTConfig`.

    Args:
        checkpoints: the folder that they are saved in.
    """
    from trl.trainer.sft_config import SFTConfig

    optimizer, held_out, data = settings.optimizer, settings.held_out, settings.data
    fields = SFTConfig.__dataclass_fields__
    # Its name since transformers 5.18; the older one is deprecated there.
    recompute = next(name for name in ("activation_checkpointing", "gradient_checkpointing") if name in fields)
    arguments: dict[str, Any] = {
        "output_dir": str(checkpoints),
        "max_steps": optimizer.steps or -1,
        "num_train_epochs": optimizer.epochs,
        "per_device_train_batch_size": optimizer.batch_size,
        "per_device_eval_batch_size": optimizer.batch_size,
        "gradient_accumulation_steps": optimizer.accumulation,
        "learning_rate": optimizer.learning_rate,
        "lr_scheduler_type": optimizer.schedule if optimizer.schedule != "constant" else "constant_with_warmup",
        # Below 1 it is a share of the steps.
        "warmup_steps": optimizer.warmup,
        "weight_decay": optimizer.weight_decay,
        "max_grad_norm": optimizer.clip,
        "optim": "adamw_torch_fused" if hardware.device == "cuda" else "adamw_torch",
        recompute: optimizer.recompute and not settings.fsdp,
        "bf16": hardware.bf16,
        "use_cpu": hardware.device == "cpu",
        "dataloader_pin_memory": hardware.device == "cuda",
        "seed": settings.seed,
        "data_seed": settings.seed,
        "report_to": "none",
        "disable_tqdm": True,
        "logging_steps": settings.tracking.every,
        "logging_nan_inf_filter": False,
        "save_strategy": "steps",
        "save_steps": settings.checkpoints.every,
        # One more where the best is kept besides: it must not cost the last one that is whole.
        "save_total_limit": settings.checkpoints.keep + (held_out.patience is not None),
        "restore_callback_states_from_checkpoint": held_out.patience is not None,
        # Longer rows are left out before. Where rows are not packed there is nothing for TRL to cut.
        "max_length": data.max_length if data.packing else None,
        "packing": data.packing,
        "packing_strategy": "bfd",
        # Packing joins rows that stand near one another; they stand by language.
        "shuffle_dataset": data.packing,
        "completion_only_loss": True,
        "load_best_model_at_end": held_out.patience is not None,
    }
    if recompute == "activation_checkpointing":
        # TRL's default for the older name would be taken for the user's.
        arguments["gradient_checkpointing"] = arguments[recompute]
    if held_out.every is not None and held_out.share:
        arguments |= {"eval_strategy": "steps", "eval_steps": held_out.every, "metric_for_best_model": "eval_loss"}
        arguments |= {"greater_is_better": False}
    if settings.fsdp:
        arguments["fsdp"] = True
        arguments["fsdp_config"] = {
            "version": 2,
            "reshard_after_forward": True,
            "activation_checkpointing": optimizer.recompute,
            "state_dict_type": "FULL_STATE_DICT",
        }
    return arguments
