"""How long a command may stand: intervals by hand, and robots that drive at a wall."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle

import numpy as np
import pytest
from numpy.typing import NDArray

from rl_planner.navigation.cadence import KEPT, LONGEST, Cadence
from rl_planner.navigation.config import (
    LidarConfig,
    ObservationConfig,
    RobotConfig,
    TaskConfig,
)
from rl_planner.navigation.observation import ScanGeometry
from rl_planner.navigation.pilot import Pilot
from rl_planner.navigation.safety import Safety, SafetyConfig
from rl_planner.navigation.step import Sensed
from rl_planner.simulation.obstacles import pack_worlds
from rl_planner.simulation.simulator import BatchSimulator
from rl_planner.simulation.world import World

ROW = np.zeros(1, np.int64)


def excess_after(*stamps: float, commanded: bool = True, ages: Sequence[float] = (0.0,)) -> float:
    """Of steps on scans of those times, which are so old by then, in turn."""
    cadence = Cadence(1, 0.1)
    for stamp, age in zip(stamps, cycle(ages), strict=False):
        scan = np.array([stamp])
        cadence.beat(ROW, scan, scan + age, np.array([commanded]))
    return float(cadence.excess(ROW)[0])


def test_regular_steps_exceed_nothing_and_jitter_means_nothing() -> None:
    assert excess_after() == 0.0
    assert excess_after(1e9) == 0.0
    assert excess_after(*(1.7e9 + 0.1 * np.arange(50))) == 0.0
    assert excess_after(0.0, 0.1009, 0.2, 0.3009) == 0.0
    assert excess_after(0.0, 0.05, 0.1) == 0.0


def test_a_step_that_is_late_lets_a_command_stand_for_longer() -> None:
    steps = 0.1 * np.arange(10)
    assert excess_after(*steps, ages=[0.03]) == 0.0
    assert excess_after(*steps, ages=[0.01, 0.01, 0.04]) == pytest.approx(0.03)
    assert excess_after(*steps, ages=[0.01, 0.01, 0.04], commanded=False) == 0.0


def test_the_longest_of_the_last_intervals_counts() -> None:
    assert excess_after(0.0, 0.2) == pytest.approx(0.1)
    assert excess_after(0.0, 0.1, 0.35, 0.45, 0.6) == pytest.approx(0.15)
    lost = [0.0, 0.3]
    assert excess_after(*lost, *(0.3 + 0.1 * np.arange(1, KEPT))) == pytest.approx(0.2)
    assert excess_after(*lost, *(0.3 + 0.1 * np.arange(1, KEPT + 1))) == 0.0


def test_what_the_watchdogs_stop_and_what_goes_back_is_not_waited_for() -> None:
    assert excess_after(0.0, 100.0) == pytest.approx(LONGEST - 0.1)
    assert excess_after(0.0, 100.0, commanded=False) == 0.0
    assert excess_after(0.0, 0.2, commanded=False) == pytest.approx(0.1)
    assert excess_after(100.0, 0.0, 0.0, 0.1) == 0.0


def test_each_robot_has_its_own() -> None:
    cadence, both, none = Cadence(3, 0.1), np.array([2, 0]), np.zeros(0, np.int64)
    yes = np.ones(2, np.bool_)
    first = cadence.beat(both, *[np.array([0.0, 5.0])] * 2, yes)
    assert np.isnan(first).all()
    since = cadence.beat(both, *[np.array([0.2, 4.0])] * 2, yes)
    assert since.tolist() == [0.2, -1.0]
    assert cadence.excess(np.arange(3)).tolist() == pytest.approx([0.0, 0.0, 0.1])
    assert (
        cadence.beat(none, np.zeros(0), np.zeros(0), yes[:0]).shape
        == cadence.excess(none).shape
        == (0,)
    )


# The limits of config/robots/jackal_bumpers.yaml; as a box and as a disc.
BOX = RobotConfig(
    radius=0.333,
    footprint_length=0.508,
    footprint_width=0.43,
    max_linear_vel=2.0,
    min_linear_vel=-0.5,
    max_angular_vel=4.0,
    max_linear_accel=5.0,
    max_angular_accel=20.0,
)
DISC = RobotConfig(radius=0.254, max_linear_vel=2.0, max_linear_accel=5.0, max_angular_accel=20.0)
LIDAR = LidarConfig(num_beams=360)
WALL = 4.0
TICK = 1.0 / 60.0  # of the simulated base (s)
STARTS = np.linspace(0.0, 0.5, 12)  # the wall is met at any phase of the scans


class FullSpeed:
    """A policy."""

    def __init__(self, turn: float) -> None:
        self._turn = turn

    def act(self, observations: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.tile(np.array([1.0, self._turn], np.float32), (len(observations), 1))


def least_clearance(robot: RobotConfig, ticks: Sequence[int], turn: float = 0.0) -> float:
    """Of robots that want to drive at full speed, and get a scan every so many ticks, in turn."""
    count, scan = len(STARTS), ScanGeometry.of(LIDAR)
    world = World(boxes=np.array([[WALL + 0.5, 0.0, 0.0, 1.0, 20.0]]))
    simulator = BatchSimulator(robot, LIDAR, pack_worlds([world]), count, TICK)
    rows = simulator.rows
    poses = np.stack([STARTS, np.zeros(count), np.zeros(count)], axis=1)
    simulator.place(rows, np.zeros(count, np.int64), poses)
    task = TaskConfig(control_period=0.1)
    pilot = Pilot(
        count,
        robot,
        task,
        ObservationConfig(),
        scan,
        safety=Safety(SafetyConfig(), robot, scan, 0.1),
    )
    pilot.policy = FullSpeed(turn)  # type: ignore[assignment]
    for row in rows:
        pilot.set_goal(row, 50.0, 0.0)
    least, tick, due = np.inf, 0, cycle(ticks)
    while tick < 240:  # 4 s
        sensed = Sensed(
            rows,
            simulator.ranges.copy(),
            simulator.poses.copy(),
            simulator.velocities.copy(),
            np.full(count, TICK * tick),
            *np.zeros((3, count)),
        )
        commands, deadline = pilot.step(sensed).commands, TICK * tick + pilot.patience(0)
        for _ in range(next(due)):
            if TICK * tick >= deadline:
                commands[[pilot.overdue(row, TICK * tick) for row in rows]] = 0.0
                deadline += task.control_period
            simulator.step(commands, rows)
            least = min(least, float(simulator.least_clearances.min()))
            tick += 1
    assert simulator.poses[:, 0].max() > 2.5  # they did drive
    return least


@pytest.mark.parametrize('robot', [BOX, DISC], ids=['box', 'disc'])
@pytest.mark.parametrize('turn', [0.0, 0.1])
@pytest.mark.parametrize(
    'ticks',
    [(6,), (8,), (10,), (12,), (6, 6, 6, 6, 12), (12, 6, 18), (30,)],
    ids=['10 Hz', '7.5 Hz', '6 Hz', '5 Hz', 'one of six lost', 'irregular', '2 Hz'],
)
def test_no_wall_is_hit_however_often_scans_come(
    robot: RobotConfig, ticks: tuple[int, ...], turn: float
) -> None:
    assert least_clearance(robot, ticks, turn) > 0.0


@pytest.mark.parametrize('robot', [BOX, DISC], ids=['box', 'disc'])
@pytest.mark.parametrize(('good', 'missing'), [(17, 12), (18, 12), (19, 18), (17, 60)])
def test_no_wall_is_hit_when_scans_are_lost_for_the_first_time(
    robot: RobotConfig, good: int, missing: int
) -> None:
    """One, two or ten of them, after so many good ones: before the wall, at full speed."""
    assert least_clearance(robot, [6] * good + [missing]) > 0.0


def test_a_command_that_is_overdue_stands_as_long_as_it_leaves_a_way_out() -> None:
    """From 1 m/s to 1.5 in a period, and to rest: 0.125 and 0.225 m; of 0.717 beyond the margin."""
    scan = ScanGeometry.of(LIDAR)
    safety = Safety(SafetyConfig(), DISC, scan, 0.1)
    pilot = Pilot(2, DISC, TaskConfig(), ObservationConfig(), scan, safety=safety)
    pilot.policy = FullSpeed(0.0)  # type: ignore[assignment]
    for row in (0, 1):
        pilot.set_goal(row, 50.0, 0.0)
    assert not pilot.overdue(0, 0.0)  # it was told nothing yet
    ranges = np.full((2, 360), np.inf, np.float32)
    ranges[0, 180] = 1.0
    moving, zeros = np.array([[1.0, 0.0]] * 2), np.zeros(2)
    sensed = Sensed(np.arange(2), ranges, np.zeros((2, 3)), moving, *[zeros] * 4)
    assert pilot.step(sensed).commands[:, 0].tolist() == [1.5, 1.5]
    assert pilot.patience(0) == pytest.approx(0.105)
    # 0.15 m more in each tenth of a second.
    assert [pilot.overdue(0, stood) for stood in (0.105, 0.205, 0.305)] == [False, False, True]
    assert pilot.interventions == {'overdue': 1}
    assert not pilot.overdue(0, 0.405)  # it has been told to rest
    assert [pilot.overdue(1, stood) for stood in (0.9, 1.1, 3600.0)] == [False, True, False]
