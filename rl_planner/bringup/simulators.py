"""The processes that make up each simulator.

| simulator      | processes                                     | time goes on               |
|----------------|-----------------------------------------------|----------------------------|
| embedded       | simulator_node                                | in lock-step, or by a clock|
| gazebo_bridge  | gazebo_bridge_node, which starts gzservers    | in lock-step, or by a clock|
| gazebo_classic | gzserver with gazebo_ros (and gzclient)       | freely                     |
| gazebo_sim     | gz sim, and ros_gz_bridge's parameter_bridge  | when episode_node steps it |

All have the same topics, in one namespace per robot.
"""

from __future__ import annotations

from pathlib import Path

from rl_planner.bringup.arguments import Argument
from rl_planner.bringup.installed import (
    require_gazebo_messages,
    require_gzserver,
    require_program,
    require_ros_file,
    require_ros_module,
)
from rl_planner.bringup.nodes import DEFAULT_ROBOT, Values, node, robot_model, robot_names
from rl_planner.bringup.process import Member, Program

SIMULATORS = ('embedded', 'gazebo_bridge', 'gazebo_classic', 'gazebo_sim')
STEPPED = SIMULATORS[:2]  # they wait for the command of each robot where they are lock-stepped

SIMULATOR = Argument(
    'simulator',
    'embedded',
    'embedded: in this package; gazebo_bridge: Gazebo Classic in lock-step, without gazebo_ros; '
    'gazebo_classic: Gazebo Classic with gazebo_ros; gazebo_sim: Gazebo Harmonic or later',
    choices=SIMULATORS,
)
SIMULATOR_ARGUMENTS = (
    Argument(
        'servers',
        1,
        'gazebo_bridge: gzservers that share the robots evenly; one for each core is fastest',
        minimum=1,
    ),
    Argument(
        'gazebo_root',
        '',
        'gazebo_bridge: folder of a chroot with Gazebo Classic, as make gazebo makes it; empty: '
        "this machine's own",
    ),
    Argument(
        'robot_model',
        DEFAULT_ROBOT,
        'robot of worlds/robots and config/robots for every node (jackal, turtlebot3_burger, '
        'turtlebot3_waffle), or a .sdf file of your own, whose numbers params_file must tell',
    ),
    Argument('headless', True, 'gazebo_classic, gazebo_sim: without the window'),
)


def simulator(values: Values, world: str = '') -> list[Member]:
    """Return the processes of `values['simulator']`, all that it needs being there.

    Args:
        world: file of the world that the robots are in; without, each is in an empty one, to which
            episode_node brings what stands there.

    Raises ValueError for what is missing, naming the package, and for an argument that this
    simulator has no use for.
    """
    name = str(values['simulator'])
    if name != 'gazebo_bridge':
        _refuse(values, 'servers', 1, 'gazebo_bridge')
        _refuse(values, 'gazebo_root', '', 'gazebo_bridge')
    if name not in STEPPED and values.get('namespace'):
        _refuse(values, 'namespace', '', ' or '.join(STEPPED))
    if name in STEPPED:
        _refuse(values, 'headless', True, 'gazebo_classic or gazebo_sim')
    return _BUILDERS[name](values, world)


def _refuse(values: Values, name: str, default: object, simulators: str) -> None:
    if values[name] != default:
        raise ValueError(
            f'{name} must come with simulator {simulators}, not {values["simulator"]}, '
            f'got {values[name]}'
        )


def _embedded(values: Values, world: str) -> list[Member]:
    return [node('simulator_node', values, {**_stepped(values), 'seed': values['seed']})]


def _gazebo_bridge(values: Values, world: str) -> list[Member]:
    if int(values['servers']) > int(values['robots']):
        raise ValueError(
            f'servers must be at most robots {values["robots"]}, got {values["servers"]}'
        )
    root = require_gzserver(values['gazebo_root'])
    require_gazebo_messages(root)
    own = {
        **_stepped(values),
        'servers': values['servers'],
        'gazebo_root': root,
        'robot_model': robot_model(values),
    }
    return [node('gazebo_bridge_node', values, own)]


def _stepped(values: Values) -> dict[str, bool | int | float | str]:
    return {
        'real_time_factor': values['real_time_factor'],
        'use_stamped_cmd_vel': values.get('use_stamped_cmd_vel', True),
        'use_sim_time': False,  # it is the clock: on simulated time it would wait for itself
    }


def _gazebo_classic(values: Values, world: str) -> list[Member]:
    packages = 'ros-{distribution}-gazebo-ros-pkgs'
    require_program('gzserver', 'gazebo')
    require_ros_file('lib/libgazebo_ros_factory.so', packages)
    require_ros_module('gazebo_msgs', packages)
    file, _ = _world_file(values, world)
    plugins = ('-s', 'libgazebo_ros_init.so', '-s', 'libgazebo_ros_factory.so')
    members: list[Member] = [Program('gzserver', ('gzserver', '--verbose', *plugins, file))]
    if not values['headless']:
        window = (require_program('gzclient', 'gazebo'),)
        members.append(Program('gzclient', window, required=False))
    return members


def _gazebo_sim(values: Values, world: str) -> list[Member]:
    packages = 'ros-{distribution}-ros-gz'
    require_program('gz', packages)
    bridge = str(require_ros_file('lib/ros_gz_bridge/parameter_bridge', packages))
    require_ros_module('ros_gz_interfaces', packages)
    file, name = _world_file(values, world)
    options = ['-s'] if values['headless'] else []
    if world:
        options.append('-r')  # nobody is there to step it
    names = robot_names(int(values['robots']))
    return [
        Program('gz_sim', ('gz', 'sim', *options, file)),
        Program('ros_gz_bridge', (bridge, *bridged(names, name))),
    ]


def _world_file(values: Values, world: str) -> tuple[str, str]:
    """A file of the world with the robots in it, and the name of that world."""
    from rl_planner.gazebo.robot_model import RobotModel
    from rl_planner.gazebo.world_file import (
        EMPTY_WORLD,
        arena_poses,
        free_poses,
        make_world,
        write_world,
    )
    from rl_planner.simulation.sdf import read_sdf

    model = RobotModel.read(robot_model(values), str(values['simulator']))
    names = robot_names(int(values['robots']))
    text, poses = EMPTY_WORLD, arena_poses(len(names))
    if world:
        text = Path(world).read_text(encoding='utf-8')
        poses = free_poses(read_sdf(world), model, len(names), int(values['seed']))
    sdf, name = make_world(text, model, names, poses, float(values['real_time_factor']))
    return str(write_world(sdf)), name


def bridged(robots: list[str], world: str) -> list[str]:
    """Return what parameter_bridge is to carry, in its own notation: [ from Gazebo, ] to it."""
    topics = ['/clock@rosgraph_msgs/msg/Clock[gz.msgs.Clock']
    for robot in robots:
        topics += [
            f'/{robot}/scan@sensor_msgs/msg/LaserScan[gz.msgs.LaserScan',
            f'/{robot}/odom@nav_msgs/msg/Odometry[gz.msgs.Odometry',
            f'/{robot}/cmd_vel@geometry_msgs/msg/Twist]gz.msgs.Twist',
        ]
    services = {
        'control': 'ControlWorld',
        'set_pose': 'SetEntityPose',
        'create': 'SpawnEntity',
        'remove': 'DeleteEntity',
    }
    return [
        *topics,
        *(f'/world/{world}/{name}@ros_gz_interfaces/srv/{kind}' for name, kind in services.items()),
    ]


_BUILDERS = {
    'embedded': _embedded,
    'gazebo_bridge': _gazebo_bridge,
    'gazebo_classic': _gazebo_classic,
    'gazebo_sim': _gazebo_sim,
}
