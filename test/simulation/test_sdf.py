"""Reading SDF files: shapes, poses, saved states, movers, and a warning for what is left out."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from rl_planner.simulation.sdf import SdfWarning, read_sdf
from rl_planner.simulation.world import World

SdfFile = Callable[..., Path]

BOX = '<geometry><box><size>2 1 1</size></box></geometry>'
DISC = '<geometry><cylinder><radius>0.3</radius><length>1</length></cylinder></geometry>'


def model(geometry: str, pose: str = '0 0 0 0 0 0', more: str = '', name: str = 'm') -> str:
    return (
        f'<model name="{name}"><static>1</static><pose>{pose}</pose>'
        f'<link name="l"><collision name="c">{geometry}</collision></link>{more}</model>'
    )


def read(path: Path, **options: float) -> World:
    """Read a file that gives no reason for a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        return read_sdf(path, **options)  # type: ignore[arg-type]


def test_shapes(sdf_file: SdfFile) -> None:
    sphere = '<geometry><sphere><radius>0.5</radius></sphere></geometry>'
    body = (
        model(BOX, '1 2 0.5 0 0 0.3')
        + model(DISC, '3 4 0.5 0 0 0')
        + model(sphere, '5 6 -0.1 0 0 0')
    )
    world = read(sdf_file(f'<world name="w">{body}</world>'))
    np.testing.assert_allclose(world.boxes, [[1, 2, 0.3, 2, 1]])
    np.testing.assert_allclose(world.circles, [[3, 4, 0.3], [5, 6, 0.4]])
    assert world.name == 'arena'


def test_the_ground_is_no_obstacle(sdf_file: SdfFile) -> None:
    ground = '<geometry><plane><normal>0 0 1</normal><size>100 100</size></plane></geometry>'
    world = read(
        sdf_file(f'<world name="w">{model(ground)}{model("<geometry><plane/></geometry>")}</world>')
    )
    assert world.bounds == (0.0, 0.0, 0.0, 0.0)


def test_slice_height(sdf_file: SdfFile) -> None:
    path = sdf_file(f'<world name="w">{model(BOX, "0 0 0.5 0 0 0")}</world>')  # 0 to 1 m
    assert len(read(path, slice_height=0.99).boxes) == 1
    assert len(read(path, slice_height=1.01).boxes) == 0


def test_visuals_do_not_count(sdf_file: SdfFile) -> None:
    ghost = f'<model name="m"><link name="l"><visual name="v">{BOX}</visual></link></model>'
    empty = model('<geometry><empty/></geometry>')
    assert len(read(sdf_file(f'<world name="w">{ghost}{empty}</world>')).boxes) == 0


def test_a_file_of_models_without_a_world(sdf_file: SdfFile) -> None:
    assert len(read(sdf_file(model(BOX))).boxes) == 1


def test_a_tilted_box_becomes_walls(sdf_file: SdfFile) -> None:
    # 45 degrees about x at the lidar's height: 2 m long, sqrt(2) m wide
    world = read(sdf_file(model(BOX, '1 0 0.2 0.7853981633974483 0 0')))
    assert world.boxes.shape == (0, 5)
    assert world.walls.shape == (4, 4)
    np.testing.assert_allclose(world.bounds, (0, -np.sqrt(0.5), 2, np.sqrt(0.5)))


NESTED = """
<model name="outer">
  <pose>1 2 0 0 0 1.5707963267948966</pose>
  <link name="l">
    <pose>1 0 0 0 0 0</pose>
    <collision name="c"><pose>0 1 0 0 0 0.5</pose>{box}</collision>
  </link>
  <model name="inner">
    <pose>2 0 0 0 0 1.5707963267948966</pose>
    <link name="l"><collision name="c"><pose>0.5 0 0 0 0 0</pose>{disc}</collision></link>
  </model>
</model>
"""


def test_poses_of_models_links_and_collisions_add_up(sdf_file: SdfFile) -> None:
    # box: (1, 2) + R(90) ((1, 0) + (0, 1)) = (0, 3), turned by 90 degrees + 0.5
    # disc: (1, 2) + R(90) ((2, 0) + R(90) (0.5, 0)) = (1, 2) + R(90) (2, 0.5) = (0.5, 4)
    world = read(sdf_file(NESTED.format(box=BOX, disc=DISC)))
    np.testing.assert_allclose(world.boxes, [[0, 3, np.pi / 2 + 0.5, 2, 1]], atol=1e-12)
    np.testing.assert_allclose(world.circles, [[0.5, 4, 0.3]], atol=1e-12)


@pytest.mark.parametrize(
    'pose',
    [
        '<pose degrees="true">1 2 0 0 0 90</pose>',
        '<pose rotation_format="quat_xyzw">1 2 0 0 0 0.5 0.5</pose>',
        '<pose>\n 1 2\t0  0 0 1.5707963267948966 </pose>',
        '<pose frame="">1 2 0 0 -0 1.5707963267948966</pose>',
    ],
)
def test_ways_to_write_a_pose(sdf_file: SdfFile, pose: str) -> None:
    text = model(BOX).replace('<pose>0 0 0 0 0 0</pose>', pose)
    np.testing.assert_allclose(read(sdf_file(text)).boxes, [[1, 2, np.pi / 2, 2, 1]])


STATE = """
<world name="w">{moved}{kept}{gone}
  <state world_name="w">
    <model name="moved">
      <pose>5 0 0 0 0 0</pose><scale>1 1 1</scale>
      <link name="l"><pose>5 1 0 0 0 0</pose></link>
    </model>
    <deletions><name>gone</name></deletions>
    <insertions>{inserted}</insertions>
  </state>
</world>
"""


def test_what_gazebo_saved_in_its_state(sdf_file: SdfFile) -> None:
    text = STATE.format(
        moved=model(DISC, name='moved'),
        kept=model(DISC, '1 1 0 0 0 0', name='kept'),
        gone=model(DISC, '2 2 0 0 0 0', name='gone'),
        inserted=model(DISC, '3 3 0 0 0 0', name='inserted'),
    )
    circles = read(sdf_file(text)).circles  # the saved poses of links are world poses
    np.testing.assert_allclose(circles, [[5, 1, 0.3], [1, 1, 0.3], [3, 3, 0.3]])


def mover(waypoint: str = '3 2', more: str = '<rl_planner:speed>0.4</rl_planner:speed>') -> str:
    inside = f'<rl_planner:waypoint>{waypoint}</rl_planner:waypoint>{more}'
    return f'<rl_planner:mover>{inside}</rl_planner:mover>'


def test_a_mover(sdf_file: SdfFile) -> None:
    more = '<rl_planner:speed>0.4</rl_planner:speed><rl_planner:offset>1.5</rl_planner:offset>'
    body = model(DISC, '1 2 0 0 0 0', mover(more=more)) + model(BOX)
    world = read(sdf_file(body))
    np.testing.assert_allclose(world.movers, [[1, 2, 3, 2, 0.3, 0.4, 1.5]])
    assert len(world.circles) == 0
    assert len(world.boxes) == 1


def test_a_disc_off_its_models_origin_keeps_its_place_in_the_moving_model(
    sdf_file: SdfFile,
) -> None:
    text = model(f'<pose>0 1 0 0 0 0</pose>{DISC}', '1 2 0 0 0 0', mover('3 2'))
    np.testing.assert_allclose(read(sdf_file(text)).movers, [[1, 3, 3, 3, 0.3, 0.4, 0]])


def test_a_moving_box_becomes_the_circle_around_it(sdf_file: SdfFile) -> None:
    path = sdf_file(model('<geometry><box><size>3 4 1</size></box></geometry>', more=mover()))
    with pytest.warns(SdfWarning, match=r'arena.sdf: model\[m\]/rl_planner:mover: moves more than'):
        world = read_sdf(path)
    np.testing.assert_allclose(world.movers, [[0, 0, 3, 2, 2.5, 0.4, 0]])


def test_a_moving_group_becomes_the_circle_around_it(sdf_file: SdfFile) -> None:
    # discs of radius 0.3 at x = 0 and x = 2: a circle of radius 1.3 around (1, 0)
    nested = model(DISC, '2 0 0 0 0 0', name='inner')
    with pytest.warns(SdfWarning, match='the circle around it all'):
        world = read_sdf(sdf_file(model(DISC, more=nested + mover('3 0'))))
    np.testing.assert_allclose(world.movers, [[1, 0, 4, 0, 1.3, 0.4, 0]])


def test_a_plugin_that_moves_a_mover_in_gazebo_is_no_loss(sdf_file: SdfFile) -> None:
    text = model(DISC, more=mover() + '<plugin name="p" filename="p.so"/>')
    assert len(read(sdf_file(text)).movers) == 1


def test_a_mover_below_the_lidar_is_not_there(sdf_file: SdfFile) -> None:
    assert len(read(sdf_file(model(DISC, '0 0 -5 0 0 0', mover()))).movers) == 0


ROBOT = """
<model name="robot">
  <link name="base"><collision name="c">{box}</collision>{sensor}</link>
  <joint name="wheel" type="{joint}"><parent>base</parent><child>base</child></joint>
  <plugin name="drive" filename="drive.so"/>
</model>
"""
TILTED = '<pose>0 0 0 0.5 0 0</pose>'
VERTICAL = '<plane><normal>1 0 0</normal><size>4 1</size></plane>'


@pytest.mark.parametrize(
    ('body', 'message', 'obstacles'),
    [
        (
            model('<geometry><mesh><uri>x.dae</uri></mesh></geometry>'),
            'world[w]/model[m]/link[l]/collision[c]/geometry/mesh: left out: neither box, cylinder',
            0,
        ),
        (model('<geometry><capsule/></geometry>'), 'geometry/capsule: left out', 0),
        (model('<geometry><heightmap/></geometry>'), 'geometry/heightmap: left out', 0),
        (model('<geometry><polyline/></geometry>'), 'geometry/polyline: left out', 0),
        (model(f'{TILTED}{DISC}'), 'cylinder: tilted: its slice becomes 36 walls around it', 36),
        (model(f'<geometry>{VERTICAL}</geometry>'), 'plane: has no end in Gazebo', 2),
        (ROBOT.format(box=BOX, sensor='', joint='revolute'), 'model[robot]: left out: a robot', 0),
        (ROBOT.format(box=BOX, sensor='<sensor/>', joint='fixed'), 'model[robot]: left out', 0),
        (ROBOT.format(box=BOX, sensor='', joint='fixed'), 'plugin[drive]: not simulated', 4),
        (model(BOX, more='<joint name="j" type="revolute"/>'), 'joint[j]: not simulated', 4),
        ('<actor name="a"/>', 'world[w]/actor[a]: left out: an actor is an animation', 0),
        ('<population name="p"/>', 'population[p]: left out', 0),
        ('<road name="r"/>', 'road[r]: left out', 0),
        (
            f'{model(BOX)}<state><model name="m"><scale>1 1 2</scale></model></state>',
            'world[w]/state/model[m]/scale: not applied: 1 1 2',
            4,
        ),
    ],
)
def test_what_is_left_out_or_approximated_is_named_once(
    sdf_file: SdfFile, body: str, message: str, obstacles: int
) -> None:
    with pytest.warns(SdfWarning) as caught:
        world = read_sdf(sdf_file(f'<world name="w">{body}</world>'))
    (warning,) = caught
    assert message in str(warning.message)
    assert str(warning.message).startswith('arena.sdf: world[w]/')
    assert warning.filename == __file__
    assert len(world.segments) == obstacles


def test_only_the_first_world_is_read(sdf_file: SdfFile) -> None:
    text = f'<world name="a">{model(BOX)}</world><world name="b">{model(BOX)}</world>{model(BOX)}'
    with pytest.warns(SdfWarning, match='left out: only the first world is read') as caught:
        world = read_sdf(sdf_file(text))
    assert [str(warning.message).split(':')[1] for warning in caught] == [' world[b]', ' model[m]']
    assert len(world.boxes) == 1


def test_world_plugins_lights_and_custom_elements_are_no_obstacles(sdf_file: SdfFile) -> None:
    body = '<plugin name="p" filename="p.so"/><light name="sun" type="directional"/><my:thing/>'
    assert len(read(sdf_file(f'<world name="w">{body}{model(BOX)}</world>')).boxes) == 1
