"""The decoder in numpy: RMSNorm, rotary positions, SwiGLU, tied embeddings, and a cache of keys and values.

The weights carry the names that `transformers` gives to a Llama's; the sums are in float32.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer's weights: `attend` holds query, key and value over each other, `expand` gate and up."""

    before_attention: Array
    attend: Array
    attended: Array
    before_expansion: Array
    expand: Array
    contract: Array


@dataclass(slots=True)
class Memory:
    """Keys and values of the tokens read so far: (layers, 2, heads, capacity, head size)."""

    ids: list[int]
    kept: Array

    def fork(self, length: int, capacity: int) -> Memory:
        """A copy of the first `length` tokens with room for `capacity`."""
        layers, two, heads, _, head = self.kept.shape
        kept = np.empty((layers, two, heads, capacity, head), np.float32)
        kept[:, :, :, :length] = self.kept[:, :, :, :length]
        return Memory(self.ids[:length], kept)


class Network:
    """The trained decoder. It is never written to after loading, so threads may share it."""

    def __init__(self, folder: Path) -> None:
        from safetensors.numpy import load_file

        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        weights = {
            name: each.astype(np.float32) for name, each in load_file(folder / "model.safetensors").items()
        }
        self.heads = int(config["num_attention_heads"])
        self.width = int(config["hidden_size"])
        self.head = self.width // self.heads
        self.context = int(config["max_position_embeddings"])
        self.epsilon = np.float32(config["rms_norm_eps"])
        self.embedding = weights["model.embed_tokens.weight"]
        self.last_norm = weights["model.norm.weight"]
        self.layers = [_layer(weights, index) for index in range(int(config["num_hidden_layers"]))]
        steps = float(config["rope_theta"]) ** (-np.arange(0, self.head, 2) / self.head)
        angles = np.outer(np.arange(self.context), np.concatenate((steps, steps)))
        self.cosine, self.sine = np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)

    def new_memory(self, capacity: int) -> Memory:
        """An empty memory with room for so many tokens."""
        return Memory([], np.empty((len(self.layers), 2, self.heads, capacity, self.head), np.float32))

    def read(self, ids: Sequence[int], memory: Memory) -> Array:
        """Read tokens after those in the memory, which grows; gives the scores of the token to come."""
        start, count = len(memory.ids), len(ids)
        stop = start + count
        x = self.embedding[np.asarray(ids)]
        cosine, sine = self.cosine[start:stop], self.sine[start:stop]
        hidden = None if count == 1 else np.triu(np.full((count, stop), -np.inf, np.float32), start + 1)
        for layer, kept in zip(self.layers, memory.kept, strict=True):
            mixed = (self._norm(x, layer.before_attention) @ layer.attend).reshape(
                count, 3, self.heads, self.head
            )
            query, key, value = mixed.transpose(1, 2, 0, 3)
            kept[0, :, start:stop] = _rotate(key, cosine, sine)
            kept[1, :, start:stop] = value
            scores = _rotate(query, cosine, sine) @ kept[0, :, :stop].transpose(0, 2, 1)
            scores *= np.float32(self.head**-0.5)
            if hidden is not None:
                scores += hidden
            seen = _softmax(scores) @ kept[1, :, :stop]
            x = x + seen.transpose(1, 0, 2).reshape(count, self.width) @ layer.attended
            gate, up = np.split(self._norm(x, layer.before_expansion) @ layer.expand, 2, axis=-1)
            x = x + (gate / (1 + np.exp(-gate)) * up) @ layer.contract
        memory.ids.extend(ids)
        scored: Array = self.embedding @ self._norm(x[-1], self.last_norm)
        return scored

    def _norm(self, x: Array, weight: Array) -> Array:
        scale: Array = x / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + self.epsilon)
        return scale * weight


def _layer(weights: dict[str, Array], index: int) -> Layer:
    def transposed(*names: str) -> Array:
        return np.ascontiguousarray(np.concatenate([weights[f"{prefix}.{name}.weight"] for name in names]).T)

    prefix = f"model.layers.{index}"
    return Layer(
        before_attention=weights[f"{prefix}.input_layernorm.weight"],
        attend=transposed("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
        attended=transposed("self_attn.o_proj"),
        before_expansion=weights[f"{prefix}.post_attention_layernorm.weight"],
        expand=transposed("mlp.gate_proj", "mlp.up_proj"),
        contract=transposed("mlp.down_proj"),
    )


def _rotate(x: Array, cosine: Array, sine: Array) -> Array:
    half = x.shape[-1] // 2
    turned = np.concatenate((-x[..., half:], x[..., :half]), axis=-1)
    rotated: Array = x * cosine + turned * sine
    return rotated


def _softmax(scores: Array) -> Array:
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    shares: Array = weights / weights.sum(axis=-1, keepdims=True)
    return shares
