from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from rl_planner.evaluation.astar import AstarConfig, AstarPlanner
from rl_planner.evaluation.planner import Floats, Perception
from rl_planner.evaluation.result import EpisodeResult
from rl_planner.evaluation.runner import evaluate
from rl_planner.evaluation.scenario import Scenario
from rl_planner.evaluation.setting import Setting
from rl_planner.evaluation.suites import make_suite
from rl_planner.navigation.config import ConfigError, LidarConfig, RobotConfig
from rl_planner.navigation.task import Outcome
from rl_planner.simulation.disturbance import DisturbanceConfig
from rl_planner.simulation.world import World

SETTING = Setting(lidar=LidarConfig(num_beams=36))  # beam 18 looks ahead
AHEAD = slice(14, 23)  # 40 degrees either way
IN_CELL = np.array([[0.025, 0.025, 0.0]])  # in its middle, where paths begin

JACKAL = Setting(
    RobotConfig(
        radius=0.333,
        footprint_length=0.508,
        footprint_width=0.43,
        max_linear_vel=2.0,
        min_linear_vel=-0.5,
        max_angular_vel=4.0,
        max_linear_accel=5.0,
        max_angular_accel=20.0,
    ),
    LidarConfig(
        num_beams=720,
        angle_min=-2.356,
        field_of_view=4.712,
        range_min=0.1,
        range_max=10.0,
        noise_std=0.02,
    ),
    disturbance=DisturbanceConfig(command_latency=0.05, gain_error=0.05, odometry_error=0.02),
)


def perceive(goal: tuple[float, float], reading: float = math.inf) -> Perception:
    """One robot at rest whose beams ahead read this, and the others nothing."""
    ranges = np.full((1, 36), np.inf, np.float32)
    ranges[0, AHEAD] = reading
    rest = np.zeros((1, 2))
    return Perception(np.zeros(1, int), ranges, np.array([goal]), rest, rest, IN_CELL)


def first_command(perception: Perception) -> tuple[float, float]:
    planner = AstarPlanner(SETTING)
    planner.start(1)
    v, w = planner.velocity_command(perception)[0].tolist()
    return v, w


def test_in_a_free_field_it_drives_straight_on_at_full_speed() -> None:
    assert first_command(perceive((3.0, 0.0))) == pytest.approx((0.5, 0.0))


def test_it_turns_to_a_goal_behind_it() -> None:
    v, w = first_command(perceive((-2.0, 0.1)))
    assert v == 0.0
    assert w == pytest.approx(1.5)


@pytest.mark.parametrize('reading', [0.21, -math.inf])
def test_it_does_not_drive_at_what_is_right_before_it(reading: float) -> None:
    assert first_command(perceive((3.0, 0.0), reading))[0] == 0.0


@pytest.mark.parametrize('reading', [math.nan, 0.0, 99.0])
def test_what_is_no_measurement_is_no_obstacle(reading: float) -> None:
    assert first_command(perceive((3.0, 0.0), reading))[0] == pytest.approx(0.5)


def test_it_stands_where_there_is_no_way_and_looks_around_after_a_while() -> None:
    """Shut in by returns all around, 0.5 m away; stuck after 2 s."""
    planner, perception = AstarPlanner(SETTING), perceive((3.0, 0.0))
    planner.start(1)
    shut_in = perception._replace(ranges=np.full((1, 36), 0.4, np.float32))
    commands = [planner.velocity_command(shut_in)[0].tolist() for _ in range(25)]
    assert commands[:20] == [[0.0, 0.0]] * 20
    assert commands[24] == pytest.approx([0.0, 1.5])


def scans(count: int) -> Perception:
    rng = np.random.default_rng(0)

    def draw(columns: int, low: float) -> Floats:
        return rng.uniform(low, 1.0, (count, columns))

    ranges = 0.3 + 2.0 * draw(36, 0.0).astype(np.float32)
    velocity = 0.3 * draw(2, 0.0)
    return Perception(
        np.arange(count), ranges, 2.0 * draw(2, -1.0), velocity, velocity, draw(3, -1.0)
    )


def test_it_drives_each_robot_as_if_alone() -> None:
    together, steps = AstarPlanner(SETTING), 3
    together.start(7)
    perception = scans(5)._replace(robots=np.array([0, 1, 3, 4, 6]))
    commands = [together.velocity_command(perception).copy() for _ in range(steps)]
    for row in range(5):
        alone, own = AstarPlanner(SETTING), Perception(*(part[[row]] for part in perception))
        alone.start(1)
        for step in range(steps):
            command = alone.velocity_command(own._replace(robots=np.zeros(1, int)))
            np.testing.assert_array_equal(command[0], commands[step][row])


def test_a_start_forgets_what_was_seen() -> None:
    planner = AstarPlanner(SETTING)
    planner.start(5)
    before = planner.velocity_command(scans(5)).copy()
    planner.velocity_command(scans(5))
    planner.start(5)
    np.testing.assert_array_equal(planner.velocity_command(scans(5)), before)


def drive(scenario: Scenario, setting: Setting) -> EpisodeResult:
    (result,) = evaluate(AstarPlanner(setting), [scenario], setting).results
    return result


@pytest.fixture
def behind_a_wall(make_scenario: Callable[..., Scenario], arena: World) -> Scenario:
    """4 m of wall between start and goal: past its end at (0, 2) it is twice 2.5 m, and more."""
    wall = [0.0, 0.0, 0.0, 0.1, 4.0]
    world = replace(arena, boxes=np.concatenate([arena.boxes, [wall]]))
    return make_scenario((-1.5, 0.0, 0.0), (1.5, 0.0), world=world)


def test_it_drives_around_a_wall_by_a_short_way(behind_a_wall: Scenario) -> None:
    result = drive(behind_a_wall, Setting())
    assert result.outcome is Outcome.GOAL
    assert 5.0 - 0.25 < result.path_length < 7.0
    assert result.clearances.min() > 0.02


def test_it_comes_out_of_a_dead_end(make_scenario: Callable[..., Scenario], arena: World) -> None:
    """A U that opens away from the goal, deeper than the lidar sees from its mouth."""
    walls = [[1.5, 0.0, 0.0, 0.1, 2.0], [-0.5, 1.0, 0.0, 4.1, 0.1], [-0.5, -1.0, 0.0, 4.1, 0.1]]
    world = replace(arena, boxes=np.concatenate([arena.boxes, walls]))
    scenario = make_scenario((-2.8, 0.0, 0.0), (3.0, 0.0), world=world, time_limit=60.0)
    assert drive(scenario, Setting(lidar=LidarConfig(range_max=2.0))).outcome is Outcome.GOAL


def test_it_is_repeatable(behind_a_wall: Scenario) -> None:
    setting = replace(SETTING, lidar=LidarConfig(num_beams=90, noise_std=0.02))
    once, again = drive(behind_a_wall, setting), drive(behind_a_wall, setting)
    np.testing.assert_array_equal(once.poses, again.poses)


def test_it_reaches_its_goals_in_random_worlds() -> None:
    results = evaluate(
        AstarPlanner(Setting()), make_suite('static', 10, 100).scenarios, Setting()
    ).results
    assert [result.outcome for result in results] == [Outcome.GOAL] * 10


def test_a_fast_rectangle_late_and_inexact_gets_through_pillars(
    make_scenario: Callable[..., Scenario],
) -> None:
    """Rows of pillars 1.2 m apart, every other row shifted by half of that, 1 m from row to row."""
    pillars = [
        [1.2 * k + 0.6 * (row % 2), 1.0 + row, 0.075] for row in range(6) for k in range(-4, 5)
    ]
    world = World(circles=np.array(pillars))
    scenario = make_scenario((0.0, -1.0, 1.57), (0.0, 8.0), tolerance=1.0, world=world)
    result = drive(scenario, JACKAL)
    assert result.outcome is Outcome.GOAL
    assert result.time_sec < 20.0
    assert (np.abs(result.velocities[:, 0]) <= 1.05 * 2.0 + 1e-9).all()


def test_look_ahead_distances_must_be_in_order() -> None:
    with pytest.raises(ConfigError, match=r'min_lookahead_dist must be at most .* 0\.5, got 0\.6'):
        AstarConfig(min_lookahead_dist=0.6, max_lookahead_dist=0.5)


def test_no_path_may_be_too_narrow_to_follow() -> None:
    with pytest.raises(ConfigError, match=r'padding must be at least collision_margin 0\.05'):
        AstarConfig(padding=0.04)


def test_a_path_that_is_blocked_is_planned_anew() -> None:
    """Nothing ahead at first; then something 1 m ahead, and the way leads past it."""
    planner = AstarPlanner(SETTING)
    planner.start(1)
    planner.velocity_command(perceive((3.0, 0.0)))
    straight = planner.velocity_command(perceive((3.0, 0.0)))[0].tolist()
    assert straight == pytest.approx([0.5, 0.0])
    _, w = planner.velocity_command(perceive((3.0, 0.0), 0.6))[0].tolist()
    assert abs(w) > 0.3
