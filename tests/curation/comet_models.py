"""Tiny COMET models of random weights, made and asked by COMET's own code. A program for COMET's environment.

`python comet_models.py FOLDER` writes a folder for each model, and what COMET itself says of the pairs in
`FOLDER/pairs.json` into `FOLDER/expected.json`.
"""

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

# Of the encoder: what is longer is too long for the model.
POSITIONS = 64


def make_encoder(folder: Path, texts: list[str]) -> None:
    """An XLM-R of two small layers, with a tokenizer trained on the texts."""
    tokenizers, transformers = import_module("tokenizers"), import_module("transformers")
    tokenizer = tokenizers.Tokenizer(tokenizers.models.Unigram())
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Metaspace()
    specials = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    unknown = {"unk_token": specials[3]}
    trainer = tokenizers.trainers.UnigramTrainer(vocab_size=300, special_tokens=specials, **unknown)
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = tokenizers.processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    transformers.XLMRobertaTokenizerFast(tokenizer_object=tokenizer).save_pretrained(folder)
    config = transformers.XLMRobertaConfig(
        vocab_size=tokenizer.get_vocab_size(), hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=32, max_position_embeddings=POSITIONS + 2, pad_token_id=1, bos_token_id=0, eos_token_id=2,
    )  # fmt: skip
    config.save_pretrained(folder)


def make_model(folder: Path, name: str, **options: Any) -> Any:
    """A checkpoint as training would leave it."""
    lightning, models = import_module("pytorch_lightning"), import_module("comet.models")
    lightning.seed_everything(7)
    model = models.str2model[name](
        nr_frozen_epochs=0.3, hidden_sizes=[8], load_pretrained_weights=False, validation_data=["none"], **options
    )
    # The untrained heads say about the same of everything.
    for weights in model.estimator.parameters():
        weights.data *= 4
    # Layers alike in weight hide how they are weighted.
    for place, weights in enumerate(model.layerwise_attention.scalar_parameters):
        weights.data += place
    trainer = lightning.Trainer(accelerator="cpu", logger=False, enable_checkpointing=False)
    trainer.strategy.connect(model)
    trainer.save_checkpoint(folder / "checkpoints" / "model.ckpt")
    hparams = {key: value for key, value in model.hparams.items() if key != "load_pretrained_weights"}
    (folder / "hparams.yaml").write_text(import_module("yaml").safe_dump({**hparams, "class_identifier": name}))
    return models


def main() -> None:
    """Make the models, and ask them."""
    folder = Path(sys.argv[1])
    pairs = json.loads((folder / "pairs.json").read_text("utf-8"))
    encoder = folder / "encoder"
    make_encoder(encoder, [text for pair in pairs for text in pair])
    common = {"pretrained_model": str(encoder), "encoder_model": "XLM-RoBERTa"}
    kinds = {
        "unified": ("unified_metric", {"input_segments": ["mt", "src"], "word_layer": 1, "sent_layer": "mix"}),
        "separate": ("referenceless_regression_metric", {}),
        "patched": (
            "unified_metric",
            {"input_segments": ["mt", "src"], "word_layer": 1, "layer_transformation": "sparsemax_patch"},
        ),
        "spans": (
            "xcomet_metric",
            {
                "word_layer": 1,
                "word_level_training": True,
                "error_labels": ["minor", "major", "critical"],
            },
        ),
        "references": ("regression_metric", {}),
    }
    expected = {}
    for title, (name, options) in kinds.items():
        models = make_model(folder / title, name, **common, **options)
        if title != "references":
            loaded = models.load_from_checkpoint(str(folder / title / "checkpoints" / "model.ckpt"))
            samples = [{"src": source, "mt": text} for source, text in pairs]
            expected[title] = [float(score) for score in loaded.predict(samples, batch_size=3, gpus=0).scores]
    (folder / "expected.json").write_text(json.dumps(expected))


if __name__ == "__main__":
    main()
