"""Write a checkpoint as the package's files: `python -m examples.train_embedded.export`.

They are config.json, model.safetensors (float16) and tokenizer.json, as `transformers` reads them.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import save_file

from loopwright.models.embedded import FOLDER
from loopwright.models.embedded.template import END, PAD

from .network import Shape


def export(source: Path, target: Path) -> None:
    """Turn `checkpoint.pt` and `tokenizer.json` of a training folder into a model folder."""
    state = torch.load(source / "checkpoint.pt", map_location="cpu")
    shape = Shape(**state["shape"])
    weights = {f"model.{name}": each.to(torch.float16).contiguous() for name, each in state["model"].items()}
    target.mkdir(parents=True, exist_ok=True)
    save_file(weights, target / "model.safetensors", metadata={"format": "pt"})
    (target / "model.safetensors").chmod(0o644)  # it is written for its owner alone
    (target / "config.json").write_text(json.dumps(config(shape), indent=2) + "\n", encoding="utf-8")
    shutil.copyfile(source / "tokenizer.json", target / "tokenizer.json")
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "pad_token": PAD,
        "eos_token": END,
        "model_max_length": shape.context,
    }
    (target / "tokenizer_config.json").write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")


def config(shape: Shape) -> dict[str, object]:
    """The shape in the words of a Llama's config.json."""
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": shape.vocabulary,
        "hidden_size": shape.width,
        "intermediate_size": shape.inner,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.heads,
        "head_dim": shape.head,
        "max_position_embeddings": shape.context,
        "rope_theta": shape.theta,
        "rms_norm_eps": shape.epsilon,
        "hidden_act": "silu",
        "attention_bias": False,
        "mlp_bias": False,
        "tie_word_embeddings": True,
        "pad_token_id": 0,
        "bos_token_id": None,
        "eos_token_id": 5,
        "torch_dtype": "float16",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", type=Path, default=Path(".training/embedded"))
    parser.add_argument("--target", type=Path, default=FOLDER)
    options = parser.parse_args()
    export(options.source, options.target)


if __name__ == "__main__":
    main()
