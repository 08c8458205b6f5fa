from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, fields
from pathlib import Path

import numpy as np
import pytest
import yaml
from numpy.typing import NDArray

from rl_planner.evaluation.greedy import GreedyPlanner
from rl_planner.evaluation.learned import LearnedPlanner
from rl_planner.evaluation.planner import Perception
from rl_planner.evaluation.planners import (
    BASELINES,
    PlannerParamsError,
    make_planner,
    read_planner_params,
)
from rl_planner.evaluation.setting import Setting
from rl_planner.navigation.config import LidarConfig, RobotConfig
from rl_planner.navigation.policy import Policy, PolicyError

LIDAR = LidarConfig(num_beams=36)  # beam 18 looks ahead, 27 to the left, one each 10 degrees
SETTING = Setting(lidar=LIDAR)  # 0.5 m/s, 1.5 rad/s, 2.5 m/s2, radius 0.17 m
AHEAD, LEFT = 18, 27


def perceive(goal: tuple[float, float], returns: dict[int, float] | None = None) -> Perception:
    """One robot at rest that sees nothing but `returns`, by beam (m)."""
    ranges = np.full((1, 36), np.inf, np.float32)
    for beam, reading in (returns or {}).items():
        ranges[0, beam] = reading
    rest = np.zeros((1, 2))
    return Perception(np.zeros(1, int), ranges, np.array([goal]), rest, rest, np.zeros((1, 3)))


def greedy(
    goal: tuple[float, float], returns: dict[int, float] | None = None, lidar: LidarConfig = LIDAR
) -> tuple[float, float]:
    planner = GreedyPlanner(Setting(lidar=lidar))
    (command,) = planner.velocity_command(perceive(goal, returns)).tolist()
    return command[0], command[1]


def test_greedy_drives_straight_at_a_goal_ahead() -> None:
    assert greedy((2.0, 0.0)) == pytest.approx((0.5, 0.0))


@pytest.mark.parametrize(('y', 'w'), [(1.0, 1.5), (-1.0, -1.5)])
def test_greedy_turns_on_the_spot_to_a_goal_beside_it(y: float, w: float) -> None:
    assert greedy((0.0, y)) == pytest.approx((0.0, w))


def test_greedy_slows_down_while_it_turns() -> None:
    """0.25 rad off, half of 0.5: half speed, and 2 x 0.25 rad/s."""
    assert greedy((math.cos(0.25), math.sin(0.25))) == pytest.approx((0.25, 0.5))


def test_greedy_stops_before_what_is_ahead() -> None:
    """It keeps 0.17 + 0.05 m: at 0.22 m it stands; 8 mm more let it brake from 0.2 m/s."""
    assert greedy((2.0, 0.0), {AHEAD: 0.22})[0] == pytest.approx(0.0, abs=1e-3)
    assert greedy((2.0, 0.0), {AHEAD: 0.228})[0] == pytest.approx(0.2, abs=1e-3)
    assert greedy((2.0, 0.0), {AHEAD: 1.0})[0] == pytest.approx(0.5)


def test_greedy_passes_what_is_beside_its_way() -> None:
    """At 30 degrees 0.5 m away is 0.25 m beside it, clear of 0.22 m; 0.22 m away is just there."""
    assert greedy((2.0, 0.0), {AHEAD + 3: 0.5})[0] == pytest.approx(0.5)
    assert greedy((2.0, 0.0), {AHEAD + 3: 0.22})[0] == pytest.approx(0.0, abs=1e-3)
    assert greedy((2.0, 0.0), {LEFT: 0.18, 0: 0.18})[0] == pytest.approx(0.5)


def test_greedy_meets_what_is_beside_its_middle_later() -> None:
    """At 30 degrees, 0.24 m away: x = 0.2078, y = 0.12; 0.0235 m to go: sqrt(2 x 2.5 x that)."""
    assert greedy((2.0, 0.0), {AHEAD + 3: 0.24})[0] == pytest.approx(0.3425, abs=1e-3)


def test_greedy_does_not_move_with_something_too_close_to_measure() -> None:
    assert greedy((2.0, 0.0), {AHEAD: -math.inf})[0] == 0.0


@pytest.mark.parametrize('reading', [math.nan, 0.0, 0.01, 99.0])
def test_what_is_no_measurement_is_no_obstacle(reading: float) -> None:
    assert greedy((2.0, 0.0), {AHEAD: reading})[0] == pytest.approx(0.5)


def test_greedy_knows_where_its_lidar_is() -> None:
    """0.1 m ahead of the base, looking left: beam 9, at -90 degrees of it, looks ahead."""
    lidar = LidarConfig(num_beams=36, mount_x=0.1, mount_yaw=math.pi / 2.0)
    assert greedy((2.0, 0.0), {9: 0.12}, lidar)[0] == pytest.approx(0.0, abs=1e-3)
    assert greedy((2.0, 0.0), {AHEAD: 0.5}, lidar)[0] == pytest.approx(0.5)


def still_policy(make_policy: Callable[..., Policy]) -> Policy:
    return make_policy(scale=0.0)  # the action is 0, 0 whatever it sees


def test_a_policy_commands_what_its_action_means(make_policy: Callable[..., Policy]) -> None:
    """Action 0 is half way from 0 to 0.5 m/s, and no turn."""
    planner = LearnedPlanner(still_policy(make_policy), SETTING)
    planner.start(1)
    np.testing.assert_allclose(planner.velocity_command(perceive((2.0, 0.0))), [[0.25, 0.0]])


def many(count: int) -> Perception:
    rng = np.random.default_rng(0)

    def draw(columns: int) -> NDArray[np.float64]:
        return rng.uniform(0.1, 1.0, (count, columns))

    scan = draw(36).astype(np.float32)
    return Perception(np.arange(count), scan, draw(2), draw(2), draw(2), draw(3))


def test_a_policy_drives_each_robot_as_if_alone(make_policy: Callable[..., Policy]) -> None:
    planner = LearnedPlanner(make_policy(), SETTING)
    planner.start(5)
    together = planner.velocity_command(many(5)).copy()
    for row in range(5):
        alone = Perception(*(part[row : row + 1] for part in many(5)))
        np.testing.assert_allclose(planner.velocity_command(alone), together[[row]], atol=1e-6)


def test_a_policy_file_is_a_planner(tmp_path: Path, make_policy: Callable[..., Policy]) -> None:
    path = tmp_path / 'policy.safetensors'
    make_policy().save(path)
    planner = make_planner(str(path), SETTING)
    assert planner.name == str(path)
    assert make_planner('greedy', SETTING).name == 'greedy'


def test_what_is_no_planner_is_named(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r'planner must be one of .*, got .gredy'):
        make_planner('gredy', SETTING)
    with pytest.raises(PolicyError, match=f'cannot read policy {tmp_path}'):
        make_planner(str(tmp_path), SETTING)
    (tmp_path / 'text').write_text('not a policy, but long enough to be one')
    with pytest.raises(PolicyError, match='not a policy file'):
        make_planner(str(tmp_path / 'text'), SETTING)


def test_a_policy_refuses_another_robot(make_policy: Callable[..., Policy]) -> None:
    with pytest.raises(PolicyError, match=r'radius is 0\.3 here and was 0\.17 in training'):
        LearnedPlanner(make_policy(), Setting(robot=RobotConfig(radius=0.3)))
    with pytest.raises(PolicyError, match=r'control_period is 0\.1 here and was 0\.2'):
        LearnedPlanner(make_policy(period=0.2), SETTING)


CONFIG = Path(__file__).parents[2] / 'config'


def test_planners_yaml_holds_every_parameter_with_its_default() -> None:
    text = (CONFIG / 'planners.yaml').read_text()
    values = yaml.safe_load(text)
    assert values == {name: asdict(each.config()) for name, each in BASELINES.items()}
    words = ' '.join(line.strip().lstrip('# ') for line in text.splitlines())
    for baseline in BASELINES.values():
        for item in fields(baseline.config):
            assert item.metadata['description'] in words, item.name


def test_parameters_reach_their_planner(tmp_path: Path) -> None:
    """Twice the turning rate per angle: 0.25 rad off, 1 rad/s."""
    path = tmp_path / 'mine.yaml'
    path.write_text('greedy: {turn_gain: 4.0}')
    planner = make_planner('greedy', SETTING, read_planner_params(path))
    ((_, w),) = planner.velocity_command(perceive((math.cos(0.25), math.sin(0.25)))).tolist()
    assert w == pytest.approx(1.0)


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('{', 'is not YAML'),
        ('[1]', 'must be a mapping from planners to parameters'),
        (
            'gredy: {}',
            "planner must be one of greedy, dwa, mppi, astar, random, ramming, got 'gredy'",
        ),
        ('greedy: 3', 'greedy must be a mapping of parameters, got 3'),
        ('dwa: {vx_sample: 5}', 'unknown parameter dwa.vx_sample, did you mean dwa.vx_samples'),
        ('mppi: {batch_size: 0}', 'mppi.batch_size must be at least'),
        ('astar: {resolution: 9.0}', 'astar.resolution must be at least'),
    ],
)
def test_bad_parameters_are_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / 'mine.yaml'
    path.write_text(text)
    with pytest.raises(PlannerParamsError, match=rf'mine\.yaml.*{message}'):
        read_planner_params(path)
    with pytest.raises(PlannerParamsError, match=r'cannot read .*none\.yaml'):
        read_planner_params(tmp_path / 'none.yaml')
