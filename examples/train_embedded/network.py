"""The decoder in torch, under the names that `transformers` gives to a Llama's weights."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of the network; `context` is the longest conversation in tokens."""

    vocabulary: int = 1536
    width: int = 256
    layers: int = 5
    heads: int = 4
    inner: int = 640
    context: int = 1024
    theta: float = 10000.0
    epsilon: float = 1e-5

    @property
    def head(self) -> int:
        return self.width // self.heads


class Norm(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(shape.width))
        self.epsilon = shape.epsilon

    def forward(self, x: Tensor) -> Tensor:
        scaled = x * torch.rsqrt(x.square().mean(-1, keepdim=True) + self.epsilon)
        return (scaled * self.weight).bfloat16()


def project(x: Tensor, *weights: Tensor) -> Tensor:
    """A bfloat16 product with the float32 master weights."""
    weight = weights[0] if len(weights) == 1 else torch.cat(weights)
    return functional.linear(x, weight.bfloat16())


class Linear(nn.Module):
    def __init__(self, inputs: int, outputs: int, spread: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) * spread)


def rotate(x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    half = x.shape[-1] // 2
    turned = torch.cat((-x[..., half:], x[..., :half]), -1)
    return x * cosine + turned * sine


class Attention(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.heads, self.head = shape.heads, shape.head
        width, spread = shape.width, shape.width**-0.5
        self.q_proj, self.k_proj, self.v_proj = (Linear(width, width, spread) for _ in range(3))
        self.o_proj = Linear(width, width, spread / (2 * shape.layers) ** 0.5)

    def forward(self, x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
        rows, length, width = x.shape
        mixed = project(x, self.q_proj.weight, self.k_proj.weight, self.v_proj.weight)
        query, key, value = mixed.view(rows, length, 3, self.heads, self.head).permute(2, 0, 3, 1, 4)
        query, key = rotate(query, cosine, sine), rotate(key, cosine, sine)
        seen = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        return project(seen.transpose(1, 2).reshape(rows, length, width), self.o_proj.weight)


class Feedforward(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        spread = shape.width**-0.5
        self.gate_proj, self.up_proj = (Linear(shape.width, shape.inner, spread) for _ in range(2))
        self.down_proj = Linear(shape.inner, shape.width, shape.inner**-0.5 / (2 * shape.layers) ** 0.5)

    def forward(self, x: Tensor) -> Tensor:
        gate, up = project(x, self.gate_proj.weight, self.up_proj.weight).chunk(2, -1)
        return project(functional.silu(gate) * up, self.down_proj.weight)


class Block(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.input_layernorm, self.post_attention_layernorm = Norm(shape), Norm(shape)
        self.self_attn, self.mlp = Attention(shape), Feedforward(shape)

    def forward(self, x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
        x = x + self.self_attn(self.input_layernorm(x), cosine, sine)
        return x + self.mlp(self.post_attention_layernorm(x))


class Decoder(nn.Module):
    """Token ids (rows, length) to the last hidden state; `logits` gives the next token's."""

    cosine: Tensor
    sine: Tensor

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.embed_tokens = nn.Embedding(shape.vocabulary, shape.width)
        nn.init.normal_(self.embed_tokens.weight, std=shape.width**-0.5)
        self.layers = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.norm = Norm(shape)
        angles = torch.outer(
            torch.arange(shape.context).float(), shape.theta ** (-torch.arange(0, shape.head, 2) / shape.head)
        )
        angles = torch.cat((angles, angles), -1)
        self.register_buffer("cosine", angles.cos().bfloat16(), persistent=False)
        self.register_buffer("sine", angles.sin().bfloat16(), persistent=False)

    def forward(self, ids: Tensor) -> Tensor:
        length = ids.shape[1]
        cosine, sine = self.cosine[:length], self.sine[:length]
        x = self.embed_tokens(ids)
        for layer in self.layers:
            x = layer(x, cosine, sine)
        return self.norm(x)

    def logits(self, hidden: Tensor) -> Tensor:
        return project(hidden, self.embed_tokens.weight).float()
