"""The one description of the systems: which processes there are, with which parameters.

Two runners read it: the launch files (`rl_planner.ros.launching`, for `ros2 launch`) and the
supervisor (`rl_planner.bringup.supervisor`, for `rl_planner bringup`, where there is no `launch`).

| system     | processes                                               |
|------------|---------------------------------------------------------|
| simulation | a simulator, actor_node with a policy, episode_node;    |
|            | guided: and a global_planner_node for each robot        |
| train      | a simulator, actor_node, learner_node, episode_node     |
| gazebo     | a Gazebo with robots in it, for other nodes to drive    |
| robot      | actor_node on a real robot: in `robot_system`           |

What a simulator consists of: `rl_planner.bringup.simulators`. A system runs until it is asked to
end, one of its processes ends, or its episodes are done.

A training may be spread over hosts: the learner on one (role learner), simulators with their actors
on others (role robots). Each of these has a namespace of its own, in which its robots, its clock
and its nodes are; experience and policy are everybody's.
"""

from __future__ import annotations

import time
import warnings
import zlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from rl_planner.bringup.arguments import Argument, Value, resolve
from rl_planner.bringup.nodes import (
    absolute,
    existing_file,
    node,
    parameter_files,
    robot_model,
    robot_names,
    time_limit,
)
from rl_planner.bringup.process import Member, Process
from rl_planner.bringup.simulators import (
    SIMULATOR,
    SIMULATOR_ARGUMENTS,
    SIMULATORS,
    STEPPED,
    simulator,
)

# Experience over ROS comes from few robots and is dear: more is made of it than in one process.
# After 100,000 transitions of 8 robots (two seeds, 300 worlds), 2, 4 and 8 updates per 128 of them
# had learnt to reach 83, 94 and 96 % of the goals.
UPDATES_PER_TRANSITION = 8.0 / 128.0

_ROBOTS = Argument('robots', 1, 'number of robots, each in a world of its own', minimum=1)
_REAL_TIME_FACTOR = Argument(
    'real_time_factor',
    1.0,
    'simulated seconds per second; 0: as fast as the actor can follow',
    minimum=0.0,
)
_SEED = Argument('seed', 0, 'seed of everything random', minimum=0)
_PARAMS_FILE = Argument(
    'params_file', '', 'YAML file of node parameters; it overrides all other settings'
)
_COMMON = (
    SIMULATOR,
    *SIMULATOR_ARGUMENTS,
    Argument('world', 'random', 'random, or a world file (.sdf, .world)'),
    _SEED,
    Argument('episodes', 0, 'end after that many episodes; 0: go on until asked to end', minimum=0),
    Argument('episode_log', '', 'file that gets one line of JSON for each finished episode'),
    _PARAMS_FILE,
)

SIMULATION_ARGUMENTS: tuple[Argument, ...] = (
    Argument('policy', '', 'policy file that drives (policy.safetensors of a run folder)'),
    Argument(
        'scenarios', '', 'instead of world: file of episodes, a line of JSON each, to run once each'
    ),
    Argument(
        'guided',
        False,
        'the robots have maps of what stands in their worlds, and follow the plans of a '
        'global_planner_node each',
    ),
    _ROBOTS,
    _REAL_TIME_FACTOR,
    *_COMMON,
)

TRAIN_ARGUMENTS: tuple[Argument, ...] = (
    Argument('out', '', 'run folder; empty: a new one, runs/<date-time>'),
    Argument('resume', False, 'go on from the newest checkpoint of the run folder'),
    Argument('init_policy', '', 'policy file to begin with, for fine-tuning; empty: from nothing'),
    Argument('device', 'auto', 'where the learner computes', choices=('auto', 'cpu', 'cuda')),
    Argument(
        'budget_sec',
        0.0,
        'train so long, from the first transition on; 0: go on until asked to end',
        minimum=0.0,
    ),
    Argument(
        'role',
        'all',
        'what runs here: all of it, only the learner, or only the robots, for a learner elsewhere',
        choices=('all', 'learner', 'robots'),
    ),
    Argument(
        'namespace', '', 'of the robots and their clock; with role robots, another on each host'
    ),
    replace(_ROBOTS, default=8),
    replace(_REAL_TIME_FACTOR, default=0.0),
    *_COMMON,
)

GAZEBO_ARGUMENTS: tuple[Argument, ...] = (
    replace(
        SIMULATOR,
        default='gazebo_classic',
        description=SIMULATOR.description.partition('; ')[2],
        choices=SIMULATORS[1:],
    ),
    replace(_ROBOTS, description='number of robots: robot_0, robot_1, ...'),
    *SIMULATOR_ARGUMENTS,
    Argument(
        'world',
        '',
        'gazebo_classic, gazebo_sim: world file (.sdf, .world) that all robots are in; empty: '
        'worlds/arena.sdf. With gazebo_bridge each robot has a world of its own, an empty one',
    ),
    replace(_REAL_TIME_FACTOR, description='simulated seconds per second; 0: as fast as can be'),
    Argument(
        'use_stamped_cmd_vel',
        False,
        'gazebo_bridge: cmd_vel is TwistStamped, not Twist; must be so where real_time_factor is 0',
    ),
    _SEED,
    _PARAMS_FILE,
)


def simulation(**given: Value) -> list[Member]:
    """Return the processes that drive simulated robots with a trained policy.

    Takes SIMULATION_ARGUMENTS by name, as text or as values; what is not given has its default.
    Raises ValueError for an argument that is unknown or breaks its rule, for a broken file, and
    for a simulator that is not installed.
    """
    values = resolve(SIMULATION_ARGUMENTS, given)
    if not values['policy']:
        raise ValueError('policy must name a policy file, such as runs/NAME/policy.safetensors')
    policy_file = str(existing_file('policy', values['policy']))
    guided = bool(values['guided'])
    if guided and values['real_time_factor'] == 0.0:
        raise ValueError(
            'guided must come with a real_time_factor above 0: in lock-step nobody waits for plans'
        )
    own: dict[str, Value] = {
        'policy_file': policy_file,
        'training': False,
        'follow_plan': guided,
    }
    episodes = _episodes(values, 'evaluation', {'publish_map': guided})
    return [*simulator(values), _actor(values, own), *_planners(values, guided), episodes]


def train(**given: Value) -> list[Member]:
    """Return the processes that train a policy on simulated robots.

    Takes TRAIN_ARGUMENTS by name, as text or as values; what is not given has its default.
    Raises ValueError as `simulation` does.
    """
    values = resolve(TRAIN_ARGUMENTS, given)
    if values['resume'] and not values['out']:
        raise ValueError('resume must come with out, the run folder to go on from')
    if values['role'] == 'robots' and not values['namespace']:
        raise ValueError('namespace must be given with role robots: each host has its own')
    first = _first_policy(values)
    learner = _learner(values, first)
    if values['role'] == 'learner':
        return [learner]
    own = {**values, 'seed': _seed(values)}
    actor = _actor(own, {'policy_file': first, 'training': True})
    learners = [learner] if values['role'] == 'all' else []
    return [*simulator(own), actor, *learners, _episodes(own, 'training')]


def gazebo(**given: Value) -> list[Member]:
    """Return the processes of a Gazebo with robots in it, and of nothing else.

    Takes GAZEBO_ARGUMENTS by name, as text or as values; what is not given has its default.
    Raises ValueError as `simulation` does.
    """
    values = resolve(GAZEBO_ARGUMENTS, given)
    if values['simulator'] in STEPPED:
        if values['world']:
            raise ValueError(
                f'world must be empty with simulator {values["simulator"]}, got {values["world"]}'
            )
        return simulator(values)
    from rl_planner.navigation.files import shared_file

    return simulator(values, _world(values['world'] or str(shared_file('worlds/arena.sdf'))))


def _learner(values: Mapping[str, Value], init_policy: Value) -> Process:
    own = {
        'run_dir': str(_run_dir(str(values['out']))),
        'device': values['device'],
        'budget_sec': values['budget_sec'],
        'seed': values['seed'],
        'resume': values['resume'],
        'init_policy': init_policy,
        'learning.updates_per_transition': UPDATES_PER_TRANSITION,
    }
    return Process('learner_node', 'learner_node', own, parameter_files(values))


def _first_policy(values: Mapping[str, Value]) -> str:
    """What training begins with, if anything: the policy given, or that of the run to resume.

    The nodes need its observation; a resumed learner has the rest from its checkpoint.
    """
    if values['init_policy']:
        return str(existing_file('init_policy', values['init_policy']))
    last = absolute(values['out']) / 'policy.safetensors'
    return str(last) if values['resume'] and last.exists() else ''


def _seed(values: Mapping[str, Value]) -> int:
    """The seed of a host's robots; one that comes back is not to drive the same again."""
    if not values['namespace']:
        return int(values['seed'])
    return zlib.crc32(f'{values["seed"]} {values["namespace"]} {time.time_ns()}'.encode())


def _actor(values: Mapping[str, Value], own: Mapping[str, Value]) -> Process:
    # In lock-step the simulator waits for every robot, and ours know what a command answers.
    stepped = values['simulator'] in STEPPED
    common = {
        'seed': values['seed'],
        'use_stamped_cmd_vel': stepped,
        'command_when_idle': stepped or values['simulator'] == 'gazebo_sim',
        'mount_from_tf': False,  # parameters and simulators are of one robot model
        **time_limit(values),
    }
    # Simulated lidars measure all beams at once, whatever the real one takes.
    return replace(
        node('actor_node', values, {**common, **own}), fixed={'lidar.scan_duration': 0.0}
    )


def _planners(values: Mapping[str, Value], guided: bool) -> list[Process]:
    """A global planner for each robot, on the map that episode_node publishes for it."""
    files, executable = parameter_files(values), 'global_planner_node'
    return [
        Process(
            f'{robot}_{executable}',
            executable,
            {'use_sim_time': True, 'mount_from_tf': False},
            files,
            namespace=f'/{robot}',
        )
        for robot in (robot_names(int(values['robots'])) if guided else [])
    ]


def _episodes(
    values: Mapping[str, Value], purpose: str, more: Mapping[str, Value] | None = None
) -> Process:
    log, scenarios = values['episode_log'], values.get('scenarios', '')
    other = {'backend': values['simulator'], 'robot_model': robot_model(values)}
    own = {
        **({} if values['simulator'] in STEPPED else other),
        'world': _world(values['world']),
        'scenarios': str(existing_file('scenarios', scenarios)) if scenarios else '',
        'purpose': purpose,
        'seed': values['seed'],
        'max_episodes': values['episodes'],
        'episode_log': str(absolute(log)) if log else '',
        **time_limit(values),
        **(more or {}),
    }
    return node('episode_node', values, own)


def _world(value: Value) -> str:
    """random, or a world file that can be read: better now than when half of the system runs."""
    from rl_planner.simulation.sdf import read_sdf

    if value == 'random':
        return 'random'
    path = existing_file('world', value)
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # episode_node reads it again, and tells
        read_sdf(path)
    return str(path)


def _run_dir(out: str) -> Path:
    return absolute(out or f'runs/{time.strftime("%Y%m%d-%H%M%S")}')
