"""COMET's model, and the encoder that it names: where they are, and which version of them.

A checkpoint holds the encoder's weights, and neither its configuration nor its tokenizer: those are what the encoder's
own repository has. They are found here, so that what is signed is what is loaded, before anything is translated.
"""

from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from mcot.core.checkpoints import first_line
from mcot.core.errors import ModelError
from mcot.core.files import is_machine_error, sign_files
from mcot.core.hub import hub_is_reachable
from mcot.core.quality_settings import QualityEstimationSettings

__all__ = ["CHECKPOINT", "HPARAMS", "Model", "download", "find_model"]

#: Lightning's names in a model's folder.
HPARAMS, CHECKPOINT = "hparams.yaml", "checkpoints/model.ckpt"
_ADVICE = "valid: a reference-free COMET model of the Hub, or a folder with hparams.yaml and checkpoints/model.ckpt"
_ENCODER_ADVICE = f"valid: a model of the Hub, or a folder, as pretrained_model of {HPARAMS}"
_UNREACHABLE = "the Hub can't be reached, and it was not downloaded before"
# Of an encoder: its configuration and its tokenizer, whatever kind that is; its weights are the checkpoint's.
_CONFIG = "config.json"
_ENCODER_FILES = (_CONFIG, "*token*.json", "vocab.*", "merges.txt", "*.model")
# COMET gives these a tokenizer of another repository, which no setting names.
_ELSEWHERE = "MiniLM"


class Model(NamedTuple):
    """A COMET model.

    Attributes:
        place: a folder or a Hub id.
        revision: a Hub commit, or a signature of the folder's files.
        on_hub: whether it is the Hub's.
        encoder: the folder of the encoder's configuration and tokenizer.
        encoder_signature: of their contents.
    """

    place: str
    revision: str
    on_hub: bool
    encoder: Path
    encoder_signature: str

    @property
    def name(self) -> str:
        """Its name without the folders above it."""
        return self.place if self.on_hub else Path(self.place).resolve().name


def find_model(settings: QualityEstimationSettings) -> Model:
    """Find the settings' model and its encoder; of the Hub's nothing large is loaded yet.

    Raises:
        ModelError: there is none.
    """
    folder = Path(settings.model)
    where = _where(settings.model)
    on_hub = not folder.is_dir()
    if on_hub:
        if folder.exists() or settings.model.count("/") != 1 or settings.model.startswith((".", "/")):
            raise ModelError(f"{where}: no such folder; {_ADVICE}")
        hparams = download(settings.model, HPARAMS, settings.revision)
        # The folder of a snapshot is named by its commit.
        revision = hparams.parent.name
    else:
        if settings.revision is not None:
            raise ModelError(f"{where}: a folder has no revision; leave out revision {settings.revision!r}")
        if lacking := [name for name in (HPARAMS, CHECKPOINT) if not (folder / name).is_file()]:
            raise ModelError(f"{where}: the folder has no {lacking[0]}; {_ADVICE}")
        hparams = folder / HPARAMS
        revision = sign_files([hparams, folder / CHECKPOINT])
    encoder, signature = _find_encoder(_read_encoder(hparams, where), where)
    return Model(settings.model, revision, on_hub, encoder, signature)


def download(place: str, file: str, revision: str | None) -> Path:
    """A file of a model of the Hub, downloaded unless it is there already.

    Raises:
        ModelError: it can't be had, or the model has none.
    """
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    where = _where(place)

    def get() -> str:
        try:
            return hf_hub_download(place, file, revision=revision, local_files_only=not hub_is_reachable())
        except EntryNotFoundError as error:
            # Of these too, but all that it says is that it could not be looked up.
            if isinstance(error, LocalEntryNotFoundError):
                raise
            raise ModelError(f"{where}: has no {file}, so it is no COMET model; {_ADVICE}") from None

    lacking = f"{'is no folder here, and its' if file == HPARAMS else 'its'} {file} could not be had"
    return Path(_ask_hub(get, place, where, f"{lacking} from the Hub", _ADVICE))


def _ask_hub(get: Callable[[], str], place: str, where: str, lacking: str, advice: str) -> str:
    """What a call of the Hub's client gives; one line of why it gives nothing."""
    from huggingface_hub.errors import GatedRepoError

    try:
        return get()
    except GatedRepoError:
        terms = f"accept its terms at https://huggingface.co/{place}, then log in with `hf auth login`"
        raise ModelError(f"{where}: is gated; {terms}") from None
    except Exception as error:
        # Whatever it is: the HTTP library below, and with it the errors, changes from version to version.
        if is_machine_error(error) or isinstance(error, ModelError):
            raise
        reason = first_line(error) if hub_is_reachable() else _UNREACHABLE
        raise ModelError(f"{where}: {lacking} ({reason}); {advice}") from None


def _where(model: str) -> str:
    return f"quality_estimation.model {model!r}"


def _read_encoder(hparams: Path, where: str) -> str:
    """The encoder that a model names: a folder or a Hub id."""
    try:
        read: Any = yaml.safe_load(hparams.read_text("utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        said = " ".join(str(error).split())[:200]
        raise ModelError(f"{where}: its {HPARAMS} is no YAML ({said}); {_ADVICE}") from None
    named = read.get("pretrained_model") if isinstance(read, dict) else None
    if not isinstance(named, str) or not named:
        raise ModelError(f"{where}: its {HPARAMS} names no encoder (pretrained_model); {_ADVICE}")
    if read.get("encoder_model") == _ELSEWHERE:
        raise ModelError(f"{where}: its encoder_model is {_ELSEWHERE}, which can't be used; {_ADVICE}")
    return named


def _find_encoder(named: str, where: str) -> tuple[Path, str]:
    """The folder of an encoder's configuration and tokenizer, and the signature of what is in them."""
    from huggingface_hub import snapshot_download

    def get() -> str:
        # Folders of such a repository hold the same for other programs.
        return snapshot_download(
            named, allow_patterns=list(_ENCODER_FILES), ignore_patterns=["*/*"], local_files_only=not hub_is_reachable()
        )

    where = f"{where}: its encoder {named!r}"
    on_hub = not Path(named).is_dir()
    lacking = "is no folder here and could not be had from the Hub"
    folder = Path(_ask_hub(get, named, where, lacking, _ENCODER_ADVICE) if on_hub else named)
    files = [path for path in folder.iterdir() if path.is_file() and _is_of_encoder(path.name)]
    names = {path.name for path in files}
    if _CONFIG not in names or len(names) == 1:
        lacking = "tokenizer" if _CONFIG in names else _CONFIG
        reason = f" ({_UNREACHABLE})" if on_hub and not hub_is_reachable() else ""
        raise ModelError(f"{where}: has no {lacking}{reason}; {_ENCODER_ADVICE}")
    return folder.absolute(), sign_files(files)


def _is_of_encoder(name: str) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in _ENCODER_FILES)
