"""Robot models: the same robot for every Gazebo, and the same as its parameters."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import numpy as np
import pytest

from rl_planner.bringup.params_file import read_params_file
from rl_planner.gazebo.robot_model import (
    FLAVOURS,
    NEAREST,
    TOUCH,
    RobotModel,
    RobotModelError,
    find_robot_model,
)
from rl_planner.gazebo.scenery import WHEEL_BITS
from rl_planner.navigation.config import LidarConfig, RobotConfig
from rl_planner.simulation.sdf import read_sdf

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / 'worlds' / 'robots').glob('*.sdf'))
NAMES = [file.stem for file in FILES]
BODY = './/collision[@name="footprint"]'
PUBLISHED_MASS = {
    'default': 2.35,
    'jackal': 17.0,
    'turtlebot3_burger': 1.0,
    'turtlebot3_waffle': 1.8,
}


def element(model: RobotModel, namespace: str = '') -> Element:
    """The <model> of its SDF."""
    found = ElementTree.fromstring(model.sdf('robot_7', 1.5, -2.0, 0.25, namespace)).find('model')
    assert found is not None
    return found


def test_the_packages_robots_are_there() -> None:
    assert set(NAMES) == PUBLISHED_MASS.keys()


@pytest.mark.parametrize('flavour', FLAVOURS)
@pytest.mark.parametrize('name', NAMES)
def test_a_robot_is_the_one_of_its_parameters(name: str, flavour: str) -> None:
    model = RobotModel.read(name, flavour)
    if name == 'default':
        robot, lidar = RobotConfig(), LidarConfig()
    else:
        given = read_params_file(ROOT / 'config' / 'robots' / f'{name}.yaml')
        robot, lidar = given['robot'], replace(given['lidar'], noise_std=0.0, scan_duration=0.0)
    assert model.robot == robot
    assert model.lidar == lidar


@pytest.mark.parametrize('name', NAMES)
def test_every_flavour_has_the_same_wheels(name: str) -> None:
    bridge = RobotModel.read(name, 'gazebo_bridge')
    motors = element(bridge).find('plugin')
    drive = element(RobotModel.read(name, 'gazebo_sim')).find('plugin')
    assert motors is not None
    assert drive is not None
    assert float(drive.findtext('wheel_radius', '')) == bridge.wheel_radius
    assert float(drive.findtext('wheel_separation', '')) == bridge.wheel_separation
    assert float(motors.findtext('tracks_separation', '')) == bridge.wheel_separation
    for plugin in (motors, drive):
        for side, joints in zip(('left', 'right'), bridge.wheel_joints, strict=True):
            assert {each.text for each in plugin.findall(f'{side}_joint')} == set(joints)


@pytest.mark.parametrize('name', NAMES)
def test_motors_reach_what_the_limits_allow(name: str) -> None:
    model = RobotModel.read(name, 'gazebo_bridge')
    robot, motors = model.robot, element(model).find('plugin')
    assert motors is not None
    fastest = robot.max_linear_vel + robot.max_angular_vel * model.wheel_separation / 2.0
    assert float(motors.findtext('max_linear_speed', '')) >= fastest  # of one side's wheels
    assert float(motors.findtext('max_angular_speed', '')) >= robot.max_angular_vel
    assert len(motors.findall('left_joint')) == len(motors.findall('right_joint')) == 2


@pytest.mark.parametrize('name', NAMES)
def test_wheels_stand_on_the_floor_where_their_joints_say(name: str) -> None:
    model = RobotModel.read(name, 'gazebo_bridge')
    links = {link.get('name'): link for link in element(model).findall('link')}
    joints = {joint.get('name'): joint for joint in element(model).findall('joint')}
    for side, names in zip((1.0, -1.0), model.wheel_joints, strict=True):
        for joint in names:
            wheel = links[joints[joint].findtext('child', '')]
            _, y, z, roll, *_ = map(float, wheel.findtext('pose', '').split())
            assert z == model.wheel_radius
            assert 0.0 < side * y <= model.wheel_separation / 2.0
            assert roll == pytest.approx(-math.pi / 2.0)  # its z axis points left: + is forward
            for shape in ('collision/geometry/sphere', 'visual/geometry/cylinder'):
                assert float(wheel.findtext(f'{shape}/radius', '')) == model.wheel_radius
            assert joints[joint].findtext('axis/xyz') == '0 0 1'


def test_the_body_of_a_bridges_robot_is_inside_its_outline() -> None:
    for flavour, inside in (('gazebo_bridge', TOUCH), ('gazebo_classic', 0.0)):
        disc, box = (element(RobotModel.read(name, flavour)) for name in ('default', 'jackal'))
        assert float(disc.findtext(f'{BODY}//radius', '')) == pytest.approx(0.17 - inside)
        length, width, _ = map(float, box.findtext(f'{BODY}//size', '').split())
        assert [length, width] == pytest.approx([0.43 - 2.0 * inside, 0.31 - 2.0 * inside])


@pytest.mark.parametrize('name', NAMES)
def test_only_the_footprint_and_the_lidar_bump_into_things(name: str) -> None:
    model = element(RobotModel.read(name, 'gazebo_bridge'))
    bits = {
        collision.get('name', ''): collision.findtext('surface/contact/collide_bitmask', 'all')
        for collision in model.iter('collision')
    }
    assert {shape for shape, mask in bits.items() if mask == 'all'} == {'footprint', 'lidar'}
    assert set(bits.values()) == {'all', str(WHEEL_BITS)}


@pytest.mark.parametrize('name', NAMES)
def test_a_robot_weighs_what_is_published(name: str) -> None:
    model = element(RobotModel.read(name, 'gazebo_bridge'))
    masses = [float(mass.text or '') for mass in model.iter('mass')]
    assert sum(masses) == pytest.approx(PUBLISHED_MASS[name], rel=0.01)


@pytest.mark.parametrize('name', NAMES)
def test_a_lidar_does_not_see_its_own_robot(tmp_path: Path, name: str) -> None:
    model = RobotModel.read(name, 'gazebo_bridge')
    document = ElementTree.fromstring(model.sdf('robot', 0.0, 0.0, 0.0))
    base, sensor = document.find('model/link'), document.find('model/link/sensor')
    assert base is not None
    assert sensor is not None
    x, y, height, *_ = map(float, sensor.findtext('pose', '').split())
    base.remove(sensor)  # else it is read as a robot, not as an obstacle
    document[0][:] = [base]
    ElementTree.ElementTree(document).write(tmp_path / 'robot.sdf')
    cut = read_sdf(tmp_path / 'robot.sdf', slice_height=height)
    assert len(cut.segments) == 0
    np.testing.assert_allclose(cut.circles[:, :2], [[x, y]])  # its casing, which others see
    assert cut.circles[0, 2] < NEAREST * math.sqrt(0.5)  # beside every ray's bounding box


@pytest.mark.parametrize(
    ('flavour', 'plugins', 'sensor'),
    [
        ('gazebo_bridge', ['libWheelTrackedVehiclePlugin.so'], 'ray'),
        (
            'gazebo_classic',
            ['libgazebo_ros_ray_sensor.so', 'libgazebo_ros_diff_drive.so'],
            'ray',
        ),
        (
            'gazebo_sim',
            ['gz-sim-diff-drive-system', 'gz-sim-odometry-publisher-system'],
            'gpu_lidar',
        ),
    ],
)
@pytest.mark.parametrize('name', NAMES)
def test_a_flavour_gets_only_what_it_understands(
    name: str, flavour: str, plugins: list[str], sensor: str
) -> None:
    model = element(RobotModel.read(name, flavour))
    assert [plugin.get('filename') for plugin in model.iter('plugin')] == plugins
    assert [each.get('type') for each in model.iter('sensor')] == [sensor]


def test_the_bridge_sees_what_is_nearer_than_the_lidar_measures() -> None:
    bridge = RobotModel.read('turtlebot3_burger', 'gazebo_bridge')
    classic = RobotModel.read('turtlebot3_burger', 'gazebo_classic')
    assert element(bridge).findtext('link/sensor/ray/range/min') == '0.05'
    assert element(classic).findtext('link/sensor/ray/range/min') == '0.12'
    assert bridge.lidar.range_min == classic.lidar.range_min == 0.12


def test_a_robot_is_placed_and_named() -> None:
    model = RobotModel.read('turtlebot3_burger', 'gazebo_bridge')
    placed = element(model)
    assert placed.get('name') == 'robot_7'
    assert placed.findtext('pose') == '1.5 -2 0 0 0 0.25'
    assert model.scan_topic('robot_7') == '~/robot_7/base_link/lidar/scan'
    assert model.command_topic('robot_7') == '~/robot_7/cmd_vel_twist'
    assert model.speed_topic('robot_7') == '~/robot_7/tracks_speed'


@pytest.mark.parametrize('namespace', ['robot_7', '/robot_7'])
def test_plugins_get_their_namespace(namespace: str) -> None:
    classic = element(RobotModel.read('jackal', 'gazebo_classic'), namespace)
    assert [ros.findtext('namespace') for ros in classic.iter('ros')] == ['/robot_7', '/robot_7']
    sim = element(RobotModel.read('jackal', 'gazebo_sim'), namespace)
    topics = {each.text for tag in ('topic', 'odom_topic') for each in sim.iter(tag)}
    assert topics == {f'robot_7/{name}' for name in ('scan', 'cmd_vel', 'odom', 'wheel_odom')}


def test_without_a_namespace_topics_are_the_plugins_own() -> None:
    sim = element(RobotModel.read('jackal', 'gazebo_sim'))
    assert {each.text for each in sim.iter('topic')} == {'scan', 'cmd_vel'}
    assert not list(element(RobotModel.read('jackal', 'gazebo_classic')).iter('namespace'))


def test_a_path_is_a_robot_model_too(tmp_path: Path) -> None:
    mine = tmp_path / 'mine.sdf'
    mine.write_text(FILES[0].read_text())
    assert RobotModel.read(str(mine), 'gazebo_bridge').name == 'mine'
    assert find_robot_model('jackal') == ROOT / 'worlds' / 'robots' / 'jackal.sdf'


def test_unknown_names_and_flavours() -> None:
    with pytest.raises(RobotModelError, match=r"robot model 'tank': no worlds/robots/tank\.sdf in"):
        RobotModel.read('tank', 'gazebo_bridge')
    with pytest.raises(RobotModelError, match='flavour must be one of gazebo_bridge, gazebo_cl'):
        RobotModel.read('jackal', 'webots')
    with pytest.raises(RobotModelError, match=r'gone\.sdf: cannot be read: No such file'):
        RobotModel.read('somewhere/gone.sdf', 'gazebo_bridge')


@pytest.mark.parametrize(
    ('old', 'new', 'message'),
    [
        ('<sdf ', '<sdf', 'mine.sdf: is not XML'),
        ('<model name', '<world name', 'mine.sdf: is not XML'),
        ('"base_link"', '"base"', 'model[jackal]: needs a <link name="base_link">'),
        ('<collision name="footprint">', '<collision name="body">', '<collision name="footprint">'),
        ('"libgazebo_ros_diff_drive.so"', '"x.so"', '<plugin filename="libgazebo_ros_diff_drive'),
        ('"gz-sim-diff-drive-system"', '"x"', '<plugin filename="gz-sim-diff-drive-system">'),
        ('type="ray"', 'type="camera"', 'link[base_link]: needs a <sensor type="ray">'),
        ('<samples>720', '<samples>0', 'samples: needs 1 number above 0, got "0"'),
        ('<max>10<', '<max>0.05<', 'range_min must be below range_max 0.05, got 0.1'),
        ('<max_linear_velocity>2', '<max_linear_velocity>9', 'max_linear_vel must be above 0'),
        ('<wheel_diameter>0.196', '<wheel_diameter>wide', 'wheel_diameter: needs 1 number above 0'),
        ('name="rear_left_wheel_joint"', 'name="x"', '<joint name="rear_left_wheel_joint">'),
        ('<box>', '<sphere>', 'is not XML'),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    text = find_robot_model('jackal').read_text()
    assert old in text
    (tmp_path / 'mine.sdf').write_text(text.replace(old, new))
    with pytest.raises(RobotModelError, match=r'^mine\.sdf') as caught:
        RobotModel.read(str(tmp_path / 'mine.sdf'), 'gazebo_bridge')
    assert message in str(caught.value)
