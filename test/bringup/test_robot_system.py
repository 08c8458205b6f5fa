"""The system on a robot's own computer."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from rl_planner.bringup.process import Process, Program
from rl_planner.bringup.robot_system import ROBOT_ARGUMENTS, robot

CONFIG = Path(__file__).parents[2] / 'config'
BURGER = {'robot': 'turtlebot3_burger'}


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / 'policy.safetensors'
    path.write_bytes(b'policy')
    return path


def actor(**given: object) -> Process:
    node = robot(**{**BURGER, **given})[0]  # type: ignore[arg-type]
    assert isinstance(node, Process)
    return node


def test_a_robot_has_its_parameters_and_its_policy() -> None:
    (node,) = robot(**BURGER)
    assert isinstance(node, Process)
    assert (node.name, node.executable, node.namespace) == ('actor_node', 'actor_node', '/')
    assert node.required
    assert node.parameter_files == (CONFIG / 'robots' / 'turtlebot3_burger.yaml',)
    policy = CONFIG / 'policies' / 'turtlebot3_burger.safetensors'
    assert node.parameters == {
        'use_sim_time': False,
        'policy_file': str(policy),
        'autostart': True,
        'use_stamped_cmd_vel': False,
        'follow_plan': False,
        'task.time_limit': 120.0,
    }
    assert node.ros_arguments()[-2:] == ['--log-level', 'info']


@pytest.mark.parametrize('name', ['turtlebot3_burger', 'turtlebot3_waffle', 'jackal'])
def test_robots_that_need_no_policy_of_the_user(name: str) -> None:
    assert Path(str(actor(robot=name).parameters['policy_file'])).is_file()


def test_what_the_user_says_counts(policy: Path, tmp_path: Path) -> None:
    mine = tmp_path / 'mine.yaml'
    mine.write_text('/**: {ros__parameters: {robot: {radius: 0.3}}}')
    node = actor(
        robot=str(mine),
        policy=str(policy),
        autostart='false',
        use_stamped_cmd_vel='true',
        follow_plan=True,
        time_limit='30',
        use_sim_time=True,
        params_file=str(mine),
        log_level='debug',
    )
    assert node.parameters == {
        'use_sim_time': True,
        'policy_file': str(policy),
        'autostart': False,
        'use_stamped_cmd_vel': True,
        'follow_plan': True,
        'task.time_limit': 30.0,
    }
    assert node.parameter_files == (mine, mine)
    assert node.ros_arguments()[-2:] == ['--log-level', 'debug']


def test_a_global_planner_is_followed() -> None:
    first, second = robot(**BURGER, global_planner=True)
    assert isinstance(first, Process)
    assert isinstance(second, Process)
    assert first.parameters['follow_plan'] is True
    assert second.name == 'global_planner_node'
    assert second.parameter_files == first.parameter_files


def test_topics_have_the_names_that_the_robot_gives_them(install) -> None:  # type: ignore[no-untyped-def]
    install('rviz2')
    assert actor().remappings == {}
    topics = {
        'scan_topic': 'sensors/lidar2d_0/scan',
        'odom_topic': '/platform/odom/filtered',
        'cmd_vel_topic': 'cmd_vel_unstamped',
        'tf_topic': 'tf',
    }
    nodes = robot(**BURGER, **topics, namespace='j100_0001', global_planner=True, rviz=True)
    rules = [
        'scan:=sensors/lidar2d_0/scan',
        'odom:=/platform/odom/filtered',
        'cmd_vel:=cmd_vel_unstamped',
        '/tf:=tf',
        '/tf_static:=tf_static',
    ]
    given = [part for rule in rules for part in ('-r', rule)]
    *drivers, rviz = nodes
    assert len(drivers) == 2
    for node in drivers:
        assert isinstance(node, Process)
        assert node.ros_arguments()[: len(given)] == given
    assert isinstance(rviz, Program)
    assert rviz.command[-len(given) - 2 :] == ('-r', '__ns:=/j100_0001', *given)


@pytest.mark.parametrize('name', ['', '/', 'a//b', 'a/', '7up', 'a b', 'scän', '~/scan', 'a:=b'])
def test_what_is_no_name_of_a_topic_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r'^odom_topic must be letters, .*, got ' + repr(name)):
        robot(**BURGER, odom_topic=name)


def test_rviz_shows_the_robot_in_its_namespace(install) -> None:  # type: ignore[no-untyped-def]
    install('rviz2')
    first, second = robot(**BURGER, rviz=True, namespace='mobile')
    assert isinstance(first, Process)
    assert isinstance(second, Program)
    assert first.namespace == '/mobile'
    config = str(CONFIG / 'rviz' / 'rl_planner.rviz')
    assert second.command == ('rviz2', '-d', config, '--ros-args', '-r', '__ns:=/mobile')
    assert not second.required  # a closed window stops no robot
    _, plain = robot(**BURGER, rviz=True)
    assert isinstance(plain, Program)
    assert plain.command == ('rviz2', '-d', config)


def test_what_is_missing_or_wrong_is_named(install, tmp_path: Path, policy: Path) -> None:  # type: ignore[no-untyped-def]
    install()
    for name in ('', 'burger', 'default'):
        with pytest.raises(
            ValueError, match=rf"robot must be a robot of config/robots .* '{name}'"
        ):
            robot(robot=name)
    with pytest.raises(ValueError, match='robot must be an existing file'):
        robot(robot=str(tmp_path / 'none.yaml'))
    mine = tmp_path / 'mine.yaml'
    mine.write_text('/**: {ros__parameters: {robot: {radius: 0.3}}}')
    with pytest.raises(ValueError, match=r'none comes with the package for robot .*mine\.yaml'):
        robot(robot=str(mine))
    with pytest.raises(ValueError, match='policy must be an existing file'):
        robot(**BURGER, policy='none.safetensors')
    with pytest.raises(ValueError, match=r'apt install ros-humble-rviz2'):
        robot(**BURGER, rviz=True)
    with pytest.raises(ValueError, match='namespace must be a letter, then'):
        robot(**BURGER, namespace='7up')
    mine.write_text('/**: {ros__parameters: {robot: {radiuss: 0.3}}}')
    with pytest.raises(ValueError, match=r'did you mean robot\.radius'):
        robot(**BURGER, params_file=str(mine))


def test_every_argument_is_described() -> None:
    for argument in ROBOT_ARGUMENTS:
        assert len(argument.description) > 15, argument.name


# What rviz_default_plugins and rviz_common of Jazzy have, as their views are saved.
CLASSES = {
    *(f'rviz_common/{name}' for name in ('Displays', 'Views')),
    *(
        f'rviz_default_plugins/{name}'
        for name in (
            *('Grid', 'Map', 'Path', 'LaserScan', 'Odometry', 'MarkerArray', 'Marker', 'TF'),
            *('RobotModel', 'TopDownOrtho'),
            *('MoveCamera', 'Select', 'Measure', 'SetInitialPose', 'SetGoal'),
        )
    ),
}
# Relative names, so that RViz in the robot's namespace shows that robot.
TOPICS = {
    'Map': ('map', 'Transient Local', 'Reliable'),
    'Plan': ('plan', 'Volatile', 'Reliable'),
    'LaserScan': ('scan', 'Volatile', 'Best Effort'),
    'Odometry': ('odom', 'Volatile', 'Best Effort'),
    'Planner': ('actor_node/markers', 'Volatile', 'Reliable'),
    'Outcome': ('outcome', 'Volatile', 'Reliable'),
}


def classes_in(part: object) -> set[str]:
    """Every class that is named anywhere."""
    if isinstance(part, list):
        return set().union(*map(classes_in, part))
    if not isinstance(part, dict):
        return set()
    own = {str(part['Class'])} if part.get('Class') else set()
    return own.union(*map(classes_in, part.values()))


def test_the_view_has_what_a_drive_is_watched_with() -> None:
    view = yaml.safe_load((CONFIG / 'rviz' / 'rl_planner.rviz').read_text())
    manager = view['Visualization Manager']
    assert manager['Global Options']['Fixed Frame'] == 'odom'
    assert classes_in(view) <= CLASSES
    displays = {display['Name']: display for display in manager['Displays']}
    assert displays['RobotModel']['Enabled'] is False
    for name, (topic, durability, reliability) in TOPICS.items():
        told = displays[name]['Topic']
        assert (told['Value'], told['Durability Policy']) == (topic, durability), name
        assert told['Reliability Policy'] == reliability, name
        assert displays[name]['Enabled'] is True
    goal = {tool['Class']: tool for tool in manager['Tools']}['rviz_default_plugins/SetGoal']
    assert goal['Topic']['Value'] == 'goal_pose'
