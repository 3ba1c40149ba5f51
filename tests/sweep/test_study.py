"""Workers share a study: nothing is run twice, nothing that was begun is lost."""

import json
import multiprocessing
import os

import pytest
from optuna.trial import TrialState

from ppvd.sweep.report import best_lines, report_lines, status_lines
from ppvd.sweep.space import Sweep, read_sweep
from ppvd.sweep.study import SharedStudy
from ppvd.sweep.trials import TrialCommand, read_run

SPACE = {"x": {"low": -5.0, "high": 5.0}, "y": {"choices": [0, 1, 2]}}


def sweep(**settings):
    return Sweep(**{"name": "bowl", "metric": "val/bowl", "space": SPACE, **settings})


def bowl(params):
    return (params["x"] - 2) ** 2 + (params["y"] - 1) ** 2


def work(study):
    done = []
    while trial := study.claim():
        study.finish(trial, bowl(trial.params))
        done.append(trial.number)
    return done


def test_the_bottom_of_a_bowl_is_found(tmp_path):
    study = SharedStudy(sweep(num_trials=60), tmp_path)
    assert work(study) == list(range(60))
    assert min(trial.value for trial in study.trials) < 0.05


def test_a_grid_has_each_combination_once(tmp_path):
    space = {"x": {"choices": [0, 1]}, "y": {"choices": ["a", "b", "c"]}}
    study = SharedStudy(sweep(space=space, sampler="grid", num_trials=99), tmp_path)
    seen = []
    while trial := study.claim():
        seen.append((trial.params["x"], trial.params["y"]))
        study.finish(trial, 0.0)
    assert sorted(seen) == [(x, y) for x in (0, 1) for y in "abc"]


def _worker(folder, path):
    path.write_text(json.dumps(work(SharedStudy(sweep(num_trials=12, sampler="random"), folder))))


def test_two_workers_share_the_trials_without_doubling(tmp_path):
    context = multiprocessing.get_context("spawn")
    files = [tmp_path / "one", tmp_path / "two"]
    workers = [context.Process(target=_worker, args=(tmp_path / "s", f)) for f in files]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    done = [number for file in files for number in json.loads(file.read_text())]
    assert sorted(done) == list(range(12))


def test_equal_settings_are_not_run_twice(tmp_path):
    space = {"y": {"choices": [0, 1]}}
    study = SharedStudy(sweep(space=space, sampler="random", num_trials=8), tmp_path)
    run = []
    while trial := study.claim():
        run.append(trial.params["y"])
        study.finish(trial, float(trial.params["y"]))
    assert sorted(run) == [0, 1]
    assert len(study.trials) == 8
    assert all(trial.value == trial.params["y"] for trial in study.trials)


def test_a_trial_of_a_worker_that_is_gone_is_handed_on(tmp_path):
    study = SharedStudy(sweep(num_trials=2), tmp_path)
    first = study.claim()
    gone = {**first.user_attrs["owner"], "worker": 2**22 + 1}  # Above what Linux counts to.
    first.set_user_attr("owner", gone)
    other = SharedStudy(sweep(num_trials=2), tmp_path)
    again = other.claim()
    assert (again.number, again.params) == (first.number, first.params)
    assert again.user_attrs["owner"]["worker"] == os.getpid()
    assert other.claim().number == 1
    assert other.claim() is None
    other.finish(again, 1.0)
    assert study.trials[0].state == TrialState.COMPLETE


def test_a_worker_of_another_machine_is_believed_to_live(tmp_path):
    study = SharedStudy(sweep(num_trials=1), tmp_path)
    trial = study.claim()
    trial.set_user_attr("owner", {"host": "elsewhere", "worker": 2**22 + 1, "job": None})
    assert SharedStudy(sweep(num_trials=1), tmp_path).claim() is None


@pytest.mark.parametrize(
    ("jobs", "lives"),
    [({"5_1.0", "5_2.1"}, True), ({"5_1.0", "5_2.2"}, False), (set(), False), (None, True)],
)
def test_a_worker_of_slurm_lives_while_that_run_of_its_job_does(tmp_path, monkeypatch, jobs, lives):
    study = SharedStudy(sweep(num_trials=1), tmp_path)
    trial = study.claim()
    trial.set_user_attr("owner", {"host": "elsewhere", "worker": 1, "job": "5_2.1"})
    monkeypatch.setattr("ppvd.slurm.runs_at_work", lambda: jobs)
    (line,) = status_lines(study.sweep, study.trials)[1:]
    assert line.startswith(f"  trial 0: {'runs in' if lives else 'left by'} job 5_2.1 on elsewhere")
    again = study.claim()
    assert (again is None) == lives


def test_a_job_that_was_started_again_takes_its_own_trial(tmp_path, monkeypatch):
    monkeypatch.setattr("ppvd.slurm.runs_at_work", lambda: {"5.1"})
    monkeypatch.setenv("SLURM_JOB_ID", "5")
    first = SharedStudy(sweep(num_trials=1), tmp_path).claim()
    monkeypatch.setenv("SLURM_RESTART_COUNT", "1")
    again = SharedStudy(sweep(num_trials=1), tmp_path).claim()
    assert again.number == first.number
    assert again.user_attrs["owner"]["job"] == "5.1"


def test_trials_that_lag_behind_are_ended(tmp_path):
    settings = {"asha": True, "first_rung": 10, "reduction": 2, "num_trials": 6}
    study = SharedStudy(sweep(sampler="random", **settings), tmp_path)
    ended = []
    for _ in range(6):
        trial = study.claim()
        trial.report(float(trial.number), 10)
        ended.append(trial.should_prune())
    assert not ended[0]
    assert all(ended[1:])


def test_a_trial_is_a_plain_fit_with_a_folder_of_its_own():
    command = TrialCommand(["-c", "a.yaml"], "bowl")
    assert command(3, {"x": 0.5, "y": "name", "z": None}) == [
        "fit",
        "-c",
        "a.yaml",
        "--x=0.5",
        "--y=name",
        "--z=null",
        "--experiment=sweeps/bowl/trial_3",
        "--ckpt_path=last",
    ]


def test_what_is_known_is_told(tmp_path):
    study = SharedStudy(sweep(num_trials=3, sampler="random"), tmp_path)
    values = [0.5, 0.25]
    for value in values:
        study.finish(study.claim(), value)
    study.fail(study.claim(), "it ended with code 1")
    told = status_lines(study.sweep, study.trials)
    assert told == [
        "bowl: 3 of 3 trials begun: 2 complete, 1 fail",
        "  trial 2: it ended with code 1",
    ]
    best = best_lines(study.sweep, study.trials, TrialCommand(["-c", "a"], "bowl"), tmp_path)
    assert best[0] == "trial 1: val/bowl = 0.25"
    assert "again: ppvd fit -c a --x=" in best[-1]
    table = report_lines(study.sweep, study.trials)
    assert table[0] == "| trial | val/bowl | x | y |"
    assert [line.split(" | ")[0] for line in table[2:]] == ["| 1", "| 0"]


def test_a_trial_that_has_written_nothing_is_an_empty_run(tmp_path):
    assert read_run(tmp_path) == {}


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ([], "sweep must be a mapping"),
        ({"name": "a", "metric": "b"}, "sweep must set space"),
        ({"nome": "a"}, "sweep has no setting nome; it has asha, "),
        ({"name": "a", "metric": "b", "space": {}}, "space must name at least one key"),
        ({"name": "a", "metric": "b", "space": SPACE, "sampler": "cma"}, "sampler must be one of"),
        ({"name": "a", "metric": "b", "space": SPACE, "sampler": "grid"}, "space of a grid must"),
    ],
)
def test_what_is_no_sweep_is_refused(given, sentence):
    with pytest.raises(ValueError, match=sentence):
        read_sweep(given)


def test_what_is_no_range_is_refused():
    with pytest.raises(ValueError, match=r"space of x must be \{choices"):
        _ = sweep(space={"x": {"lowest": 1}}).distributions
