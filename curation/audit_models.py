"""Quality estimation and the judge in an audit: its rows pass them between the other checks and the decisions.

Their stages are those of a run, and so are their folders: an audit that was stopped goes on where it was, and one that
is run again, with other thresholds or over a longer set, asks for no judgement twice.
"""

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from curation.checks.base import Check
from curation.checks.model_stages import MODEL_STAGES, find_judge_spending, make_model_stages
from curation.translation.carried import CarriedTexts
from mcot.core.engines import LocalEngine
from mcot.core.files import remove_folder, sign_files
from mcot.core.runs import StageFolder, sign
from mcot.core.settings import CurationSettings

__all__ = ["AuditModels"]


class AuditModels:
    """The models that an audit's settings ask for; there may be none.

    Args:
        settings: the audit's, as those of a run whose folder is the audit's.

    Raises:
        ModelError: there is no such model, or a key can't be sent.
        StageError: COMET runs on no such Python.
    """

    def __init__(self, settings: CurationSettings) -> None:
        self._settings = settings
        self._inputs: Sequence[Path] = []
        # An audit takes texts as they are: what people corrected is applied to its rows after they are decided.
        carried = CarriedTexts(settings.folder / "translate")
        self._stages = make_model_stages(settings, carried=carried, inputs=lambda: self._inputs)

    def __bool__(self) -> bool:
        return bool(self._stages)

    @property
    def checks(self) -> list[Check]:
        """The models, as checks."""
        return [stage.check for stage in self._stages]

    @property
    def versions(self) -> dict[str, str]:
        """Of the packages that they need here."""
        return {"openai": version("openai")} if self._settings.judge is not None else {}

    def score(self, checked: Sequence[Path]) -> Sequence[Path]:
        """Add the models' scores to checked rows.

        Args:
            checked: the shards, in order; the models' own scores in them are null.

        Returns:
            As many shards, with the scores.

        Raises:
            UserError: a model can't be used, or a budget is spent; what is done is kept.
            StageError: a shard failed, or the server can't be reached; what is done is kept.
        """
        signature = sign("check", [sign_files([path], whole=True) for path in checked])
        self._inputs = checked
        for stage in self._stages:
            folder = StageFolder(self._settings.folder / stage.name, sign(stage.name, stage.signature, signature))
            if not folder.done:
                LocalEngine().run(stage, self._inputs, folder)
            self._inputs, signature = folder.shards(), folder.signature
        return self._inputs

    def forget(self) -> None:
        """Remove what models said that the settings ask for no more. Answers that were paid for stay."""
        for name in MODEL_STAGES:
            if name not in {stage.name for stage in self._stages}:
                remove_folder(self._settings.folder / name)

    def read_spending(self) -> dict[str, Any]:
        """What was asked of the judge and what that cost, as the report has it; empty without a judge."""
        return find_judge_spending(self._settings)
