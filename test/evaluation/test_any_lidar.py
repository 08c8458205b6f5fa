"""Whatever the lidar is like, the default policy drives to its goals, scan by scan."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rl_planner.evaluation.scenario import Scenario
from rl_planner.evaluation.suites import make_suite
from rl_planner.navigation.config import LidarConfig, RobotConfig, TaskConfig
from rl_planner.navigation.files import shared_file
from rl_planner.navigation.observation import ScanGeometry
from rl_planner.navigation.pilot import Pilot
from rl_planner.navigation.policy import Policy
from rl_planner.navigation.safety import Safety, SafetyConfig
from rl_planner.navigation.step import Sensed
from rl_planner.navigation.task import Outcome
from rl_planner.simulation.obstacles import pack_worlds
from rl_planner.simulation.simulator import BatchSimulator

ROBOT, TASK = RobotConfig(), TaskConfig()
WORLDS = 6


def lidar(beams: int = 180, view: float = 360.0, middle: float = 0.0, **more: Any) -> LidarConfig:
    """Beams over a field of view, about a direction in the lidar frame; both in degrees."""
    first = math.radians(middle - 0.5 * view)
    return LidarConfig(num_beams=beams, angle_min=first, field_of_view=math.radians(view), **more)


@dataclass(frozen=True)
class Kind:
    """A lidar, and how its driver publishes its scans.

    Attributes:
        lidar: what there is, as the simulator has it.
        clockwise: the last beam comes first.
        no_return: what is published where there is none.
        arrived: how many of the goals must be reached.
    """

    lidar: LidarConfig
    clockwise: bool = False
    no_return: float = math.inf
    arrived: int = WORLDS

    def geometry(self) -> ScanGeometry:
        scan = ScanGeometry.of(self.lidar)
        if not self.clockwise:
            return scan
        last = scan.angle_min + scan.angle_increment * (scan.num_beams - 1)
        return replace(scan, angle_min=last, angle_increment=-scan.angle_increment)

    def published(self, ranges: NDArray[np.float32]) -> NDArray[np.float32]:
        ranges = ranges[:, ::-1] if self.clockwise else ranges
        return np.where(np.isposinf(ranges), np.float32(self.no_return), ranges)


KINDS = {
    '360 degrees': Kind(lidar()),
    '270 degrees': Kind(lidar(view=270.0)),
    '240 degrees': Kind(lidar(view=240.0)),
    '180 degrees': Kind(lidar(view=180.0)),
    '90 beams': Kind(lidar(90)),
    '720 beams': Kind(lidar(720)),
    '4000 beams': Kind(lidar(4000)),
    'from 0 to 360 degrees': Kind(lidar(360, middle=180.0)),
    'clockwise': Kind(lidar(), clockwise=True),
    'clockwise, 270 degrees': Kind(lidar(view=270.0), clockwise=True),
    'upside down': Kind(lidar(mount_inverted=True)),
    'upside down and clockwise': Kind(lidar(mount_inverted=True), clockwise=True),
    'looks back': Kind(lidar(mount_yaw=math.pi)),
    'looks left, 270 degrees about its right': Kind(
        lidar(view=270.0, middle=-90.0, mount_yaw=math.pi / 2.0)
    ),
    'upside down, looks left, about its left': Kind(
        lidar(view=270.0, middle=90.0, mount_yaw=math.pi / 2.0, mount_inverted=True)
    ),
    'ahead and to the left': Kind(lidar(mount_x=0.1, mount_y=0.05)),
    'behind, as on a TurtleBot3': Kind(lidar(360, mount_x=-0.064, middle=180.0)),
    'NaN for no return': Kind(lidar(), no_return=math.nan),
    '0 for no return': Kind(lidar(range_min=0.12), no_return=0.0),
    'more than range_max for no return': Kind(lidar(), no_return=65.533),
    'a bit of all': Kind(
        lidar(541, 270.0, 45.0, mount_x=0.08, mount_yaw=0.785, mount_inverted=True),
        clockwise=True,
        no_return=0.0,
    ),
}


@pytest.fixture(scope='module')
def scenarios() -> list[Scenario]:
    return make_suite('static', WORLDS, 3).scenarios


def drive(kind: Kind, scenarios: list[Scenario]) -> list[Outcome]:
    """What comes of it, by the simulator, which knows where the obstacles are."""
    count = len(scenarios)
    simulator = BatchSimulator(
        ROBOT, kind.lidar, pack_worlds([each.world for each in scenarios]), count, 0.1
    )
    rows = simulator.rows
    simulator.place(rows, rows, np.array([each.start for each in scenarios]))
    policy = Policy.load(shared_file('config/policies/default.safetensors'))
    scan = kind.geometry()
    safety = Safety(SafetyConfig(), ROBOT, scan, 0.1)
    pilot = Pilot(count, ROBOT, TASK, policy.metadata.observation, scan, safety=safety)
    pilot.policy = policy
    for row, each in enumerate(scenarios):
        pilot.set_goal(row, *each.goal)
    outcomes = np.full(count, Outcome.TIMEOUT)
    for step in range(round(TASK.time_limit / 0.1)):
        sensed = Sensed(
            rows,
            kind.published(simulator.ranges[rows]),
            simulator.poses[rows],
            simulator.velocities[rows],
            np.full(len(rows), 0.1 * step),
            *np.zeros((3, len(rows))),
        )
        decision = pilot.step(sensed)
        outcomes[rows] = np.where(decision.outcomes > 0, decision.outcomes, outcomes[rows])
        rows = rows[decision.outcomes == Outcome.RUNNING]
        if not len(rows):
            break
        commands = np.zeros((count, 2))
        commands[rows] = decision.commands[decision.outcomes == Outcome.RUNNING]
        simulator.step(commands, rows)
        hit = rows[simulator.least_clearances[rows] < 0.0]
        outcomes[hit] = Outcome.COLLISION
        rows = np.setdiff1d(rows, hit)
    return [Outcome(int(each)) for each in outcomes]


@pytest.mark.parametrize('name', KINDS)
def test_it_reaches_its_goals(name: str, scenarios: list[Scenario]) -> None:
    kind = KINDS[name]
    outcomes = drive(kind, scenarios)
    assert Outcome.COLLISION not in outcomes
    assert outcomes.count(Outcome.GOAL) >= kind.arrived
