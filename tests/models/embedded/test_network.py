from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from loopwright.models.embedded import FOLDER
from loopwright.models.embedded.network import Network

IDS = [1, 40, 300, 12, 7, 900, 3, 55, 2]


@pytest.fixture(scope="module")
def network() -> Network:
    return Network(FOLDER)


def test_reading_in_pieces_is_reading_at_once(network: Network) -> None:
    at_once = network.read(IDS, network.new_memory(20))
    memory = network.new_memory(20)
    network.read(IDS[:4], memory)
    for token in IDS[4:]:
        in_pieces = network.read([token], memory)
    np.testing.assert_allclose(in_pieces, at_once, rtol=1e-3, atol=1e-3)


def test_a_fork_goes_on_without_touching_the_memory_it_came_from(network: Network) -> None:
    memory = network.new_memory(20)
    network.read(IDS, memory)
    kept = memory.kept[:, :, :, : len(IDS)].copy()
    network.read([5, 6, 7], memory.fork(4, 20))
    assert memory.ids == IDS
    np.testing.assert_array_equal(memory.kept[:, :, :, : len(IDS)], kept)


def test_numpy_and_torch_score_alike(network: Network, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="the extra `train` is not installed")
    from examples.train_embedded.export import export
    from examples.train_embedded.network import Decoder, Shape

    torch.manual_seed(3)
    shape = Shape(vocabulary=64, width=32, layers=2, heads=2, inner=48, context=32)
    model = Decoder(shape)
    torch.save(
        {"model": model.state_dict(), "shape": {name: getattr(shape, name) for name in shape.__slots__}},
        tmp_path / "checkpoint.pt",
    )
    (tmp_path / "tokenizer.json").write_text(
        (FOLDER / "tokenizer.json").read_text(encoding="utf-8"), encoding="utf-8"
    )
    export(tmp_path, tmp_path / "out")
    small = Network(tmp_path / "out")
    ids = [5, 9, 33, 2, 60, 11]
    with torch.no_grad():
        wanted = model.logits(model(torch.tensor([ids])))[0, -1].numpy()
    np.testing.assert_allclose(small.read(ids, small.new_memory(8)), wanted, atol=0.05)


def test_the_weights_have_the_form_that_transformers_reads() -> None:
    from safetensors.numpy import load_file

    config = json.loads((FOLDER / "config.json").read_text(encoding="utf-8"))
    weights = load_file(FOLDER / "model.safetensors")
    width, inner = config["hidden_size"], config["intermediate_size"]
    assert config["architectures"] == ["LlamaForCausalLM"]
    assert config["tie_word_embeddings"]
    assert weights["model.embed_tokens.weight"].shape == (config["vocab_size"], width)
    assert weights["model.layers.0.mlp.gate_proj.weight"].shape == (inner, width)
    assert len(weights) == 2 + 9 * config["num_hidden_layers"]


def test_the_card_describes_the_weights_that_are_shipped() -> None:
    card = (FOLDER / "CARD.md").read_text(encoding="utf-8")
    assert hashlib.sha256((FOLDER / "model.safetensors").read_bytes()).hexdigest() in card
