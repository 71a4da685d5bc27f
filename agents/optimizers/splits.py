"""Which examples belong together, and splits that keep them together."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence

from ..adapters.values import to_plain
from ..evaluation.tasks import TASK_ID, TaskFile
from ..example import Example
from .driving.rollouts import draws

SITUATION = "situation "  # how the group of a task begins that is more than its inputs
GROUP = "group"  # the label that says what examples belong together: one customer, one document, one seed question


def group_of(example: Example) -> str:
    """The group of an example: its label `group`, else its inputs, so that a repeated row is of one group.

    >>> one = Example(question="2 + 2?", answer="4").with_inputs("question")
    >>> group_of(one) == group_of(one.copy(answer="four").with_inputs("question"))
    True
    >>> group_of(one.copy(group="sums").with_inputs("question"))
    'sums'
    """
    label = example.get(GROUP)
    if label is not None and not (example.has_inputs and GROUP in example.input_keys):
        return str(label)
    return task_of(example, named=False)


def task_of(example: Example, *, named: bool = True) -> str:
    """The name of an example: its label `task_id`, else a hash of its inputs."""
    label = example.get(TASK_ID)
    if named and label is not None and not (example.has_inputs and TASK_ID in example.input_keys):
        return str(label)
    fields = example.inputs() if example.has_inputs else example.without(*({GROUP, TASK_ID} & {*example}))
    return hashlib.sha256(_text(fields).encode()).hexdigest()[:12]


def of_example(demo: Example, example: Example) -> Example:
    """The demonstration, marked with the task and the group of the example that it comes of.

    >>> of_example(Example(n=1), Example(question="?", task_id="t1", group="g").with_inputs("question"))
    Example(n=1, task_id='t1', group='g')
    """
    marks = {TASK_ID: task_of(example), GROUP: group_of(example)}
    keys = demo.input_keys if demo.has_inputs else ()
    marked = demo.copy(**{name: mark for name, mark in marks.items() if name not in keys})
    return marked.with_inputs(*keys) if demo.has_inputs else marked


def told_apart(file: TaskFile | None, examples: Sequence[Example]) -> list[Example]:
    """Examples of a task file, of which those with turns, a world or faults are grouped by all of that.

    What is given at first may be the same in many of them: everybody says hello.
    """
    return [example if file is None else _of_its_own(file, example) for example in examples]


def _of_its_own(file: TaskFile, example: Example) -> Example:
    task = file.task(example[TASK_ID]) if TASK_ID in example else None
    if task is None or GROUP in example or not (task.turns or task.world or task.faults):
        return example
    all_of_it = task.model_dump(mode="json", include={"input", "turns", "world", "faults"})
    mark = hashlib.sha256(_text(all_of_it).encode()).hexdigest()[:12]
    return example.copy(**{GROUP: f"{SITUATION}{mark}"}).with_inputs(*example.input_keys)


def is_of(demo: Example, example: Example) -> bool:
    """Whether a demonstration is of the example's own task or group, or shows the same inputs."""
    if demo.get(GROUP) == group_of(example) or demo.get(TASK_ID) == task_of(example):
        return True
    if group_of(example).startswith(SITUATION):
        return False  # the same words in another world, or with other turns after them, are another task
    own = example.inputs().toDict()
    return all(name in demo for name in own) and _text({n: demo[n] for n in own}) == _text(own)


def grouped(examples: Iterable[Example]) -> dict[str, list[Example]]:
    """The examples by group, in the order in which the groups come first."""
    groups: dict[str, list[Example]] = {}
    for example in examples:
        groups.setdefault(group_of(example), []).append(example)
    return groups


def distinct(examples: Iterable[Example]) -> list[Example]:
    """The examples without those that repeat the inputs, or all of the situation, of an earlier one."""
    seen: dict[str, Example] = {}
    for example in examples:
        group = group_of(example)
        seen.setdefault(group if group.startswith(SITUATION) else _text(example.inputs()), example)
    return list(seen.values())


def split(examples: Sequence[Example], shares: Mapping[str, float], seed: int) -> dict[str, list[Example]]:
    """Examples in parts of about these shares; what is of one group is in one part. Each part keeps the given order.

    A part whose share is above 0 gets a group where there are enough of them.

    >>> rows = [Example(n=n, group=n // 2).with_inputs("n") for n in range(8)]
    >>> parts = split(rows, {"train": 0.5, "val": 0.5}, seed=0)
    >>> sorted(len(part) for part in parts.values()), {row.group for row in parts["train"]} & {row.group for row in parts["val"]}
    ([4, 4], set())
    """
    groups = grouped(examples)
    names = sorted(groups)
    draws(seed, "split").shuffle(names)
    wanted = {part: share * len(examples) / sum(shares.values()) for part, share in shares.items()}
    chosen: dict[str, set[str]] = {part: set() for part in shares}
    size = dict.fromkeys(shares, 0)
    for name in names:
        # the part that is furthest from what it should have; the first of several
        part = max(shares, key=lambda one: (wanted[one] - size[one]) / max(wanted[one], 1e-9))
        chosen[part].add(name)
        size[part] += len(groups[name])
    return {part: [one for one in examples if group_of(one) in chosen[part]] for part in shares}


def apart_from(examples: Sequence[Example], others: Iterable[Example]) -> list[Example]:
    """The examples whose group none of the others has."""
    taken = {group_of(other) for other in others}
    return [example for example in examples if group_of(example) not in taken]


def _text(fields: Example | Mapping[str, object]) -> str:
    return json.dumps(to_plain(dict(fields.items())), sort_keys=True, default=repr)
