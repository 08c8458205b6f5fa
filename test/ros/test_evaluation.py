"""What is trained is what is deployed: the nodes drive as the process does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.nodes import Nodes, seeking_policy

from rl_planner.cli.ros_evaluation import TOLERANCE, drive_over_ros
from rl_planner.evaluation.learned import LearnedPlanner
from rl_planner.evaluation.runner import evaluate
from rl_planner.evaluation.scenario import Scenario
from rl_planner.evaluation.setting import Setting
from rl_planner.navigation.config import LidarConfig, ObservationConfig, RobotConfig
from rl_planner.simulation.disturbance import DisturbanceConfig
from rl_planner.simulation.episodes import random_episodes
from rl_planner.simulation.families import Family
from rl_planner.simulation.random_world import RandomWorldConfig, random_world

DISC = Setting()
# As unlike as it can be without chance: late and slack commands, half a view, a shorter period.
RECTANGLE = Setting(
    robot=RobotConfig(radius=0.25, footprint_length=0.4, footprint_width=0.3),
    lidar=LidarConfig(num_beams=241, field_of_view=4.0, angle_min=-2.0, mount_x=0.1),
    control_period=0.08,
    disturbance=DisturbanceConfig(command_latency=0.1, gain=0.95),
)


def scenarios(movers: int, count: int, time_limit: float = 25.0) -> list[Scenario]:
    """In arenas of 5 to 7 m; the shortest way, which nobody asks for here, is made up."""
    config = RandomWorldConfig(max_size=7.0, movers=movers)
    family = Family('', lambda rng: random_world(rng, config))
    robot, rng = RobotConfig(radius=0.25), np.random.default_rng(11)
    made = []
    for _ in range(count):
        world, ((x, y, yaw),), ((goal_x, goal_y),) = random_episodes(rng, robot, 1, family)
        start, goal = (float(x), float(y), float(yaw)), (float(goal_x), float(goal_y))
        made.append(Scenario(world, start, goal, 0.25, time_limit, 1.0))
    return made


@pytest.mark.parametrize(
    ('setting', 'history_steps'),
    [(DISC, 0), (RECTANGLE, 0), (DISC, 3)],
    ids=['disc', 'rectangle', 'history'],
)
def test_nodes_and_process_drive_alike(
    nodes: Nodes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    setting: Setting,
    history_steps: int,
) -> None:
    monkeypatch.setenv('ROS_DOMAIN_ID', str(nodes.domain))
    path = tmp_path / 'policy.safetensors'
    policy = seeking_policy(
        robot=setting.robot,
        control_period=setting.control_period,
        observation=ObservationConfig(history_steps=history_steps),
    )
    policy.save(path)
    tasks = [*scenarios(0, 4), *scenarios(4, 4)]
    tasks[5] = replace(tasks[5], time_limit=3.0)  # the graph runs once more for it
    ended: list[int] = []
    alone = evaluate(LearnedPlanner(policy, setting), tasks, setting)
    graph = drive_over_ros(str(path), tasks, setting, on_ended=ended.append, robots=3)
    assert (graph.interrupted, graph.decision_sec, sum(ended)) == (False, None, len(tasks))
    assert len({each.outcome for each in alone.results}) == 3  # goal, collision, timeout
    for task, one, other in zip(tasks, alone.results, graph.results, strict=True):
        assert other.episode is task
        assert (other.outcome, other.time_sec) == (one.outcome, one.time_sec)
        assert other.poses.shape == one.poses.shape
        assert np.abs(other.path - one.path).max() < TOLERANCE
        turned = other.poses[:, 2] - one.poses[:, 2]
        assert np.abs(np.sin(turned / 2.0)).max() < TOLERANCE
        assert np.abs(other.velocities - one.velocities).max() < TOLERANCE
        assert np.abs(other.clearances - one.clearances).max() < TOLERANCE
