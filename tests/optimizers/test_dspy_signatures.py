"""The optimizers are called as DSPy's: every argument of DSPy 3.4.1 has its place, its name and its default."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence

import pytest

from loopwright import (
    COPRO,
    GEPA,
    KNN,
    SIMBA,
    BootstrapFewShot,
    BootstrapFewShotWithRandomSearch,
    BootstrapRS,
    Ensemble,
    KNNFewShot,
    LabeledFewShot,
    MIPROv2,
)

CONSTRUCTORS: dict[str, tuple[Callable[..., object], Sequence[str]]] = {
    "LabeledFewShot": (LabeledFewShot, ["k=16"]),
    "BootstrapFewShot": (
        BootstrapFewShot,
        [
            "metric=None",
            "metric_threshold=None",
            "teacher_settings=None",
            "max_bootstrapped_demos=4",
            "max_labeled_demos=16",
            "max_rounds=1",
            "max_errors=None",
        ],
    ),
    "BootstrapFewShotWithRandomSearch": (
        BootstrapFewShotWithRandomSearch,
        [
            "metric",
            "teacher_settings=None",
            "max_bootstrapped_demos=4",
            "max_labeled_demos=16",
            "max_rounds=1",
            "num_candidate_programs=16",
            "num_threads=None",
            "max_errors=None",
            "stop_at_score=None",
            "metric_threshold=None",
        ],
    ),
    "KNNFewShot": (KNNFewShot, ["k", "trainset", "vectorizer=None"]),
    "KNN": (KNN, ["k", "trainset", "vectorizer=None"]),
    "MIPROv2": (
        MIPROv2,
        [
            "metric",
            "prompt_model=None",
            "task_model=None",
            "teacher_settings=None",
            "max_bootstrapped_demos=4",
            "max_labeled_demos=4",
            "auto='light'",
            "num_candidates=None",
            "num_threads=None",
            "max_errors=None",
            "seed=9",
            "init_temperature=1.0",
            "verbose=False",
            "track_stats=True",
            "log_dir=None",
            "metric_threshold=None",
        ],
    ),
    "COPRO": (
        COPRO,
        [
            "prompt_model=None",
            "metric=None",
            "breadth=10",
            "depth=3",
            "init_temperature=1.4",
            "track_stats=False",
        ],
    ),
}

KEYWORDS: dict[str, tuple[Callable[..., object], Sequence[str]]] = {
    "GEPA": (
        GEPA,
        [
            "auto=None",
            "max_full_evals=None",
            "max_metric_calls=None",
            "reflection_minibatch_size=3",
            "candidate_selection_strategy='pareto'",
            "reflection_lm=None",
            "skip_perfect_score=True",
            "add_format_failure_as_feedback=False",
            "instruction_proposer=None",
            "code_proposer=None",
            "component_selector='round_robin'",
            "use_merge=True",
            "max_merge_invocations=5",
            "num_threads=None",
            "failure_score=0.0",
            "perfect_score=1.0",
            "log_dir=None",
            "track_stats=False",
            "use_wandb=False",
            "wandb_api_key=None",
            "wandb_init_kwargs=None",
            "track_best_outputs=False",
            "warn_on_score_mismatch=True",
            "use_mlflow=False",
            "seed=0",
            "gepa_kwargs=None",
        ],
    ),
    "SIMBA": (
        SIMBA,
        [
            "metric",
            "bsize=32",
            "num_candidates=6",
            "max_steps=8",
            "max_demos=4",
            "prompt_model=None",
            "teacher_settings=None",
            "demo_input_field_maxlen=100000",
            "num_threads=None",
            "temperature_for_sampling=0.2",
            "temperature_for_candidates=0.2",
        ],
    ),
    "Ensemble": (Ensemble, ["reduce_fn=None", "size=None", "deterministic=False"]),
}

SHARED = ["student", "trainset"]
COMPILES: dict[str, tuple[Callable[..., object], Sequence[str]]] = {
    "LabeledFewShot": (LabeledFewShot.compile, [*SHARED, "sample=True"]),
    "BootstrapFewShot": (BootstrapFewShot.compile, SHARED),
    "BootstrapRS": (BootstrapRS.compile, [*SHARED, "restrict=None", "labeled_sample=True"]),
    "KNNFewShot": (KNNFewShot.compile, ["student"]),
    "MIPROv2": (
        MIPROv2.compile,
        [
            *SHARED,
            "num_trials=None",
            "max_bootstrapped_demos=None",
            "max_labeled_demos=None",
            "seed=None",
            "minibatch=True",
            "minibatch_size=35",
            "minibatch_full_eval_steps=5",
            "program_aware_proposer=True",
            "data_aware_proposer=True",
            "view_data_batch_size=10",
            "tip_aware_proposer=True",
            "fewshot_aware_proposer=True",
            "requires_permission_to_run=None",
            "provide_traceback=None",
        ],
    ),
    "GEPA": (GEPA.compile, SHARED),
    "SIMBA": (SIMBA.compile, [*SHARED, "seed=0"]),
    "COPRO": (COPRO.compile, [*SHARED, "eval_kwargs=None"]),
    "Ensemble": (Ensemble.compile, ["programs"]),
}


def parameters(function: Callable[..., object]) -> list[inspect.Parameter]:
    found = inspect.signature(function).parameters.values()
    return [one for one in found if one.name != "self"]


def written(parameter: inspect.Parameter) -> str:
    return (
        parameter.name if parameter.default is parameter.empty else f"{parameter.name}={parameter.default!r}"
    )


@pytest.mark.parametrize("name", CONSTRUCTORS)
def test_a_constructor_takes_dspys_arguments_in_their_order(name: str) -> None:
    function, wanted = CONSTRUCTORS[name]
    assert [written(one) for one in parameters(function)][: len(wanted)] == wanted


@pytest.mark.parametrize("name", KEYWORDS)
def test_a_constructor_of_keywords_takes_them_all(name: str) -> None:
    function, wanted = KEYWORDS[name]
    assert set(wanted) <= {written(one) for one in parameters(function)}


@pytest.mark.parametrize("name", COMPILES)
def test_compile_takes_dspys_arguments(name: str) -> None:
    function, wanted = COMPILES[name]
    assert set(wanted) <= {written(one) for one in parameters(function)}


@pytest.mark.parametrize("name", [name for name in COMPILES if name != "Ensemble"])
def test_every_compile_takes_a_valset_a_teacher_and_a_budget(name: str) -> None:
    from loopwright.optimizers.options import CompileOptions

    function, _ = COMPILES[name]
    assert parameters(function)[-1].annotation == "Unpack[CompileOptions]"
    assert {"valset", "teacher", "budget", "store", "num_threads"} <= set(CompileOptions.__annotations__)
