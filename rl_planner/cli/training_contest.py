"""One training of `rl_planner benchmark training`: on the clock, and judged off it."""

from __future__ import annotations

import argparse
import functools
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch

from rl_planner.cli import train as train_command
from rl_planner.cli.training_setup import make_environment, make_learner, make_pool
from rl_planner.evaluation.learned import LearnedPlanner
from rl_planner.evaluation.runner import evaluate
from rl_planner.evaluation.scenario import Scenario
from rl_planner.evaluation.setting import Setting
from rl_planner.evaluation.suites import make_suite
from rl_planner.learning.run import RunFolder
from rl_planner.learning.training import Budget, train
from rl_planner.navigation.policy import Policy
from rl_planner.navigation.task import Outcome

OURS, PEERS = 'rl_planner', 'stable-baselines3'
THRESHOLDS = (0.90, 0.95)
EVALUATION_SEED = 1000  # of the worlds; a purpose of their own keeps them apart from training


@dataclass(frozen=True)
class Contestant:
    """What learns: a library's algorithm, with our hyperparameters ('ours') or its 'defaults'."""

    library: str
    algorithm: str
    recipe: str


@dataclass(frozen=True)
class Conditions:
    """What is the same for all.

    Attributes:
        budget_sec: on the clock.
        every_sec: on the clock, from one evaluation to the next.
        curve_episodes: of each of those.
        final_episodes: others, of the policy at the end.
    """

    budget_sec: float
    every_sec: float = 2.0
    curve_episodes: int = 512
    final_episodes: int = 2000


class Trained(NamedTuple):
    """What a training has led to."""

    policy: Policy
    transitions: int
    updates: int


class TrainingClock:
    """CPU time of this process since `start` (s), bar what passes while it is stopped."""

    def __init__(self) -> None:
        self.start()

    def start(self) -> None:
        self._cpu, self._wall = time.process_time(), time.monotonic()

    def __call__(self) -> float:
        return time.process_time() - self._cpu

    def wall(self) -> float:
        """Wall-clock time, likewise."""
        return time.monotonic() - self._wall

    @contextmanager
    def stopped(self) -> Iterator[None]:
        cpu, wall = self(), self.wall()
        yield
        self._cpu, self._wall = time.process_time() - cpu, time.monotonic() - wall


class Judge:
    """Evaluates a policy in training every so often, and keeps what came of it.

    All contestants are judged in the same unseen worlds, without exploration.
    """

    def __init__(self, conditions: Conditions) -> None:
        self.conditions, self.clock = conditions, TrainingClock()
        self._setting = Setting()
        scenarios = _scenarios(conditions.curve_episodes + conditions.final_episodes)
        self._of_curve = scenarios[: conditions.curve_episodes]
        self._of_end = scenarios[conditions.curve_episodes :]
        self._curve: list[tuple[float, float, float]] = []  # CPU time, wall time, success
        self._next = conditions.every_sec

    def watch(self, policy: Policy) -> None:
        """Evaluate `policy`, off the clock."""
        with self.clock.stopped():
            moment = self.clock(), self.clock.wall()
            self._curve.append((*moment, self._success_rate(policy, self._of_curve)))
        while self._next <= moment[0]:
            self._next += self.conditions.every_sec

    def due(self) -> bool:
        return self.clock() >= self._next

    def row(self, trained: Trained) -> dict[str, Any]:
        """The figures of a training that has just ended, its last policy evaluated once more."""
        figures: dict[str, Any] = {'seconds': self.clock(), 'wall_seconds': self.clock.wall()}
        for threshold in THRESHOLDS:
            reached = [point[:2] for point in self._curve if point[2] >= threshold]
            cpu, wall = reached[0] if reached else (None, None)
            figures[f'seconds_to_{100 * threshold:.0f}'] = cpu
            figures[f'wall_seconds_to_{100 * threshold:.0f}'] = wall
        return {
            **figures,
            'final_success': self._success_rate(trained.policy, self._of_end),
            'transitions': trained.transitions,
            'updates': trained.updates,
            'curve': [[cpu, success] for cpu, _, success in self._curve],
        }

    def warm_up(self, policy: Policy) -> None:
        """Judge once for nothing: what is compiled then is not compiled on the clock."""
        self._success_rate(policy, self._of_curve[:1])

    def _success_rate(self, policy: Policy, scenarios: Sequence[Scenario]) -> float:
        run = evaluate(LearnedPlanner(policy, self._setting), scenarios, self._setting)
        if run.interrupted:
            raise KeyboardInterrupt
        return sum(each.outcome == Outcome.GOAL for each in run.results) / len(scenarios)


@functools.cache
def _scenarios(count: int) -> Sequence[Scenario]:
    return make_suite('static', count, EVALUATION_SEED).scenarios


def run_training(contestant: Contestant, seed: int, conditions: Conditions) -> dict[str, Any]:
    """Train one contestant with one seed; its figures, as --json lists them."""
    torch.set_num_threads(1)
    judge = Judge(conditions)
    settings = _settings(contestant.algorithm, seed, conditions.budget_sec)
    if contestant.library == OURS:
        trained = _train_ours(settings, judge)
    else:
        from rl_planner.cli.training_peers import train_peer

        trained = train_peer(contestant.algorithm, contestant.recipe, settings, judge)
    return {**asdict(contestant), 'seed': seed, **judge.row(trained)}


def _settings(algorithm: str, seed: int, budget_sec: float) -> dict[str, Any]:
    """All that `rl_planner train` would train with."""
    parser = argparse.ArgumentParser()
    train_command.add_parser(parser.add_subparsers())
    given = ['--algorithm', algorithm, '--seed', str(seed), '--budget-sec', str(budget_sec)]
    return train_command.new_settings(parser.parse_args(['train', *given]))


def _train_ours(settings: Mapping[str, Any], judge: Judge) -> Trained:
    """As `rl_planner train` does, run folder included."""
    env = make_environment(settings, make_pool(settings, quiet=True))
    learner, noise = make_learner(env, settings, 'cpu')
    env.step(learner.act(env.reset()[0]))
    judge.warm_up(learner.policy())

    def watch(_row: Mapping[str, float]) -> None:
        if judge.due():
            judge.watch(learner.policy())

    with tempfile.TemporaryDirectory() as folder, RunFolder(Path(folder) / 'run') as run:
        budget = Budget(seconds=settings['budget_sec'])
        judge.clock.start()
        train(env, learner, run, budget, noise, watch, clock=judge.clock)
    return Trained(learner.policy(), learner.transitions, learner.updates)
