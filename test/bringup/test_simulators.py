"""Which processes make up each simulator; nothing of Gazebo need be there."""

from __future__ import annotations

import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from support.gazebo_root import lay_out_gazebo

from rl_planner.bringup.process import Member, Process, Program
from rl_planner.bringup.system import gazebo, simulation, train

WORLDS = Path(__file__).parents[2] / 'worlds'
BRIDGE = ('gzserver', 'packet.proto')
CLASSIC = ('gzserver', 'lib/libgazebo_ros_factory.so', 'gazebo_msgs')
SIM = ('gz', 'lib/ros_gz_bridge/parameter_bridge', 'ros_gz_interfaces')


def by_name(members: list[Member]) -> dict[str, Member]:
    return {member.name: member for member in members}


def world_of(server: Member) -> ElementTree.Element:
    assert isinstance(server, Program)
    world = ElementTree.parse(server.command[-1]).getroot().find('world')
    assert world is not None
    return world


def test_the_bridge_stands_where_the_embedded_simulator_would(install) -> None:
    install(*BRIDGE)
    members = by_name(train(simulator='gazebo_bridge', robots=4, servers=2, seed=3))
    assert list(members) == ['gazebo_bridge_node', 'actor_node', 'learner_node', 'episode_node']
    embedded = by_name(train(robots=4, seed=3))
    own = {'servers': 2, 'gazebo_root': '', 'robot_model': 'default'}
    bridge, simulator = members['gazebo_bridge_node'], embedded['simulator_node']
    shared = {name: value for name, value in simulator.parameters.items() if name != 'seed'}
    assert bridge.parameters == {**shared, **own}
    assert members['actor_node'].parameters == embedded['actor_node'].parameters
    assert members['episode_node'].parameters == embedded['episode_node'].parameters


def test_a_chroot_has_its_gzserver_in_it(install, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r'gazebo_root must be a folder that has usr/bin/gzserver'):
        train(simulator='gazebo_bridge', gazebo_root='root')
    lay_out_gazebo(tmp_path / 'root', monkeypatch)
    bridge = train(simulator='gazebo_bridge', gazebo_root='root')[0]
    assert isinstance(bridge, Process)
    assert bridge.parameters['gazebo_root'] == str(tmp_path / 'root')
    monkeypatch.setattr('os.geteuid', lambda: 1000)
    with pytest.raises(ValueError, match='gazebo_root must be empty where the user is not root'):
        train(simulator='gazebo_bridge', gazebo_root='root')


def test_classic_has_robots_and_what_tells_their_states_in_its_world(install) -> None:
    install(*CLASSIC)
    members = by_name(train(simulator='gazebo_classic', robots=2))
    assert list(members) == ['gzserver', 'actor_node', 'learner_node', 'episode_node']
    server = members['gzserver']
    assert isinstance(server, Program)
    plugins = ('-s', 'libgazebo_ros_init.so', '-s', 'libgazebo_ros_factory.so')
    assert server.command[:-1] == ('gzserver', '--verbose', *plugins)
    world = world_of(server)
    assert [plugin.get('filename') for plugin in world.findall('plugin')] == [
        'libgazebo_ros_state.so'
    ]
    robots = [model for model in world.findall('model') if model.find('.//sensor') is not None]
    assert [model.get('name') for model in robots] == ['robot_0', 'robot_1']
    assert {each.text for each in robots[1].iterfind('.//ros/namespace')} == {'/robot_1'}
    places = [(model.findtext('pose') or '').split()[:2] for model in robots]
    assert places == [['0', '0'], ['200', '0']]
    assert world.findtext('physics/real_time_update_rate') == '0'  # as fast as can be


def test_gazebo_with_services_takes_twist_and_waits_where_it_is_stepped(install) -> None:
    install(*CLASSIC, *SIM)
    for name in ('gazebo_classic', 'gazebo_sim'):
        members = by_name(train(simulator=name))
        actor, episodes = members['actor_node'], members['episode_node']
        assert isinstance(actor, Process)
        assert isinstance(episodes, Process)
        assert actor.parameters['use_stamped_cmd_vel'] is False
        assert actor.parameters['command_when_idle'] is (name == 'gazebo_sim')
        assert episodes.parameters['backend'] == name
        assert episodes.parameters['robot_model'] == 'default'


def test_sim_is_bridged_topic_by_topic(install, tmp_path: Path) -> None:
    install(*SIM)
    members = by_name(train(simulator='gazebo_sim', robots=2))
    server, bridge = members['gz_sim'], members['ros_gz_bridge']
    assert isinstance(server, Program)
    assert isinstance(bridge, Program)
    assert server.command[:-1] == ('gz', 'sim', '-s')  # paused: episode_node steps it
    assert bridge.command == (
        str(tmp_path / 'ros/lib/ros_gz_bridge/parameter_bridge'),
        '/clock@rosgraph_msgs/msg/Clock[gz.msgs.Clock',
        '/robot_0/scan@sensor_msgs/msg/LaserScan[gz.msgs.LaserScan',
        '/robot_0/odom@nav_msgs/msg/Odometry[gz.msgs.Odometry',
        '/robot_0/cmd_vel@geometry_msgs/msg/Twist]gz.msgs.Twist',
        '/robot_1/scan@sensor_msgs/msg/LaserScan[gz.msgs.LaserScan',
        '/robot_1/odom@nav_msgs/msg/Odometry[gz.msgs.Odometry',
        '/robot_1/cmd_vel@geometry_msgs/msg/Twist]gz.msgs.Twist',
        '/world/rl_planner/control@ros_gz_interfaces/srv/ControlWorld',
        '/world/rl_planner/set_pose@ros_gz_interfaces/srv/SetEntityPose',
        '/world/rl_planner/create@ros_gz_interfaces/srv/SpawnEntity',
        '/world/rl_planner/remove@ros_gz_interfaces/srv/DeleteEntity',
    )
    world = world_of(server)
    topics = [each.text for each in world.findall(".//model[@name='robot_1']//topic")]
    assert 'robot_1/scan' in topics
    assert 'robot_1/cmd_vel' in topics
    assert 'gz-sim-sensors-system' in [each.get('filename') for each in world.findall('plugin')]


def test_a_gazebo_by_itself_has_all_robots_in_one_world(install) -> None:
    install(*CLASSIC, 'gzclient')
    room = str(WORLDS / 'rooms.sdf')
    members = by_name(gazebo(robots=3, world=room, headless=False, real_time_factor=2.0))
    assert list(members) == ['gzserver', 'gzclient']
    assert (members['gzserver'].required, members['gzclient'].required) == (True, False)
    world = world_of(members['gzserver'])
    assert world.get('name') == ElementTree.parse(room).getroot()[0].get('name')
    assert world.findtext('physics/real_time_update_rate') == '200'  # twice 100 steps of 0.01 s
    poses = [
        [float(word) for word in (model.findtext('pose') or '').split()]
        for model in world.findall('model')
        if (model.get('name') or '').startswith('robot_')
    ]
    assert len(poses) == 3
    for index, (x, y, *_) in enumerate(poses):
        for other in poses[index + 1 :]:
            assert (x - other[0]) ** 2 + (y - other[1]) ** 2 > (4 * 0.17) ** 2


def test_a_gazebo_sim_by_itself_runs(install) -> None:
    install(*SIM)
    server = by_name(gazebo(simulator='gazebo_sim'))['gz_sim']
    assert isinstance(server, Program)
    assert server.command[:-1] == ('gz', 'sim', '-s', '-r')


def test_a_bridge_by_itself_takes_what_a_teleoperation_sends(install) -> None:
    install(*BRIDGE)
    (bridge,) = gazebo(simulator='gazebo_bridge', robots=2)
    assert isinstance(bridge, Process)
    assert bridge.parameters['use_stamped_cmd_vel'] is False
    with pytest.raises(ValueError, match='world must be empty with simulator gazebo_bridge'):
        gazebo(simulator='gazebo_bridge', world=str(WORLDS / 'rooms.sdf'))


def test_a_robot_model_brings_its_parameters_to_every_node(install, tmp_path: Path) -> None:
    mine = tmp_path / 'mine.yaml'
    mine.write_text('/**: {ros__parameters: {task: {time_limit: 20.0}}}')
    robot = WORLDS.parent / 'config' / 'robots' / 'turtlebot3_burger.yaml'
    nodes = train(robot_model='turtlebot3_burger', params_file=str(mine))
    assert {node.parameter_files for node in nodes} == {(robot, mine)}
    with pytest.raises(ValueError, match=r"robot_model must be a robot of .*, got 'turtle'"):
        train(robot_model='turtle')
    install(*BRIDGE)
    with pytest.raises(ValueError, match=r"robot_model must be an existing file, got 'my\.sdf'"):
        train(simulator='gazebo_bridge', robot_model='my.sdf')


@pytest.mark.parametrize(
    ('simulator', 'there', 'message'),
    [
        ('gazebo_bridge', (), 'gzserver must be installed, .*: apt install gazebo'),
        ('gazebo_bridge', ('gzserver',), r'\.proto files, .*: apt install libgazebo-dev'),
        ('gazebo_classic', (), 'gzserver must be installed, .*: apt install gazebo'),
        ('gazebo_classic', CLASSIC[:1], 'apt install ros-humble-gazebo-ros-pkgs'),
        ('gazebo_classic', CLASSIC[:2], 'gazebo_msgs must .*ros-humble-gazebo-ros-pkgs'),
        ('gazebo_sim', (), 'gz must be installed, .*: apt install ros-humble-ros-gz'),
        ('gazebo_sim', SIM[:1], 'lib/ros_gz_bridge/parameter_bridge must be installed'),
        ('gazebo_sim', SIM[:2], 'ros_gz_interfaces must be installed'),
    ],
)
def test_what_is_missing_is_named_with_its_package(
    install, simulator: str, there: tuple[str, ...], message: str
) -> None:
    install(*there)
    with pytest.raises(ValueError, match=message):
        train(simulator=simulator)


def test_without_protobuf_the_bridge_names_the_extra(install, monkeypatch) -> None:
    install(*BRIDGE)
    monkeypatch.delitem(sys.modules, 'rl_planner.gazebo.protos', raising=False)
    monkeypatch.setitem(sys.modules, 'google.protobuf.descriptor_pb2', None)
    with pytest.raises(ValueError, match=r"protobuf must .*: pip install 'rl_planner\[gazebo\]'"):
        train(simulator='gazebo_bridge')


def test_arguments_that_a_simulator_has_no_use_for_are_refused(install, tmp_path: Path) -> None:
    install(*BRIDGE, *CLASSIC)
    refusals = {
        'servers must come with simulator gazebo_bridge, not embedded, got 2': {'servers': 2},
        'headless must come with simulator gazebo_classic or gazebo_sim, not embedded': {
            'headless': False
        },
        'servers must come with simulator gazebo_bridge, not gazebo_classic': {
            'simulator': 'gazebo_classic',
            'servers': 2,
        },
        'servers must be at most robots 2, got 3': {
            'simulator': 'gazebo_bridge',
            'robots': 2,
            'servers': 3,
        },
    }
    policy = tmp_path / 'policy'
    policy.touch()
    for message, given in refusals.items():
        with pytest.raises(ValueError, match=message):
            simulation(policy=str(policy), **given)
