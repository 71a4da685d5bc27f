"""Trials on a dask cluster of real processes: the same report as in this one."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from dataclasses import astuple
from pathlib import Path
from typing import Any

import pytest
from kept_runs import FILE, Reckoner, Run, report_of
from openai_server import OpenAIServer, Serve, from_lm
from replay import always

from loopwright import ReAct, TaskFile
from loopwright.errors import ConfigurationError
from loopwright.evaluation import plan, run_trials
from loopwright.evaluation.runs.cluster import Cluster, TrialRef
from loopwright.models import LM


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A scheduler with two worker processes of one thread each."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, scheduler_port=0
    ) as cluster:
        yield str(cluster.scheduler_address)


@pytest.fixture
def server(openai_server: Serve) -> OpenAIServer:
    return openai_server(from_lm(always(Reckoner("1 + 2"))))


@pytest.fixture
def lm(server: OpenAIServer) -> LM:
    return LM("openai/any", api_base=server.url, cache=False)


def test_the_report_is_the_same_as_without_a_cluster(
    run: Run, tasks: Path, tmp_path: Path, address: str, lm: LM, server: OpenAIServer
) -> None:
    code, _, err = run(tasks, "--dask", address, "--epochs", "3", "--out", tmp_path / "far", lm=lm)
    assert code == 0, err
    assert len(server.requests) == 24
    run(tasks, "--epochs", "3", "--out", tmp_path / "near", lm=lm)
    assert report_of(tmp_path / "far") == report_of(tmp_path / "near")
    assert report_of(tmp_path / "far")["summary"]["passed"] == 9


def test_a_saved_program_goes_with_the_trials(
    run: Run, tasks: Path, tmp_path: Path, address: str, lm: LM, server: OpenAIServer
) -> None:
    learned = ReAct("question -> answer: int", tools=["calculate"])
    learned.react.signature = learned.react.signature.with_instructions("Reckon with care.")
    learned.save(tmp_path / "learned.json")
    assert run(tasks, "--dask", address, "--program", tmp_path / "learned.json", lm=lm)[0] == 0
    assert all("Reckon with care." in str(request.body["messages"]) for request in server.requests)


def test_a_budget_ends_a_run_on_a_cluster(
    run: Run, tasks: Path, tmp_path: Path, address: str, lm: LM
) -> None:
    out = tmp_path / "kept"
    code, _, err = run(
        tasks, "--dask", address, "--epochs", "20", "--budget", "calls=10", "--out", out, lm=lm
    )
    assert code == 4
    assert "stopped: the budget of 10 calls is used up" in err
    assert report_of(out)["summary"]["trials"] == 5  # two calls each: no more were begun than it has room for
    code, _, err = run(tasks, "--dask", address, "--epochs", "20", "--out", out, "--resume", lm=lm)
    assert code == 0
    assert report_of(out)["summary"]["trials"] == 80


def test_a_file_that_the_workers_read_otherwise_excludes_the_trials(
    run: Run, tasks: Path, address: str, lm: LM
) -> None:
    file = TaskFile.load(tasks)
    cluster = Cluster(address, {"sums": str(tasks)}, None, lm)
    tasks.write_text(FILE + "# another\n")
    results = list(run_trials(plan(file), executor=cluster))
    assert {result.outcome for result in results} == {"excluded"}
    assert "is another file where the dask worker runs" in results[0].error


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nonsense://nowhere"])
def test_an_address_at_which_nobody_answers_is_named(address: str, tasks: Path) -> None:
    with pytest.raises(ConfigurationError, match=f"no dask scheduler answers at {address}"):
        Cluster(address, {"sums": str(tasks)}, None, always(""), connecting=0.5)


def test_what_a_worker_needs_is_plain_data(tasks: Path) -> None:
    ref = TrialRef(str(tasks), "digest", "", "two", 1)
    again: Any = pickle.loads(pickle.dumps(ref))  # noqa: S301  # what was just written
    assert again == ref
    assert json.loads(json.dumps(astuple(ref))) == list(astuple(ref))
