"""The system that runs on a robot's own computer: actor_node, and a planner above it if wanted.

| process             |                                                       |
|---------------------|-------------------------------------------------------|
| actor_node          | drives                                                |
| global_planner_node | `global_planner`: plans on the topic map              |
| rviz2               | `rviz`: where there is a screen                       |

The robot's own drivers (base, lidar, TF) are started by its own launch files. Nothing here needs
torch, numba or gymnasium.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rl_planner.bringup.arguments import Argument, Value, resolve
from rl_planner.bringup.installed import require_program
from rl_planner.bringup.nodes import check_namespace, check_topic, checked_files, existing_file
from rl_planner.bringup.process import Member, Parameter, Process, Program, remapping_arguments

TOPIC_ARGUMENTS: tuple[Argument, ...] = (
    Argument(
        'scan_topic', 'scan', "the lidar's topic, in the namespace if it does not begin with /"
    ),
    Argument('odom_topic', 'odom', 'the topic of odometry, likewise'),
    Argument('cmd_vel_topic', 'cmd_vel', 'the topic of commands to the base, likewise'),
    Argument(
        'tf_topic',
        '/tf',
        'the topic of TF, likewise; with _static behind it that of static transforms',
    ),
)

ROBOT_ARGUMENTS: tuple[Argument, ...] = (
    Argument(
        'robot',
        '',
        'robot of config/robots (turtlebot3_burger, turtlebot3_waffle, jackal), or a parameter '
        'file of your own (.yaml)',
    ),
    Argument('policy', '', 'policy file; empty: the one that comes with the package for the robot'),
    Argument(
        'autostart',
        True,
        'the actor is ready for goals at once; false: a lifecycle manager makes it so',
    ),
    Argument(
        'use_stamped_cmd_vel',
        False,
        'cmd_vel is TwistStamped, not Twist: as the base wants it (TurtleBot3 on Jazzy: true)',
    ),
    Argument(
        'follow_plan',
        False,
        'follow the topic plan, of Nav2 or of another planner, instead of driving to goal_pose',
    ),
    Argument(
        'global_planner',
        False,
        'start global_planner_node, which plans on the topic map, and follow its plan',
    ),
    Argument('rviz', False, 'start RViz here, where rviz2 is installed and there is a screen'),
    Argument('namespace', '', 'of the nodes and their topics; empty: none'),
    *TOPIC_ARGUMENTS,
    Argument(
        'time_limit',
        120.0,
        'a goal is given up after so long, a plan after so long without an advance (s)',
        minimum=1.0,
    ),
    Argument('use_sim_time', False, 'time is that of /clock: with Gazebo, or a bag'),
    Argument('params_file', '', 'YAML file of node parameters; it overrides all other settings'),
    Argument(
        'log_level',
        'info',
        'what the nodes tell at least',
        choices=('debug', 'info', 'warn', 'error'),
    ),
)


def robot(**given: Value) -> list[Member]:
    """Return the processes that drive a real robot.

    Takes ROBOT_ARGUMENTS by name, as text or as values; what is not given has its default.
    Raises ValueError for an argument that is unknown or breaks its rule, for a file that is not
    there or broken, for a robot without a policy, and where RViz is asked for and not installed.
    """
    values = resolve(ROBOT_ARGUMENTS, given)
    namespace = check_namespace(str(values['namespace']))
    remappings = _remappings(values)
    files = [_robot_file(str(values['robot']))]
    if values['params_file']:
        files.append(existing_file('params_file', values['params_file']))
    checked = checked_files(tuple(files), namespace)
    shared: dict[str, Parameter] = {'use_sim_time': values['use_sim_time']}

    def node(name: str, own: Mapping[str, Parameter]) -> Process:
        return Process(
            name,
            name,
            {**shared, **own},
            checked,
            namespace=f'/{namespace}',
            remappings=remappings,
            log_level=str(values['log_level']),
        )

    actor: dict[str, Parameter] = {
        'policy_file': _policy_file(values),
        'autostart': values['autostart'],
        'use_stamped_cmd_vel': values['use_stamped_cmd_vel'],
        'follow_plan': values['follow_plan'] or values['global_planner'],
        'task.time_limit': values['time_limit'],
    }
    members: list[Member] = [node('actor_node', actor)]
    if values['global_planner']:
        members.append(node('global_planner_node', {}))
    if values['rviz']:
        members.append(_rviz(namespace, remappings))
    return members


def _remappings(values: Mapping[str, Value]) -> dict[str, str]:
    """From the topics' names in the nodes to those of this robot, where they differ."""
    remappings: dict[str, str] = {}
    for argument in TOPIC_ARGUMENTS:
        name = check_topic(argument.name, str(values[argument.name]))
        if name != argument.default:
            remappings[str(argument.default)] = name
    if '/tf' in remappings:
        remappings['/tf_static'] = f'{remappings["/tf"]}_static'
    return remappings


def _robot_file(name: str) -> Path:
    """The parameter file of a robot of the package, or of one's own."""
    if Path(name).suffix in ('.yaml', '.yml'):
        return existing_file('robot', name)
    from rl_planner.navigation.files import shared_file

    try:
        return shared_file(f'config/robots/{name}.yaml')
    except FileNotFoundError:
        raise ValueError(
            f'robot must be a robot of config/robots or a .yaml file of your own, got {name!r}'
        ) from None


def _policy_file(values: Mapping[str, Value]) -> str:
    if values['policy']:
        return str(existing_file('policy', values['policy']))
    from rl_planner.navigation.files import shared_file

    name = str(values['robot'])
    try:
        return str(shared_file(f'config/policies/{Path(name).stem}.safetensors'))
    except FileNotFoundError:
        raise ValueError(
            f'policy must name a policy file: none comes with the package for robot {name}'
        ) from None


def _rviz(namespace: str, remappings: Mapping[str, str]) -> Program:
    from rl_planner.navigation.files import shared_file

    program = require_program('rviz2', 'ros-{distribution}-rviz2')
    config = str(shared_file('config/rviz/rl_planner.rviz'))
    own = {'__ns': f'/{namespace}'} if namespace else {}
    names = remapping_arguments({**own, **remappings})
    return Program(
        'rviz2', (program, '-d', config, *(['--ros-args'] if names else []), *names), required=False
    )
