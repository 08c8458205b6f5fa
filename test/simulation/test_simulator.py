"""The batch simulator: motion, contact, noise, and the same result on any number of threads."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rl_planner.navigation.config import LidarConfig, RobotConfig
from rl_planner.navigation.kinematics import Limits, integrate, limit_velocity
from rl_planner.simulation import parallel
from rl_planner.simulation.disturbance import DisturbanceConfig
from rl_planner.simulation.motion import Robots
from rl_planner.simulation.obstacles import pack_worlds
from rl_planner.simulation.random_world import RandomWorldConfig, random_world
from rl_planner.simulation.simulator import BatchSimulator
from rl_planner.simulation.world import World

ROBOT = RobotConfig(radius=0.2)
LIDAR = LidarConfig(num_beams=8)
# 4 x 4 m of floor, and a paper-thin wall across it at x = 1, seen from both sides.
ROOM = World(
    boxes=np.array(
        [[0, 2, 0, 4, 0.02], [0, -2, 0, 4, 0.02], [2, 0, 0, 0.02, 4], [-2, 0, 0, 0.02, 4]]
    ),
    walls=np.array([[1.0, -2.0, 1.0, 2.0], [1.0, 2.0, 1.0, -2.0]]),
)
STATE = ('poses', 'velocities', 'times', 'worlds', 'ranges', 'clearances')


def make(world: World, *poses: Any, robot: RobotConfig = ROBOT, **options: Any) -> BatchSimulator:
    """Robots at `poses` in one world."""
    options = {'lidar': LIDAR, 'control_period': 0.1, **options}
    simulator = BatchSimulator(
        robot, obstacles=pack_worlds([world]), num_robots=len(poses), **options
    )
    simulator.place(simulator.rows, np.zeros(len(poses), np.int64), np.array(poses, np.float64))
    return simulator


def state(simulator: BatchSimulator) -> dict[str, NDArray[Any]]:
    return {name: getattr(simulator, name).copy() for name in STATE}


def assert_same(one: BatchSimulator, other: BatchSimulator) -> None:
    for name in STATE:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_a_placed_robot_rests_and_sees() -> None:
    simulator = make(ROOM, (0.0, 0.0, math.pi / 2.0))
    assert simulator.velocities.tolist() == [[0.0, 0.0]]
    assert simulator.times.tolist() == [0.0]
    assert simulator.clearances[0] == pytest.approx(0.8)  # the thin wall, less the radius
    # from behind, counter-clockwise: -y, (1, -1), +x, ...; the robot looks along +y
    seen = simulator.ranges[0, [0, 2, 4, 6]]
    np.testing.assert_allclose(seen, [1.99, 1.0, 1.99, 1.99], rtol=1e-4)


def test_a_step_is_the_unicycles() -> None:
    commands = np.array([[0.5, 1.0], [0.1, -1.5], [0.0, 0.3]])
    simulator = make(World(), (0, 0, 0), (1, 2, 3), (0, 1, 0))
    limits = Limits.of(ROBOT)
    expected = [((0.0, 0.0, 0.0), (0.0, 0.0)), ((1.0, 2.0, 3.0), (0.0, 0.0))]
    for _ in range(5):
        simulator.step(commands)
        for row, (pose, velocity) in enumerate(expected):
            velocity = limit_velocity(*velocity, *commands[row], limits, 0.1)
            expected[row] = integrate(*pose, *velocity, 0.1), velocity
            np.testing.assert_allclose(simulator.poses[row], expected[row][0], atol=1e-9)
            np.testing.assert_allclose(simulator.velocities[row], velocity, atol=1e-9)
    np.testing.assert_allclose(simulator.times, 0.5)


def test_a_robot_drives_up_to_a_wall_and_no_farther() -> None:
    simulator = make(ROOM, (0.0, 0.0, 0.0), control_period=0.1)
    depths = []
    for _ in range(40):
        simulator.step(np.array([[0.5, 0.0]]))
        depths.append(simulator.clearances[0])
    # it has touched by less than one step of 5 cm, and stays
    assert -0.05 <= min(depths) < 0.0
    assert depths[-1] == min(depths)
    assert simulator.velocities[0].tolist() == [0.0, 0.0]
    assert simulator.poses[0, 0] == pytest.approx(1.0 - 0.2 - depths[-1], abs=1e-5)


def test_a_touching_robot_can_turn_and_leave() -> None:
    robot = RobotConfig(radius=0.2, min_linear_vel=-0.5)
    simulator = make(ROOM, (0.7, 0.0, 0.0), (0.7, 0.0, 0.0), robot=robot)
    for _ in range(10):
        simulator.step(np.array([[-0.5, 0.0], [0.0, 1.0]]))
    assert simulator.clearances[0] > 0.0
    assert simulator.poses[1, 2] > 0.5
    np.testing.assert_allclose(simulator.poses[1, :2], [0.7, 0.0])


@settings(deadline=None, max_examples=30)
@given(
    seed=st.integers(0, 10000),
    radius=st.sampled_from([0.05, 0.1, 0.2]),
    period=st.sampled_from([0.05, 0.1, 1.0]),
)
def test_no_command_drives_a_robot_through_a_wall(seed: int, radius: float, period: float) -> None:
    fast = RobotConfig(
        radius=radius,
        max_linear_vel=5.0,
        min_linear_vel=-5.0,
        max_angular_vel=10.0,
        max_linear_accel=20.0,
        max_angular_accel=50.0,
    )
    rng = np.random.default_rng(seed)
    poses = np.column_stack([rng.uniform(-1.7, 0.7, 16), *rng.uniform(-1.7, 1.7, (2, 16))])
    simulator = make(ROOM, *poses, robot=fast, control_period=period)
    for _ in range(30):
        commands = rng.choice([-9.0, -5.0, -0.5, 0.0, 0.5, 5.0, 9.0], (16, 2))
        simulator.step(commands)
        assert (np.abs(simulator.poses[:, 1]) < 2.0).all()
        assert (np.abs(simulator.poses[:, 0] + 0.5) < 1.5).all()  # between -2 and the thin wall
        assert (simulator.clearances >= -0.5 * radius - 1e-5).all()


@pytest.mark.parametrize('bad', [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize('column', [0, 1])
def test_a_command_that_is_not_finite_moves_nobody(bad: float, column: int) -> None:
    simulator = make(ROOM, (0, 0, 0), (0, 1, 0))
    simulator.step(np.full((2, 2), 0.2))
    before = state(simulator)
    commands = np.full((2, 2), 0.2)
    commands[1, column] = bad
    with pytest.raises(ValueError, match='command of robot 1 must be finite, got'):
        simulator.step(commands)
    for name, value in before.items():
        np.testing.assert_array_equal(getattr(simulator, name), value)


def busy(threads: int, noise: float = 0.01) -> BatchSimulator:
    rng = np.random.default_rng(5)
    worlds = [random_world(rng, RandomWorldConfig(movers=2)) for _ in range(7)]
    lidar = LidarConfig(num_beams=20, noise_std=noise)
    simulator = BatchSimulator(ROBOT, lidar, pack_worlds(worlds), 150, 0.1, 3, threads)
    poses = np.column_stack([*rng.uniform(-2.0, 2.0, (2, 150)), rng.uniform(-3.0, 3.0, 150)])
    simulator.place(simulator.rows, rng.integers(7, size=150), poses)
    return simulator


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few robots are handed to other threads, too."""
    monkeypatch.setattr(parallel, 'SMALLEST', 8)
    monkeypatch.setattr(parallel, 'LARGEST', 32)


@pytest.mark.parametrize('threads', [1, 2, 3])
@pytest.mark.parametrize('noise', [0.0, 0.01])
def test_the_same_seed_on_any_number_of_threads(
    threads: int, noise: float, small_parts: None
) -> None:
    one, other = busy(1, noise), busy(threads, noise)
    rng = np.random.default_rng(0)
    for _ in range(40):
        commands = rng.uniform([0.0, -1.5], [0.5, 1.5], (150, 2))
        one.step(commands)
        other.step(commands)
    assert (one.clearances < 0.0).any()  # some have driven into something
    assert_same(one, other)


def test_robots_do_not_depend_on_their_neighbours() -> None:
    together = busy(1, noise=0.0)
    alone = BatchSimulator(ROBOT, together.lidar, together.obstacles, 1, 0.1)
    alone.place(alone.rows, together.worlds[9:10], together.poses[9:10])
    for _ in range(20):
        together.step(np.full((150, 2), 0.4))
        alone.step(np.full((1, 2), 0.4))
    np.testing.assert_array_equal(alone.ranges[0], together.ranges[9])
    np.testing.assert_array_equal(alone.poses[0], together.poses[9])


def test_placing_one_robot_leaves_the_others() -> None:
    simulator = make(ROOM, (0, 0, 0), (0.0, 1.0, 0.0))
    simulator.step(np.full((2, 2), 0.3))
    before = state(simulator)
    simulator.place(np.array([1]), np.array([0]), np.array([[-1.0, -1.0, 1.0]]))
    for name, value in before.items():
        np.testing.assert_array_equal(getattr(simulator, name)[0], value[0])
    assert simulator.poses[1].tolist() == [-1.0, -1.0, 1.0]
    assert simulator.velocities[1].tolist() == [0.0, 0.0]
    assert simulator.times[1] == 0.0


def test_movers_move_with_the_time_since_the_robot_was_placed() -> None:
    # an obstacle that comes towards the robot at 1 m/s
    world = World(movers=np.array([[2.0, 0.0, 0.0, 0.0, 0.25, 1.0, 0.0]]))
    simulator = make(world, (0, 0, 0))
    clearances = [simulator.clearances[0]]
    for _ in range(3):
        simulator.step(np.zeros((1, 2)))
        clearances.append(simulator.clearances[0])
    np.testing.assert_allclose(clearances, [1.55, 1.45, 1.35, 1.25], rtol=1e-5)


def test_a_mover_that_runs_over_a_robot_stops_it() -> None:
    world = World(movers=np.array([[1.0, 0.0, -1.0, 0.0, 0.25, 1.0, 0.0]]))
    simulator = make(world, (0, 0, 0))
    for _ in range(6):
        simulator.step(np.array([[0.5, 0.0]]))
    assert simulator.clearances[0] < 0.0
    assert simulator.velocities[0].tolist() == [0.0, 0.0]


def test_noise_is_normal_with_the_deviation_asked_for() -> None:
    lidar = LidarConfig(num_beams=36, range_max=10.0, noise_std=0.02)
    poses = [(-0.5, 0.0, 0.1 * row) for row in range(200)]
    quiet = make(ROOM, *poses, lidar=LidarConfig(num_beams=36, range_max=10.0))
    noisy = make(ROOM, *poses, lidar=lidar)
    errors = noisy.ranges - quiet.ranges  # 7200 samples
    assert errors.mean() == pytest.approx(0.0, abs=4 * 0.02 / math.sqrt(7200))
    assert errors.std() == pytest.approx(0.02, rel=4 / math.sqrt(2 * 7200))
    share_within_one_sigma = (np.abs(errors) < 0.02).mean()
    assert share_within_one_sigma == pytest.approx(0.683, abs=0.022)
    np.testing.assert_array_equal(noisy.clearances, quiet.clearances)


def test_noise_leaves_what_is_no_distance() -> None:
    # beams ahead of, at, and behind a disc that the lidar is in, and of one it is not in
    world = World(circles=np.array([[0.0, 0.0, 0.3], [10.0, 0.0, 0.3]]))
    lidar = LidarConfig(num_beams=4, noise_std=0.5)
    inside, outside = make(world, (0, 0, 0), (5, 0, 0), lidar=lidar).ranges
    assert (inside == -np.inf).all()
    assert (outside == np.inf).all()


def test_noisy_distances_keep_to_the_range_limits() -> None:
    lidar = LidarConfig(num_beams=36, range_min=0.5, range_max=2.0, noise_std=0.3)
    ranges = make(ROOM, *[(0.0, 0.0, 0.0)] * 100, lidar=lidar).ranges
    finite = np.isfinite(ranges)
    assert finite.any()
    assert (ranges == np.inf).any()
    assert (ranges == -np.inf).any()
    assert ranges[finite].min() >= 0.5
    assert ranges[finite].max() <= 2.0


def disturbed(count: int = 1, robot: RobotConfig = ROBOT, **changes: float) -> BatchSimulator:
    disturbance = DisturbanceConfig(**changes)
    return make(World(), *[(0.0, 0.0, 0.0)] * count, robot=robot, disturbance=disturbance)


BRISK = RobotConfig(max_linear_accel=20.0, max_angular_accel=50.0)  # 0.5 m/s within 25 ms


@pytest.mark.parametrize(
    ('latency', 'expected'),
    [
        (0.0, [0.05, 0.05, 0.0]),
        (0.05, [0.025, 0.05, 0.025]),
        (0.1, [0.0, 0.05, 0.05]),
        (0.15, [0.0, 0.025, 0.05, 0.025]),
        (0.2, [0.0, 0.0, 0.05, 0.05]),
    ],
)
def test_commands_come_late(latency: float, expected: list[float]) -> None:
    """0.5 m/s for two periods of 0.1 s, then rest: how far it goes in each period."""
    simulator = disturbed(robot=BRISK, command_latency=latency)
    travelled = []
    for step in range(len(expected)):
        before = simulator.poses[0, 0]
        simulator.step(np.array([[0.5 if step < 2 else 0.0, 0.0]]))
        travelled.append(simulator.poses[0, 0] - before)
    np.testing.assert_allclose(travelled, expected, atol=1e-9)


def test_a_placed_robot_has_no_command_under_way() -> None:
    simulator = disturbed(robot=BRISK, command_latency=0.2)
    simulator.step(np.array([[0.5, 0.0]]))
    simulator.place(np.array([0]), np.array([0]), np.zeros((1, 3)))
    for _ in range(3):
        simulator.step(np.zeros((1, 2)))
    assert simulator.poses[0].tolist() == [0.0, 0.0, 0.0]


def test_the_base_may_be_faster_than_it_was_told() -> None:
    simulator = disturbed(robot=BRISK, gain=1.5)
    for _ in range(2):
        simulator.step(np.array([[9.0, -9.0]]))
    np.testing.assert_allclose(simulator.velocities, [[0.75, -2.25]])


def test_gains_are_drawn_for_each_robot_and_episode() -> None:
    simulator = disturbed(500, robot=BRISK, gain_error=0.2)
    simulator.step(np.full((500, 2), 0.5))
    shares = simulator.velocities / 0.5
    assert shares.min() >= 0.8
    assert shares.max() <= 1.2
    np.testing.assert_allclose(shares.std(axis=0), 0.2 / math.sqrt(3.0), rtol=0.1)
    assert abs(np.corrcoef(shares.T)[0, 1]) < 0.2
    simulator.place(np.array([0]), np.array([0]), np.zeros((1, 3)))
    simulator.step(np.full((500, 2), 0.5))
    assert simulator.velocities[0, 0] != 0.5 * shares[0, 0]
    np.testing.assert_allclose(simulator.velocities[1:], 0.5 * shares[1:])


def test_odometry_drifts_by_its_error() -> None:
    simulator = disturbed(500, odometry_error=0.1)
    for _ in range(20):
        simulator.step(np.tile([0.5, 0.0], (500, 1)))
    shares = simulator.odometry[:, 0] / simulator.poses[:, 0]
    assert 0.9 <= shares.min() < 0.92
    assert 1.08 < shares.max() <= 1.1
    np.testing.assert_allclose(simulator.measured_velocities[:, 0] / 0.5, shares)
    np.testing.assert_allclose(simulator.poses[:, 0], simulator.poses[0, 0])  # the robots do not
    simulator.place(np.array([3]), np.array([0]), np.array([[1.0, 2.0, 3.0]]))
    assert simulator.odometry[3].tolist() == [1.0, 2.0, 3.0]


def test_odometry_without_an_error_is_exact() -> None:
    simulator = make(ROOM, (0.3, 0.0, 0.5), (-0.5, 0.5, 1.0))
    for _ in range(30):
        simulator.step(np.full((2, 2), 0.5))
    np.testing.assert_array_equal(simulator.odometry, simulator.poses)
    np.testing.assert_array_equal(simulator.measured_velocities, simulator.velocities)


def test_dropped_beams_read_clear() -> None:
    poses = [(-0.5, 0.0, 0.0)] * 100
    lidar = LidarConfig(num_beams=36)
    simulator = make(ROOM, *poses, lidar=lidar, disturbance=DisturbanceConfig(lidar_dropout=0.25))
    assert (simulator.ranges == np.inf).mean() == pytest.approx(0.25, abs=0.03)
    before = simulator.ranges.copy()
    simulator.step(np.zeros((100, 2)))
    assert not np.array_equal(before == np.inf, simulator.ranges == np.inf)


def test_time_passes_only_for_the_rows_that_take_part() -> None:
    together, alone = busy(1, noise=0.0), busy(1, noise=0.0)
    before = state(together)
    rows = np.array([3, 4, 5, 77, 149])
    for _ in range(10):
        together.step(np.full((150, 2), 0.4), rows)
        alone.step(np.full((150, 2), 0.4))
    others = np.setdiff1d(together.rows, rows)
    for name in STATE:
        np.testing.assert_array_equal(getattr(together, name)[rows], getattr(alone, name)[rows])
        np.testing.assert_array_equal(getattr(together, name)[others], before[name][others])


def test_what_was_touched_and_passed_within_a_step_counts() -> None:
    """Past a pillar's side at 2 m/s: nearest in the middle of the step, clear at both its ends."""
    pillar = World(circles=np.array([[0.1, 0.25, 0.06]]))
    fast = RobotConfig(radius=0.2, max_linear_vel=2.0, max_linear_accel=20.0)
    simulator = make(pillar, (-0.1, 0.0, 0.0), robot=fast)
    simulator.velocities[0] = 2.0, 0.0
    simulator.poses[0, 0] = 0.0
    simulator.step(np.array([[2.0, 0.0]]))
    assert simulator.poses[0, 0] == pytest.approx(0.2)
    assert simulator.clearances[0] == pytest.approx(math.hypot(0.1, 0.25) - 0.26, abs=1e-5)
    assert simulator.clearances[0] > 0.0
    assert simulator.least_clearances[0] == pytest.approx(0.25 - 0.26, abs=1e-5)
    simulator.step(np.array([[2.0, 0.0]]))
    assert simulator.least_clearances[0] > 0.0


def test_a_rectangle_passes_where_its_circle_does_not() -> None:
    """A gap of 0.7 m: the robot is 0.6 m wide and 1 m across its corners."""
    gap = World(boxes=np.array([[1.0, 0.85, 0.0, 0.5, 1.0], [1.0, -0.85, 0.0, 0.5, 1.0]]))
    car = RobotConfig(radius=0.5, footprint_length=0.8, footprint_width=0.6)
    simulator = make(gap, (0.0, 0.0, 0.0), (0.0, 0.1, 0.0), robot=car)
    for _ in range(50):
        simulator.step(np.tile([0.5, 0.0], (2, 1)))
    assert simulator.poses[0, 0] > 2.0  # straight through, 5 cm to either side
    assert simulator.poses[1, 0] < 0.45  # 10 cm off the middle it meets the corner
    assert simulator.clearances[1] < 0.0


@pytest.mark.parametrize('threads', [1, 2])
@pytest.mark.parametrize('noise', [0.0, 0.01])
def test_what_follows_sees_each_robot_once_as_it_was_driven(
    threads: int, noise: float, small_parts: None
) -> None:
    one, other = busy(threads, noise), busy(1, noise)
    seen = np.zeros(150, np.int64)
    scans = np.zeros_like(one.ranges)

    def then(rows: NDArray[np.int64], robots: Robots) -> None:
        seen[rows] += 1
        scans[rows] = robots.ranges[rows]

    commands = np.full((150, 2), 0.4)
    rows = np.arange(0, 150, 2)
    one.step(commands, rows, then=then)
    other.step(commands, rows)
    assert seen.tolist() == [1, 0] * 75
    np.testing.assert_array_equal(scans[rows], other.ranges[rows])


@pytest.mark.parametrize(
    ('rows', 'worlds', 'poses', 'error'),
    [
        ([2], [0], np.zeros((1, 3)), IndexError),
        ([-1], [0], np.zeros((1, 3)), IndexError),
        ([0], [1], np.zeros((1, 3)), IndexError),
        ([0, 1], [0], np.zeros((2, 3)), ValueError),
        ([0], [0], np.zeros((1, 2)), ValueError),
    ],
)
def test_a_robot_or_world_that_is_not_there_is_refused(
    rows: Any, worlds: Any, poses: Any, error: type[Exception]
) -> None:
    simulator = make(ROOM, (0, 0, 0), (0, 1, 0))
    before = state(simulator)
    with pytest.raises(error):
        simulator.place(np.array(rows), np.array(worlds), poses)
    with pytest.raises(IndexError, match=r'robot must be in \[0, 2\)'):
        simulator.step(np.zeros((2, 2)), np.array([1, 2]))
    with pytest.raises(ValueError, match='commands must be'):
        simulator.step(np.zeros((3, 2)))
    for name, value in before.items():
        np.testing.assert_array_equal(getattr(simulator, name), value)
