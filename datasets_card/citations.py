"""Which papers a dataset is to be cited with: mCoT's own, and those of what it was made from."""

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["PAPERS", "find_citations"]

#: BibTeX by the name of what the paper brought.
PAPERS: Mapping[str, str] = {
    "mCoT": r"""@inproceedings{lai-nissim-2024-mcot,
  title     = {{mCoT}: Multilingual Instruction Tuning for Reasoning Consistency in Language Models},
  author    = {Lai, Huiyuan and Nissim, Malvina},
  booktitle = {Proceedings of the 62nd Annual Meeting of the Association for Computational Linguistics
               (Volume 1: Long Papers)},
  year      = {2024},
  note      = {arXiv:2406.02301}
}""",
    "MetaMathQA": r"""@inproceedings{yu-etal-2024-metamath,
  title     = {{MetaMath}: Bootstrap Your Own Mathematical Questions for Large Language Models},
  author    = {Yu, Longhui and Jiang, Weisen and Shi, Han and Yu, Jincheng and Liu, Zhengying and Zhang, Yu and
               Kwok, James T. and Li, Zhenguo and Weller, Adrian and Liu, Weiyang},
  booktitle = {The Twelfth International Conference on Learning Representations},
  year      = {2024},
  note      = {arXiv:2309.12284}
}""",
    "MathInstruct": r"""@inproceedings{yue-etal-2024-mammoth,
  title     = {{MAmmoTH}: Building Math Generalist Models through Hybrid Instruction Tuning},
  author    = {Yue, Xiang and Qu, Xingwei and Zhang, Ge and Fu, Yao and Huang, Wenhao and Sun, Huan and Su, Yu and
               Chen, Wenhu},
  booktitle = {The Twelfth International Conference on Learning Representations},
  year      = {2024},
  note      = {arXiv:2309.05653}
}""",
    "GSM8K": r"""@article{cobbe-etal-2021-gsm8k,
  title   = {Training Verifiers to Solve Math Word Problems},
  author  = {Cobbe, Karl and Kosaraju, Vineet and Bavarian, Mohammad and Chen, Mark and Jun, Heewoo and
             Kaiser, Lukasz and Plappert, Matthias and Tworek, Jerry and Hilton, Jacob and Nakano, Reiichiro and
             Hesse, Christopher and Schulman, John},
  journal = {arXiv preprint arXiv:2110.14168},
  year    = {2021}
}""",
    "NLLB": r"""@article{nllb-team-2022-nllb,
  title   = {No Language Left Behind: Scaling Human-Centered Machine Translation},
  author  = {{NLLB Team} and Costa-juss{\`a}, Marta R. and Cross, James and {\c{C}}elebi, Onur and others},
  journal = {arXiv preprint arXiv:2207.04672},
  year    = {2022}
}""",
}

# A source in a dataset's format that is given another licence is something else in its clothes, as the demo's is.
_LICENSES = (None, "MIT", "mit")


def find_citations(sources: Sequence[Mapping[str, Any]], models: Sequence[str]) -> dict[str, str]:
    """The papers that a run calls for, as BibTeX by name.

    Args:
        sources: as a run's settings name them.
        models: translators, by name.
    """
    wanted = {"mCoT"}
    for source in sources:
        # MetaMathQA's problems are GSM8K's and MATH's, put in other words.
        is_known = source.get("license") in _LICENSES
        match source.get("format"):
            case "metamathqa":
                wanted |= {"MetaMathQA", "GSM8K"}
            case "mathinstruct":
                wanted |= {"MathInstruct", "GSM8K"}
            case "gsm8k" if is_known:
                wanted.add("GSM8K")
        if any("gsm8k" in str(source.get(key) or "").lower() for key in ("path", "name")):
            wanted.add("GSM8K")
    if any("nllb" in model.lower() for model in models):
        wanted.add("NLLB")
    return {name: text for name, text in PAPERS.items() if name in wanted}
