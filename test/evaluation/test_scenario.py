from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from rl_planner.evaluation.scenario import ScenarioError, load_scenarios
from rl_planner.navigation.config import RobotConfig
from rl_planner.simulation.sdf_writer import write_sdf
from rl_planner.simulation.world import World

ARENA = Path(__file__).parents[2] / 'worlds' / 'arena.sdf'
GOOD = {
    'world': str(ARENA),
    'start': [-3.0, 0.0, 1.5],
    'goal': [3.0, 0],
    'goal_tolerance': 0.3,
    'time_limit': 20,
}


def write(folder: Path, *entries: Any) -> Path:
    path = folder / 'hall.yaml'
    path.write_text(yaml.safe_dump(list(entries)))
    return path


def test_a_scenario_is_read(tmp_path: Path) -> None:
    (scenario,) = load_scenarios(write(tmp_path, GOOD))
    assert scenario.start == (-3.0, 0.0, 1.5)
    assert scenario.goal == (3.0, 0.0)
    assert (scenario.xy_goal_tolerance, scenario.time_limit) == (0.3, 20.0)
    assert len(scenario.world.boxes) == 4


def test_nothing_is_shorter_than_the_straight_way(tmp_path: Path) -> None:
    (scenario,) = load_scenarios(write(tmp_path, GOOD))
    assert 6.0 <= scenario.shortest_path <= 6.1


def test_the_shortest_way_leads_around_a_wall(tmp_path: Path) -> None:
    """A wall from (0, -3) up: a 0.17 m robot passes its end at about (0, -3.17)."""
    walls = [[0, 4, 0, 8, 0.1], [0, -4, 0, 8, 0.1], [4, 0, 0, 0.1, 8], [-4, 0, 0, 0.1, 8]]
    world = World(boxes=np.array([*walls, [0.0, 0.5, 0.0, 0.1, 7.0]]))
    write_sdf(world, tmp_path / 'hall.sdf')
    entry = {**GOOD, 'world': 'hall.sdf', 'start': [-2.0, 0.0, 0.0], 'goal': [2.0, 0.0]}
    (scenario,) = load_scenarios(write(tmp_path, entry))
    around = 2.0 * math.hypot(2.0, 3.17)
    longest = (
        1.083 * around + 0.3
    )  # eight directions take up to 8.3 % more, cells and turns the rest
    assert around <= scenario.shortest_path <= longest


def test_the_world_file_is_found_from_the_scenario_file(tmp_path: Path) -> None:
    (tmp_path / 'worlds').mkdir()
    (tmp_path / 'worlds' / 'mine.sdf').write_bytes(ARENA.read_bytes())
    assert load_scenarios(write(tmp_path, {**GOOD, 'world': 'worlds/mine.sdf'}))


def test_movers_of_the_world_file_move(tmp_path: Path) -> None:
    moving = str(ARENA.with_name('moving.sdf'))
    (scenario,) = load_scenarios(write(tmp_path, {**GOOD, 'world': moving, 'start': [0, 0, 0]}))
    assert len(scenario.world.movers) == 4


MOVER = {'from': [1.0, -1.0], 'to': [1.0, 2.0], 'radius': 0.25, 'speed': 0.3}


def test_a_scenario_has_movers_of_its_own(tmp_path: Path) -> None:
    (scenario,) = load_scenarios(write(tmp_path, {**GOOD, 'movers': [MOVER, MOVER]}))
    expected = [1.0, -1.0, 1.0, 2.0, 0.25, 0.3, 0.0]
    np.testing.assert_array_equal(scenario.world.movers, [expected, expected])


def test_a_goal_beyond_all_obstacles(tmp_path: Path) -> None:
    """The only pillar stands at the origin; the goal is 20 m behind it."""
    write_sdf(World(circles=np.array([[0.0, 0.0, 0.3]])), tmp_path / 'pillar.sdf')
    entry = {**GOOD, 'world': 'pillar.sdf', 'start': [-2.0, 0.0, 0.0], 'goal': [20.0, 0.0]}
    (scenario,) = load_scenarios(write(tmp_path, entry))
    assert 22.0 <= scenario.shortest_path <= 22.5


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        ({'colour': 'red'}, 'unknown key colour; there are world, start, goal, goal_tolerance,'),
        ({'goal': None}, r'goal must be finite numbers \[x, y\], got None'),
        ({'goal': [1.0]}, r'goal must be finite numbers \[x, y\], got \[1.0\]'),
        ({'goal': [1.0, '2']}, r"goal must be finite numbers \[x, y\], got \[1.0, '2'\]"),
        ({'goal': [1.0, True]}, r'goal must be finite numbers \[x, y\], got \[1.0, True\]'),
        ({'start': [0.0, 0.0]}, r'start must be finite numbers \[x, y, yaw\], got \[0.0, 0.0\]'),
        ({'start': [0.0, math.nan, 0.0]}, r'start must be finite numbers .* nan, 0.0\]'),
        ({'start': [math.inf, 0.0, 0.0]}, 'start must be finite numbers'),
        ({'goal_tolerance': 0.0}, 'goal_tolerance must be above 0 and at most 5, got 0'),
        ({'goal_tolerance': 'near'}, "goal_tolerance must be float, got 'near'"),
        ({'time_limit': -1}, 'time_limit must be above 0, got -1'),
        ({'time_limit': math.inf}, 'time_limit must be finite, got inf'),
        ({'world': 'gone.sdf'}, "world must be an existing file, got 'gone.sdf'"),
        ({'start': [4.05, 0.0, 0.0]}, r'arena: start \(4.05, 0.0\) is inside an obstacle'),
        ({'start': [3.9, 0.0, 0.0]}, r'start .* must be 0.17 m clear of obstacles, got 0.1'),
        ({'goal': [0.0, 4.05]}, r'arena: goal \(0.0, 4.05\) is inside an obstacle'),
        ({'goal': [0.0, 9.0]}, r'arena: goal \(0.0, 9.0\) cannot be reached from'),
        ({'goal': [-3.0, 0.2]}, r'goal \[-3.0, 0.2\] must be farther than 0.3 m from start'),
        (
            {'movers': [{**MOVER, 'from': [-2.7, 0.0]}]},
            r'start \[-3.0, 0.0, 1.5\] must be clear of what moves there',
        ),
        ({'movers': 'many'}, "movers must be a list, got 'many'"),
        ({'movers': [{'from': [0, 0]}]}, 'a mover must have from, to, radius, speed, got'),
        ({'movers': [{**MOVER, 'to': [0.0]}]}, r'to must be finite numbers \[x, y\], got'),
        ({'movers': [{**MOVER, 'radius': 0}]}, 'radius must be above 0 and at most 5, got 0'),
        ({'movers': [{**MOVER, 'speed': -1}]}, 'speed must be at least 0 and at most 10, got -1'),
    ],
)
def test_a_bad_scenario_is_named(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    path = write(tmp_path, GOOD, {**GOOD, **change})
    with pytest.raises(ScenarioError, match=rf'hall\.yaml, scenario 2: {message}'):
        load_scenarios(path)


@pytest.mark.parametrize('key', GOOD)
def test_a_missing_key_is_named(tmp_path: Path, key: str) -> None:
    entry = {name: value for name, value in GOOD.items() if name != key}
    with pytest.raises(ScenarioError, match=rf'hall\.yaml, scenario 1: {key} is missing'):
        load_scenarios(write(tmp_path, entry))


def test_a_goal_behind_walls_cannot_be_reached(tmp_path: Path) -> None:
    """A room within the arena, without a door: 2 x 2 m around (2, 2)."""
    room = [[2, 3, 0, 2.2, 0.1], [2, 1, 0, 2.2, 0.1], [3, 2, 0, 0.1, 2.2], [1, 2, 0, 0.1, 2.2]]
    walls = [[0, 4, 0, 8, 0.1], [0, -4, 0, 8, 0.1], [4, 0, 0, 0.1, 8], [-4, 0, 0, 0.1, 8]]
    write_sdf(World(boxes=np.array([*walls, *room], float)), tmp_path / 'closed.sdf')
    path = write(tmp_path, {**GOOD, 'world': 'closed.sdf', 'goal': [2.0, 2.0]})
    with pytest.raises(ScenarioError, match=r'scenario 1: .* cannot be reached from'):
        load_scenarios(path)


def test_a_broken_world_file_is_named(tmp_path: Path) -> None:
    (tmp_path / 'broken.sdf').write_text('<sdf version="1.6"><world>')
    with pytest.raises(ScenarioError, match=r'hall\.yaml, scenario 1: broken\.sdf'):
        load_scenarios(write(tmp_path, {**GOOD, 'world': 'broken.sdf'}))


@pytest.mark.parametrize('text', ['', '[]', 'world: arena.sdf', '3', '- [', '- 1: [a'])
def test_what_is_no_list_of_scenarios_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / 'hall.yaml'
    path.write_text(text)
    with pytest.raises(ScenarioError, match=r'hall\.yaml (must be a list|is not YAML)'):
        load_scenarios(path)


def test_an_entry_that_is_no_mapping_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"scenario 1: must be a mapping .*, got 'arena'"):
        load_scenarios(write(tmp_path, 'arena'))


def test_a_missing_or_binary_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r'cannot read scenarios .*none\.yaml'):
        load_scenarios(tmp_path / 'none.yaml')
    (tmp_path / 'bytes.yaml').write_bytes(b'\xff\xfe\x00')
    with pytest.raises(ScenarioError, match=r'bytes\.yaml is not YAML'):
        load_scenarios(tmp_path / 'bytes.yaml')


def test_a_larger_robot_needs_more_room(tmp_path: Path) -> None:
    path = write(tmp_path, {**GOOD, 'start': [3.7, 0.0, 0.0]})
    assert load_scenarios(path)
    with pytest.raises(ScenarioError, match=r'must be 0\.4 m clear of obstacles, got 0\.3'):
        load_scenarios(path, RobotConfig(radius=0.4))
