"""The same client against `transformers serve` and a tiny model of random weights: nonsense in a real protocol."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

import pytest

from mcot.core.chat_store import read_spending
from tests.curation.llm_runs import Run, settings

# Of an interpreter that has transformers' `serving` extra, where this one lacks it.
VARIABLE = "MCOT_SERVE_PYTHON"
SERVE = "from transformers.cli.transformers import main; main()"
TEMPLATE = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}assistant: "


def interpreter() -> str:
    python = os.environ.get(VARIABLE, sys.executable)
    found = subprocess.run([python, "-c", "import fastapi, transformers, uvicorn"], capture_output=True, check=False)
    if found.returncode:
        pytest.skip(
            f"no `transformers serve` here: pip install 'transformers[serving]' (fastapi, uvicorn), or set {VARIABLE} "
            "to a Python that has it"
        )
    return python


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Llama of 30 thousand random weights, whose tokens are bytes."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("model")
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {"<s>": 0, "</s>": 1, **{letter: place + 2 for place, letter in enumerate(letters)}}
    tokens = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokens.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokens.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=tokens, bos_token="<s>", eos_token="</s>")  # noqa: S106
    tokenizer.chat_template = TEMPLATE
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(vocabulary), hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=32_768, bos_token_id=0, eos_token_id=1,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def url(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    python = interpreter()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("log") / "serve.log"
    command = [python, "-c", SERVE, "serve", "--host", "127.0.0.1", "--port", str(port), "--device", "cpu"]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "PYTHONPATH": "", "OMP_NUM_THREADS": "1"}
    with log.open("w") as output, subprocess.Popen(command, stdout=output, stderr=output, env=environment) as server:
        try:
            straight = build_opener(ProxyHandler({}))
            deadline = time.monotonic() + 120
            while True:
                assert server.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                try:
                    straight.open(f"http://127.0.0.1:{port}/health", timeout=5).close()
                    break
                except (URLError, OSError):
                    time.sleep(0.2)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            server.terminate()


@pytest.mark.slow
def test_a_real_server(url: str, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    chosen = settings(url, model=str(model), max_tokens=16, timeout=120, concurrency=2)
    run = Run(tmp_path / "run", [[0, 1], [2]])
    run.translate(chosen)
    rows = run.decide()
    assert [row["id"] for row in rows] == ["p0-sw", "p1-sw", "p2-sw"]
    for row in rows:
        assert (row["decision"], row["reasons"]) == ("drop", ["translation.unfinished"])
        assert row["details"] == ["no translation: cut off: it reached the limit of its tokens; asked twice"]
    spent = read_spending(run.store, None)["translate"]["sw"]
    assert (spent["requests"], spent["answers"], spent["completion_tokens"]) == (6, 6, 96)
    # The server counts the prompts, whose bytes are its tokens.
    assert spent["prompt_tokens"] > 6 * 3000
