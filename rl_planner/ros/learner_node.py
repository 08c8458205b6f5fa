"""The learner: experience in, gradient updates, policy out.

One thread: messages are taken between updates, so an update never waits for a lock, and the number
of updates follows the number of transitions, whichever side is faster.
"""

from __future__ import annotations

import array
import time
from collections import deque
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
from diagnostic_msgs.msg import DiagnosticArray
from std_msgs.msg import Float32MultiArray, UInt8MultiArray

from rl_planner.learning.best_policy import BestPolicy
from rl_planner.learning.config import LearningConfig
from rl_planner.learning.learner import Learner
from rl_planner.learning.run import RunFolder
from rl_planner.learning.training import mean_metrics
from rl_planner.navigation.config import (
    Config,
    ConfigError,
    ObservationConfig,
    RobotConfig,
    TaskConfig,
    parameter,
)
from rl_planner.navigation.observation import observation_size
from rl_planner.navigation.policy import Policy, PolicyMetadata
from rl_planner.navigation.step import Transitions
from rl_planner.navigation.task import Outcome
from rl_planner.ros import diagnostics, experience, parameters, qos
from rl_planner.ros.process import RunnableNode
from rl_planner.ros.reception import SILENT_SEC, Receptions

REPORT_SEC = 1.0
RECENT_EPISODES = 200


@dataclass(frozen=True)
class LearnerConfig(Config):
    """What the learner node itself needs to know."""

    run_dir: str = parameter('', 'folder for checkpoints, metrics and the policy')
    resume: bool = parameter(False, 'go on from the newest checkpoint in run_dir')
    init_policy: str = parameter(
        '', 'policy file to begin with; its observation and layers count, not the configured ones'
    )
    device: str = parameter('auto', 'where to compute', choices=('auto', 'cpu', 'cuda'))
    seed: int = parameter(0, 'seed of weights and sampling', at_least=0)
    policy_period: float = parameter(0.2, 'time between published policies (s)', above=0.0)
    checkpoint_period: float = parameter(60.0, 'time between checkpoints (s)', above=0.0)
    budget_sec: float = parameter(
        0.0,
        'train so long (s), from the first transition on, while the learning rates decay, and end; '
        '0: go on until told to end, and decay nothing',
        at_least=0.0,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.run_dir:
            raise ConfigError('run_dir must name a folder')


class LearnerNode(RunnableNode):
    """Trains on what actors publish."""

    def __init__(self) -> None:
        super().__init__('learner_node')
        self._config = parameters.declare(self, '', LearnerConfig)
        robot = parameters.declare(self, 'robot', RobotConfig)
        task = parameters.declare(self, 'task', TaskConfig)
        observation = parameters.declare(self, 'observation', ObservationConfig)
        self._learning = parameters.declare(self, 'learning', LearningConfig)
        parameters.refuse_unknown(self)
        torch.set_num_threads(1)  # faster at this size, and leaves a core to the simulator
        first = self._first_policy(robot, task.control_period)
        if first is not None:
            observation = first.metadata.observation
            self._learning = _learning_like(first, self._learning)
        metadata = PolicyMetadata.for_robot(
            robot, observation, task.control_period, self._learning.algorithm
        )
        self._obs_size = observation_size(observation)
        self._learner = Learner(metadata, self._learning, self._device(), self._config.seed)
        if first is not None:
            self._learner.begin_with(first)
        self._best = BestPolicy()
        self._began: float | None = None
        self._run = RunFolder(self._config.run_dir, resume=self._config.resume)
        self._resume_or_begin({'robot': asdict(robot), 'task': asdict(task)})
        self._receptions = Receptions()
        self._streams: dict[tuple[str, int], int] = {}
        self._outcomes: deque[int] = deque(maxlen=RECENT_EPISODES)
        self._losses: list[dict[str, torch.Tensor]] = []
        self._policy_updates = -1
        self._policy_out = self.create_publisher(UInt8MultiArray, 'policy', qos.LATCHED)
        self._diagnostics_out = self.create_publisher(DiagnosticArray, '/diagnostics', qos.RELIABLE)
        self.create_subscription(Float32MultiArray, 'experience', self._on_experience, qos.COMPLETE)
        now = time.monotonic()
        self._due = {
            'policy': now,
            'report': now,
            'checkpoint': now + self._config.checkpoint_period,
        }
        self._reported = (now, self._learner.transitions)

    def _first_policy(self, robot: RobotConfig, control_period: float) -> Policy | None:
        if not self._config.init_policy:
            return None
        policy = Policy.load(self._config.init_policy)
        policy.require(robot, control_period)
        return policy

    def _device(self) -> str:
        wish = self._config.device
        if wish == 'cuda' and not torch.cuda.is_available():
            raise ConfigError('device must be cpu or auto: no CUDA device is here, got cuda')
        return 'cuda' if wish != 'cpu' and torch.cuda.is_available() else 'cpu'

    def _resume_or_begin(self, config: dict[str, Any]) -> None:
        if 'algorithm' in self._run.load_config():
            raise ConfigError(
                f'run_dir must not be of `rl_planner train`, got {self._run.path}: begin another '
                f'with init_policy {self._run.policy_path}'
            )
        state = self._run.load_checkpoint()
        if state is not None:
            self._learner.restore(state['learner'])
            if 'best' in state:  # older checkpoints have none
                self._best.restore(state['best'])
            self._began = time.monotonic() - state['elapsed_sec']
            self.get_logger().info(f'resumed at {self._learner.transitions} transitions')
        self._run.save_config({**config, 'learning': asdict(self._learning)})

    def _on_experience(self, message: Float32MultiArray) -> None:
        try:
            run_id, sequence, batch = experience.decode(message, self._obs_size)
        except experience.ExperienceError as error:
            self.get_logger().error(str(error), throttle_duration_sec=5.0)
            return
        is_new, lost = self._receptions.take(run_id, sequence, time.monotonic())
        if lost:
            self.get_logger().warning(
                f'{lost} experience messages of {run_id} lost', throttle_duration_sec=5.0
            )
        if not is_new:
            return
        if self._began is None:
            self._began = time.monotonic()
        for part in experience.one_per_robot(batch):
            self._add(run_id, part)

    def _add(self, run_id: str, batch: Transitions) -> None:
        streams = [
            self._streams.setdefault((run_id, robot), len(self._streams))
            for robot in batch.robots.tolist()
        ]
        self._learner.add(
            streams,
            batch.steps,
            batch.obs,
            batch.actions,
            batch.rewards,
            batch.next_obs,
            batch.terminated,
            batch.truncated,
        )
        outcomes = batch.outcomes[batch.outcomes != Outcome.RUNNING]
        self._outcomes.extend(outcomes.tolist())
        if self._best.improved_by(outcomes):
            self._run.save_best_policy(self._learner.policy())

    def idle(self) -> bool:
        """Between messages: one update if one is due, and whatever the clock says."""
        now = time.monotonic()
        for task, period, action in (
            ('policy', self._config.policy_period, self._publish_policy),
            ('report', REPORT_SEC, self._report),
            ('checkpoint', self._config.checkpoint_period, self._save),
        ):
            if now >= self._due[task]:
                action()
                self._due[task] = time.monotonic() + period
        self.done = 0.0 < self._config.budget_sec <= self._elapsed()
        if self.done or not self._learner.updates_due():
            return False
        if self._config.budget_sec:
            self._learner.set_progress(self._elapsed() / self._config.budget_sec)
        self._losses.append(self._learner.update())
        return True

    def _elapsed(self) -> float:
        """Time since the first transition (s), that before the run was resumed included."""
        return 0.0 if self._began is None else time.monotonic() - self._began

    def _publish_policy(self) -> None:
        if self._policy_updates == self._learner.updates:
            return
        data = self._learner.policy().to_bytes()
        self._policy_out.publish(UInt8MultiArray(data=array.array('B', data)))
        self._policy_updates = self._learner.updates

    def _report(self) -> None:
        now, steps = time.monotonic(), self._learner.transitions
        elapsed = max(now - self._reported[0], 1e-9)
        counts = self._count_actors(now)
        row: dict[str, float] = {
            'steps': steps,
            'elapsed_sec': self._elapsed(),
            'transitions_per_sec': (steps - self._reported[1]) / elapsed,
            'updates': self._learner.updates,
            **counts,
            **mean_metrics(self._losses),
        }
        if self._outcomes:
            row['success_rate'] = self._outcomes.count(Outcome.GOAL) / len(self._outcomes)
        if self._best.success_rate:
            row['best_success_rate'] = self._best.success_rate
        self._run.log(row)
        self._reported = (now, steps)
        self._losses.clear()
        level = diagnostics.WARN if counts['lost'] else diagnostics.OK
        message = f'{counts["lost"]} messages lost' if counts['lost'] else 'learning'
        stamp = self.get_clock().now().to_msg()
        self._diagnostics_out.publish(
            diagnostics.diagnostic(stamp, 'rl_planner: learner', level, message, row)
        )

    def _count_actors(self, now: float) -> dict[str, int]:
        """Tell of actors that have come or gone; what came of all of them."""
        come, gone = self._receptions.attend(now)
        for run_id in come:
            self.get_logger().info(f'experience comes from {run_id}')
        for run_id in gone:
            self.get_logger().warning(f'no experience from {run_id} for {SILENT_SEC:g} s')
        return self._receptions.counts()

    def _save(self) -> None:
        self._run.save_policy(self._learner.policy())
        state = {
            'learner': self._learner.state(),
            'best': self._best.state(),
            'elapsed_sec': self._elapsed(),
        }
        self._run.save_checkpoint(self._learner.transitions, state)

    def close(self) -> None:
        """Keep what was learnt."""
        self._report()
        self._save()
        self._run.close()


def _learning_like(policy: Policy, learning: LearningConfig) -> LearningConfig:
    """With the layers of `policy`, where they are alike; the learner refuses any others."""
    sizes = policy.hidden_sizes
    if len(set(sizes)) != 1:
        return learning
    return replace(learning, hidden_size=sizes[0], hidden_layers=len(sizes))
