"""Train the embedded model: `python -m examples.train_embedded.train --minutes 95`.

One run goes from copying over single calls to whole episodes, and its learning rate falls to nothing when
the planned minutes are over, however fast the machine is. A run that was stopped goes on from its last
checkpoint. `--export` writes the weights for the package.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor, distributed
from torch.multiprocessing.spawn import spawn
from torch.nn import functional

from . import mixture
from .network import Decoder, Shape
from .probe import probe_rows, right_calls
from .tokens import encode_row, train_tokenizer

LENGTHS = (128, 192, 256, 352, 640)
"""Rows are padded to one of these; longer ones are left out."""


_PAUSE = 240  # seconds between checkpoints


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run is given."""

    folder: Path
    minutes: float
    seed: int
    workers: int
    rank: int = 0
    batch_tokens: int = 4096
    pool: int = 192
    matrix_rate: float = 0.02
    other_rate: float = 0.004
    warmup: int = 60
    steady: float = 0.4
    peak: float = 1.0
    resumed: int = 0


@dataclass(slots=True)
class Clock:
    """How far the run is: seconds of training, batches, rows drawn and tokens seen, over all resumptions."""

    seconds: float = 0.0
    step: int = 0
    row: int = 0
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class Batch:
    ids: Tensor
    learnt: Tensor
    """Flat positions (row * length + column) whose next token is the model's own."""
    tokens: int


def batches(tokenizer: Tokenizer, plan: Plan, clock: Clock) -> Iterator[Batch]:
    """Batches of rows of like length, in random order within a pool."""
    generator = torch.Generator().manual_seed(plan.seed + clock.row + plan.rank)
    waiting: dict[int, list[tuple[list[int], list[bool]]]] = {length: [] for length in LENGTHS}
    source = mixture.rows(plan.seed, clock.row + plan.rank, plan.workers, lambda: progress(plan, clock))
    while True:
        ready: list[Batch] = []
        for _ in range(plan.pool):
            ids, own = encode_row(tokenizer, next(source))
            clock.row += plan.workers
            length = next((each for each in LENGTHS if each >= len(ids)), None)
            if length is None:
                continue
            waiting[length].append((ids, own))
            if len(waiting[length]) == plan.batch_tokens // length:
                ready.append(_stack(waiting[length], length))
                waiting[length] = []
        for index in torch.randperm(len(ready), generator=generator).tolist():
            yield ready[index]


def _stack(rows: list[tuple[list[int], list[bool]]], length: int) -> Batch:
    ids = torch.zeros(len(rows), length, dtype=torch.long)
    own = torch.zeros(len(rows), length, dtype=torch.bool)
    for index, (row, mine) in enumerate(rows):
        ids[index, : len(row)] = torch.tensor(row)
        own[index, : len(row)] = torch.tensor(mine)
    learnt = torch.zeros_like(own)
    learnt[:, :-1] = own[:, 1:]
    return Batch(ids, learnt.flatten().nonzero().squeeze(1), sum(len(row) for row, _ in rows))


def progress(plan: Plan, clock: Clock) -> float:
    return min(1.0, clock.seconds / (60 * plan.minutes))


def rate(plan: Plan, clock: Clock) -> float:
    """The factor on the learning rates: a warm-up after every start, a plateau, a straight fall to nothing."""
    done = progress(plan, clock)
    warm = (clock.step - plan.resumed + 1) / plan.warmup
    return min(plan.peak, plan.peak * warm, max(0.0, (1 - done) / (1 - plan.steady)))


def optimizers(model: Decoder, plan: Plan) -> list[torch.optim.Optimizer]:
    """Muon for the matrices, AdamW for the embedding and the norms."""
    matrices = [each for each in model.layers.parameters() if each.ndim == 2]
    taken = set(map(id, matrices))
    others = [each for each in model.parameters() if id(each) not in taken]
    return [
        torch.optim.Muon(matrices, lr=plan.matrix_rate, momentum=0.95, weight_decay=0.02, ns_steps=5),
        torch.optim.AdamW(others, lr=plan.other_rate, betas=(0.9, 0.95), weight_decay=0.0),
    ]


def save(plan: Plan, model: Decoder, optimisers: list[torch.optim.Optimizer], clock: Clock) -> None:
    state = {
        "model": model.state_dict(),
        "optimizers": [each.state_dict() for each in optimisers],
        "clock": asdict(clock),
    }
    state["shape"] = asdict(model.shape)
    torch.save(state, plan.folder / "checkpoint.tmp")
    (plan.folder / "checkpoint.tmp").replace(plan.folder / "checkpoint.pt")


def train(plan: Plan, shape: Shape) -> None:
    """Run to the end of the plan, from the folder's checkpoint if it has one."""
    torch.manual_seed(plan.seed)
    torch.set_num_threads(1)
    tokenizer = Tokenizer.from_file(str(plan.folder / "tokenizer.json"))
    tokenizer.encode_special_tokens = True
    model, clock = Decoder(shape), Clock()
    optimisers = optimizers(model, plan)
    base = [group["lr"] for each in optimisers for group in each.param_groups]
    if (plan.folder / "checkpoint.pt").exists():
        state = torch.load(plan.folder / "checkpoint.pt")
        model.load_state_dict(state["model"])
        for each, saved in zip(optimisers, state["optimizers"], strict=True):
            each.load_state_dict(saved)
        clock = Clock(**state["clock"])
        plan = replace(plan, resumed=clock.step, warmup=10)  # the optimisers' averages are there
    probes = probe_rows(tokenizer) if plan.rank == 0 else {}
    for _ in _steps(plan, model, optimisers, base, clock, batches(tokenizer, plan, clock)):
        if plan.rank == 0:
            save(plan, model, optimisers, clock)
            print(json.dumps({"step": clock.step, "calls right": right_calls(model, probes)}), flush=True)


def _steps(
    plan: Plan,
    model: Decoder,
    optimisers: list[torch.optim.Optimizer],
    base: list[float],
    clock: Clock,
    source: Iterator[Batch],
) -> Iterator[None]:
    """Train; yields every few minutes and at the end, for what is to be done then."""
    forward = torch.compile(model, dynamic=False)
    torch._dynamo.config.cache_size_limit = 2 * len(LENGTHS)  # one compiled form a length
    last, saved, losses = time.monotonic(), time.monotonic(), 0.0
    while progress(plan, clock) < 1:
        batch = next(source)
        hidden = forward(batch.ids).flatten(0, 1)
        targets = batch.ids.flatten()[batch.learnt + 1]
        loss = functional.cross_entropy(model.logits(hidden[batch.learnt]), targets)
        loss.backward()
        clock.seconds = _share(plan, model, clock.seconds + time.monotonic() - last)
        last = time.monotonic()
        factor = rate(plan, clock)
        for group, full in zip((g for each in optimisers for g in each.param_groups), base, strict=True):
            group["lr"] = full * factor
        for each in optimisers:
            each.step()
            each.zero_grad(set_to_none=True)
        clock.step, clock.tokens = clock.step + 1, clock.tokens + plan.workers * batch.tokens
        losses = loss.item() if clock.step == 1 else 0.95 * losses + 0.05 * loss.item()
        if plan.rank == 0 and clock.step % 20 == 0:
            figures = {
                "step": clock.step,
                "minutes": round(clock.seconds / 60, 2),
                "tokens": clock.tokens,
                "loss": round(losses, 4),
                "rate": round(factor, 3),
            }
            print(json.dumps(figures), flush=True)
        if time.monotonic() - saved > _PAUSE:
            yield
            saved = time.monotonic()
    yield


def _share(plan: Plan, model: Decoder, seconds: float) -> float:
    """Average the gradients over the workers, and give all of them the first one's clock."""
    if plan.workers == 1:
        return seconds
    gradients = [each.grad for each in model.parameters() if each.grad is not None]
    told = torch.tensor([seconds if plan.rank == 0 else 0.0])
    flat = torch.cat([*(each.flatten() for each in gradients), told])
    distributed.all_reduce(flat)
    for gradient, shared in zip(
        gradients, flat[:-1].split([each.numel() for each in gradients]), strict=True
    ):
        gradient.copy_(shared.view_as(gradient) / plan.workers)
    return float(flat[-1])


def work(rank: int, plan: Plan, shape: Shape) -> None:
    """One worker's run: a process of one thread, since threads that share a core wait for each other."""
    if plan.workers > 1:
        meeting = f"file://{(plan.folder / 'meeting').resolve()}"
        distributed.init_process_group("gloo", init_method=meeting, rank=rank, world_size=plan.workers)
    train(replace(plan, rank=rank), shape)


def run(plan: Plan, shape: Shape) -> None:
    """Make the tokenizer where there is none, then train with all workers."""
    plan.folder.mkdir(parents=True, exist_ok=True)
    (plan.folder / "meeting").unlink(missing_ok=True)
    at = plan.folder / "tokenizer.json"
    if not at.exists():
        train_tokenizer(plan.seed, shape.vocabulary).save(str(at))
    spawn(work, (plan, shape), nprocs=plan.workers)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path(".training/embedded"))
    parser.add_argument("--minutes", type=float, default=95)
    parser.add_argument("--peak", type=float, default=1.0, help="the highest factor on the learning rates")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2, help="processes of one thread each")
    options = parser.parse_args()
    run(Plan(options.folder, options.minutes, options.seed, options.workers, peak=options.peak), Shape())


if __name__ == "__main__":
    main()
