"""The training loop: any vector environment in, a trained policy out, no ROS."""

from __future__ import annotations

import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from torch import Tensor

from rl_planner.learning.best_policy import BestPolicy
from rl_planner.learning.learner import Learner
from rl_planner.learning.noise import ExplorationNoise
from rl_planner.learning.robots import (
    ArrayRobots,
    Robots,
    TensorEnvironment,
    TensorRobots,
    VectorEnvironment,
)
from rl_planner.learning.run import RunFolder
from rl_planner.learning.tensor_noise import TensorNoise
from rl_planner.navigation.task import Outcome

REPORT_SEC = 1.0
CHECKPOINT_SEC = 60.0
RECENT_EPISODES = 200  # a success rate over fewer is noise, over more is old news


@dataclass(frozen=True)
class Budget:
    """When a training is over: after this time, or this many transitions, whichever comes first.

    Both count the whole run: what was spent before it was resumed is spent.
    """

    seconds: float | None = None
    steps: int | None = None

    def __post_init__(self) -> None:
        if self.seconds is None and self.steps is None:
            raise ValueError('a budget must have seconds or steps')

    def spent(self, seconds: float, steps: int) -> float:
        """The share that is spent; 1 or more is all of it."""
        shares = ((seconds, self.seconds), (steps, self.steps))
        return max(used / max(limit, 1e-9) for used, limit in shares if limit is not None)


@dataclass(frozen=True)
class Summary:
    """What a training amounts to, the time before it was resumed included."""

    steps: int
    updates: int
    episodes: int
    success_rate: float
    elapsed_sec: float
    interrupted: bool


def train(
    env: VectorEnvironment | TensorEnvironment,
    learner: Learner,
    run: RunFolder,
    budget: Budget,
    noise: ExplorationNoise | TensorNoise,
    on_progress: Callable[[Mapping[str, float]], None] = lambda row: None,
    checkpoint_sec: float = CHECKPOINT_SEC,
    clock: Callable[[], float] = time.monotonic,
    began: float | None = None,
) -> Summary:
    """Train until the budget is spent, or SIGINT (Ctrl-C) or SIGTERM asks to stop.

    Either way checkpoint and policy are written before it returns; a second Ctrl-C does not wait
    for that. If the run holds a checkpoint, training goes on from it.

    While the robots drive one step, on a core of their own, the learner makes the updates that the
    steps before are worth: what a transition tells is learnt one step later than it could be. With
    tensors all is queued on the device, in the same order; the host waits for it when it reports.

    With a budget of steps alone, on the CPU, the result depends on nothing but the seeds.

    Args:
        env: where the experience comes from.
        learner: what learns; restored if the run holds a checkpoint.
        run: where results go.
        budget: when to stop.
        noise: exploration, for `env.num_envs` robots, of tensors if the environment is; that of
            arrays is restored likewise.
        on_progress: called with each row of metrics, about once a second.
        checkpoint_sec: time from one checkpoint to the next.
        clock: what counts as time (s): all of it, unless a caller has something to leave out.
        began: when, by the clock, the time to be spent began to run; now, unless setting up counts.

    Raises:
        CheckpointError: the newest checkpoint cannot be read.
        ValueError: it is of another algorithm, size or number of robots.
        FloatingPointError, PolicyError: learning has diverged; the last good checkpoint and policy
            stay.
    """
    with _stop_request() as stopped, ThreadPoolExecutor(1, 'simulation') as simulation:
        robots = _robots(env, noise, simulation)
        loop = _Loop(robots, learner, run, budget, checkpoint_sec, clock, began)
        while not stopped.is_set() and loop.share_spent() < 1.0:
            loop.step()
            now = clock()
            if now >= loop.next_report:
                on_progress(loop.report())
            if now >= loop.next_checkpoint:
                loop.save()
        loop.update()
        if loop.has_news():
            on_progress(loop.report())
        loop.save()
        return loop.summary(stopped.is_set())


class _Loop:
    """The state of a training, and the pieces of `train`."""

    def __init__(
        self,
        robots: Robots,
        learner: Learner,
        run: RunFolder,
        budget: Budget,
        checkpoint_sec: float,
        clock: Callable[[], float],
        began: float | None,
    ) -> None:
        self.robots, self.learner, self.run, self.budget = robots, learner, run, budget
        self.checkpoint_sec, self.clock = checkpoint_sec, clock
        self.best = BestPolicy()
        self.episodes = 0
        self.outcomes: deque[int] = deque(maxlen=RECENT_EPISODES)
        self.losses: list[dict[str, Tensor]] = []  # of the updates since the last report
        spent_sec = self._restore()
        # A resumed run must not drive the same episodes again.
        seed = np.random.SeedSequence((learner.seed, learner.transitions)).generate_state(1)[0]
        robots.reset(int(seed))
        now = self.clock()
        self.started = (now if began is None else began) - spent_sec
        self.next_report, self.next_checkpoint = now + REPORT_SEC, now + checkpoint_sec
        self.reported = (now, learner.transitions)

    def share_spent(self) -> float:
        return self.budget.spent(self.clock() - self.started, self.learner.transitions)

    def step(self) -> None:
        """Every robot acts once, while the learner makes the updates that earlier steps are worth.

        Raises:
            FloatingPointError: learning has diverged.
        """
        self.learner.set_progress(self.share_spent())
        self.robots.set_off(self.learner)
        self.update()
        self.robots.arrive(self.learner)
        self.end_episodes(wait=False)

    def update(self) -> None:
        """Make the updates that the transitions so far are worth."""
        self.losses += [self.learner.update() for _ in range(self.learner.updates_due())]

    def has_news(self) -> bool:
        """Whether anything has happened since the last row of metrics."""
        return bool(self.losses) or self.learner.transitions > self.reported[1]

    def report(self) -> dict[str, float]:
        """Log a row of metrics: losses are means since the last row, and missing before updates."""
        self.end_episodes(wait=True)
        now, steps = self.clock(), self.learner.transitions
        row: dict[str, float] = {
            'steps': steps,
            'elapsed_sec': now - self.started,
            'transitions_per_sec': (steps - self.reported[1]) / max(now - self.reported[0], 1e-9),
            'updates': self.learner.updates,
            'episodes': self.episodes,
        }
        if self.outcomes:
            row['success_rate'] = self.success_rate()
            row.update(self.robots.metrics())
        if self.best.success_rate:
            row['best_success_rate'] = self.best.success_rate
        row.update(mean_metrics(self.losses))
        self.run.log(row)
        self.losses.clear()
        self.reported, self.next_report = (now, steps), now + REPORT_SEC
        return row

    def save(self) -> None:
        """Write the policy and the checkpoint."""
        self.end_episodes(wait=True)
        self.run.save_policy(self.learner.policy())
        state = {
            'learner': self.learner.state(),
            **self.robots.state(),
            'episodes': self.episodes,
            'outcomes': list(self.outcomes),
            'best': self.best.state(),
            'elapsed_sec': self.clock() - self.started,
        }
        self.run.save_checkpoint(self.learner.transitions, state)
        self.next_checkpoint = self.clock() + self.checkpoint_sec

    def success_rate(self) -> float:
        return self.outcomes.count(Outcome.GOAL) / max(len(self.outcomes), 1)

    def summary(self, interrupted: bool) -> Summary:
        return Summary(
            steps=self.learner.transitions,
            updates=self.learner.updates,
            episodes=self.episodes,
            success_rate=self.success_rate(),
            elapsed_sec=self.clock() - self.started,
            interrupted=interrupted,
        )

    def end_episodes(self, wait: bool) -> None:
        """Take in how episodes have ended; all of them, or those known without waiting for them."""
        outcomes = self.robots.outcomes(wait)
        if not len(outcomes):
            return
        self.outcomes.extend(outcomes.tolist())
        self.episodes += len(outcomes)
        if self.best.improved_by(outcomes):
            self.run.save_best_policy(self.learner.policy())

    def _restore(self) -> float:
        """Go on from the run's checkpoint, if it has one; the time that was spent before (s)."""
        state = self.run.load_checkpoint()
        if state is None:
            return 0.0
        self.learner.restore(state['learner'])
        self.robots.restore(state)
        self.episodes = state['episodes']
        self.outcomes.extend(state['outcomes'])
        self.best.restore(state['best'])
        return float(state['elapsed_sec'])


def _robots(
    env: VectorEnvironment | TensorEnvironment,
    noise: ExplorationNoise | TensorNoise,
    simulation: Executor,
) -> Robots:
    if isinstance(noise, TensorNoise):
        return TensorRobots(cast(TensorEnvironment, env), noise)
    return ArrayRobots(cast(VectorEnvironment, env), noise, simulation)


def mean_metrics(rows: list[dict[str, Tensor]]) -> dict[str, float]:
    """The mean of each metric over the updates that have it: not each moves every network."""
    names = {name: None for row in rows for name in row}
    return {
        name: float(torch.stack([row[name] for row in rows if name in row]).mean())
        for name in names
    }


@contextmanager
def _stop_request() -> Iterator[threading.Event]:
    """An event that SIGINT or SIGTERM sets; the second signal acts as it did before.

    Raising KeyboardInterrupt wherever the program happens to be would leave a half-written
    transition or a half-made update to be saved.
    """
    stopped = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stopped  # signals reach the main thread only
        return

    def restore() -> None:
        for number, handler in previous.items():
            signal.signal(number, handler)

    def request(*_: object) -> None:
        stopped.set()
        restore()

    previous = {
        number: signal.signal(number, request) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield stopped
    finally:
        restore()
