"""Train the embedded translation model: ``python -m curation.demo.train OUTPUT``.

A model of NLLB's architecture and tokenizer class, small enough to ship, that knows the demo's sentences in
both directions between English and ten languages. Held out, and never trained on: for every template a
fifth of the people and of the goods (`held_out_words`), hence every problem that is drawn from those;
`benchmarks/demo_model.py` measures on them.

Checkpoints as it goes; run it again to go on, from there on with other random sentences. The shipped weights
are of 3,700 steps, gone on with at 1,250 and at 2,000: about an hour on two cores.
"""

import argparse
import json
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from torch.nn import functional
from transformers import GenerationConfig, M2M100Config, M2M100ForConditionalGeneration, NllbTokenizer

from curation.demo.generator import Problem, draw_problem, load_texts, problem_templates, training_words
from curation.translation.spans import protect
from mcot.core.languages import LANGUAGES, TARGETS

__all__ = ["Pair", "draw_pairs", "train"]

# Source language, target language (FLORES-200), source text, target text.
Pair = tuple[str, str, str, str]

VOCABULARY = 5000
# The share of sentences with spans that are learned with the spans in place, for translating unprotected.
UNPROTECTED = 0.12
MODEL = {
    "d_model": 160,
    "encoder_layers": 4,
    "decoder_layers": 2,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 640,
    "decoder_ffn_dim": 640,
    "max_position_embeddings": 256,
}


def draw_pairs(rng: random.Random, problem: Problem) -> Iterator[Pair]:
    """Every sentence of a problem in every language, both ways."""
    english = load_texts("en")
    for line in (*problem.question, *problem.solution):
        source = english.sentence(problem, line)
        protected = protect(source)
        for language in TARGETS:
            target = load_texts(language.code).sentence(problem, line)
            text = source
            if protected.spans and rng.random() >= UNPROTECTED:
                text = protected.text
                for span in protected.spans:
                    target = target.replace(span.text, span.stand_in, 1)
            yield "eng_Latn", language.flores, text, target
            yield language.flores, "eng_Latn", target, text


def training_pairs(seed: int) -> Iterator[Pair]:
    """Sentence pairs without end."""
    rng = random.Random(seed)
    while True:
        for template in rng.sample(problem_templates(), len(problem_templates())):
            yield from draw_pairs(rng, draw_problem(rng, template, **training_words(template["id"])))


def make_tokenizer(pairs: list[Pair]) -> NllbTokenizer:
    """NLLB's tokenizer class with a vocabulary of the demo's own words.

    Merges stop at digits and punctuation, so that numbers are read digit by digit and are copied right.
    """
    languages = [language.flores for language in LANGUAGES.values()]
    trained = Tokenizer(models.BPE(unk_token="<unk>"))  # noqa: S106 no password
    metaspace = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always", split=True)
    trained.pre_tokenizer = pre_tokenizers.Sequence(
        [metaspace, pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.Punctuation()]
    )
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    alphabet = [chr(code) for code in range(32, 127)]
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY, special_tokens=special, initial_alphabet=alphabet, min_frequency=8, show_progress=False
    )
    trained.train_from_iterator((text for pair in pairs for text in pair[2:]), trainer)
    state = json.loads(trained.to_str())["model"]
    return NllbTokenizer(
        vocab=state["vocab"],
        merges=state["merges"],
        extra_special_tokens=languages,
        model_max_length=256,
    )


def make_model(tokenizer: NllbTokenizer) -> M2M100ForConditionalGeneration:
    """A randomly initialised model for the tokenizer."""
    config = M2M100Config(
        **MODEL,  # type: ignore[arg-type]
        vocab_size=len(tokenizer),
        dropout=0.0,
        attention_dropout=0.0,
        activation_dropout=0.0,
        encoder_layerdrop=0.0,
        decoder_layerdrop=0.0,
        scale_embedding=True,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        decoder_start_token_id=tokenizer.eos_token_id,
    )
    model = M2M100ForConditionalGeneration(config)
    model.generation_config = GenerationConfig(
        max_length=200,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        decoder_start_token_id=tokenizer.eos_token_id,
    )
    return model


class Batches:
    """Batches of token ids by token budget, from sentences of like length."""

    def __init__(self, tokenizer: NllbTokenizer, pairs: Iterator[Pair], tokens: int, seed: int) -> None:
        self._backend = tokenizer.backend_tokenizer
        codes = [language.flores for language in LANGUAGES.values()]
        self._ids = {code: tokenizer.convert_tokens_to_ids(code) for code in codes}
        self._eos, self._pad = tokenizer.eos_token_id, tokenizer.pad_token_id
        self._pairs, self._tokens = pairs, tokens
        self._rng = random.Random(seed)

    def __iter__(self) -> Iterator[dict[str, torch.Tensor]]:
        while True:
            pool = [next(self._pairs) for _ in range(30_000)]
            sources, targets = (
                [
                    [self._ids[pair[side]], *encoding.ids, self._eos]
                    for pair, encoding in zip(
                        pool,
                        self._backend.encode_batch([pair[2 + side] for pair in pool], add_special_tokens=False),
                        strict=True,
                    )
                ]
                for side in (0, 1)
            )
            order = sorted(range(len(pool)), key=lambda i: (len(targets[i]), len(sources[i]), self._rng.random()))
            batches: list[list[int]] = [[]]
            widest = 0
            for index in order:
                widest = max(widest, len(targets[index]), len(sources[index]))
                if (len(batches[-1]) + 1) * widest > self._tokens:
                    batches.append([])
                    widest = max(len(targets[index]), len(sources[index]))
                batches[-1].append(index)
            self._rng.shuffle(batches)
            for batch in batches:
                yield self._tensors([sources[i] for i in batch], [targets[i] for i in batch])

    def _tensors(self, sources: list[list[int]], targets: list[list[int]]) -> dict[str, torch.Tensor]:
        def pad(rows: list[list[int]], value: int) -> torch.Tensor:
            width = max(map(len, rows))
            return torch.tensor([row + [value] * (width - len(row)) for row in rows])

        inputs = pad(sources, self._pad)
        return {
            "input_ids": inputs,
            "attention_mask": (inputs != self._pad).long(),
            # The decoder starts from </s>, is forced to the language code, then writes the text.
            "decoder_input_ids": pad([[self._eos, *row[:-1]] for row in targets], self._pad),
            "labels": pad(targets, -100),
        }


def train(output: Path, *, steps: int, tokens: int, rate: float, threads: int, save_every: int) -> None:
    """Train to `steps` and save tokenizer and fp16 weights into `output`."""
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    state_path = output / "training" / "state.pt"
    output.mkdir(parents=True, exist_ok=True)
    if (output / "tokenizer.json").exists():
        tokenizer = NllbTokenizer.from_pretrained(output)
    else:
        pairs = training_pairs(seed=1)
        tokenizer = make_tokenizer([next(pairs) for _ in range(400_000)])
        tokenizer.save_pretrained(output)
    model = make_model(tokenizer)
    print(f"{model.num_parameters():,} parameters, vocabulary {len(tokenizer):,}", flush=True)
    decay = [p for p in model.parameters() if p.ndim > 1]
    plain = [p for p in model.parameters() if p.ndim <= 1]
    optimizer = torch.optim.AdamW(
        [{"params": decay, "weight_decay": 0.01}, {"params": plain, "weight_decay": 0.0}], lr=rate, betas=(0.9, 0.98)
    )
    start = 0
    if state_path.exists():
        state: dict[str, Any] = torch.load(state_path, weights_only=True)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        start = state["step"]
    model.train()
    batches = iter(Batches(tokenizer, training_pairs(seed=100 + start), tokens, seed=start))
    began, losses = time.monotonic(), []
    for step in range(start, steps):
        # Linear warm-up, then linear decay to nothing.
        scale = min((step + 1) / 300, (steps - step) / (steps * 0.7), 1.0)
        for group in optimizer.param_groups:
            group["lr"] = rate * scale
        batch = next(batches)
        labels = batch.pop("labels")
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = model(**batch).logits
        loss = functional.cross_entropy(logits.flatten(0, 1).float(), labels.flatten(), label_smoothing=0.05)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
        if (step + 1) % 50 == 0:
            recent = sum(losses[-50:]) / 50
            pace = (time.monotonic() - began) / (step + 1 - start)
            print(f"step {step + 1} loss {recent:.4f} {pace:.3f} s/step", flush=True)
        if (step + 1) % save_every == 0 or step + 1 == steps:
            state_path.parent.mkdir(exist_ok=True)
            state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step + 1}
            torch.save(state, state_path.with_suffix(".part"))
            state_path.with_suffix(".part").replace(state_path)
            save_weights(model, output)


def save_weights(model: M2M100ForConditionalGeneration, output: Path) -> None:
    """Save a half-precision copy, as it is shipped."""
    half = make_model_like(model)
    half.load_state_dict(model.state_dict())
    half.half().save_pretrained(output)


def make_model_like(model: M2M100ForConditionalGeneration) -> M2M100ForConditionalGeneration:
    """Another model of the same shape and generation settings."""
    copy = M2M100ForConditionalGeneration(model.config)
    copy.generation_config = model.generation_config
    return copy


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=Path)
    parser.add_argument("--steps", type=int, default=3700)
    parser.add_argument("--tokens", type=int, default=4096, help="tokens of a batch, padding included")
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--save-every", type=int, default=250)
    options = vars(parser.parse_args())
    train(options.pop("output"), **options)


if __name__ == "__main__":
    main()
