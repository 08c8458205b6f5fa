"""The one description of the systems: which processes there are, with which parameters.

Two runners read it: the launch files (`rl_planner.ros.launching`, for `ros2 launch`) and the
supervisor (`rl_planner.bringup.supervisor`, for `rl_planner bringup`, where there is no `launch`).

| system     | processes                                               |
|------------|---------------------------------------------------------|
| simulation | simulator_node, actor_node with a policy, episode_node  |
| train      | simulator_node, actor_node, learner_node, episode_node  |

A system runs until it is asked to end, one of its nodes ends, or its episodes are done.

A training may be spread over hosts: the learner on one (role learner), simulators with their actors
on others (role robots). Each of these has a namespace of its own, in which its robots, its clock
and its nodes are; experience and policy are everybody's.
"""

from __future__ import annotations

import json
import re
import time
import warnings
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from rl_planner.bringup.arguments import Argument, Value, resolve

Parameter = Value | list[str]

# Experience over ROS comes from few robots and is dear: more is made of it than in one process.
# After 100,000 transitions of 8 robots (two seeds, 300 worlds), 2, 4 and 8 updates per 128 of them
# had learnt to reach 83, 94 and 96 % of the goals.
UPDATES_PER_TRANSITION = 8.0 / 128.0

# A node may be writing its last checkpoint: it has this long after SIGINT, then after SIGTERM.
SIGTERM_AFTER_SEC = 5.0
SIGKILL_AFTER_SEC = 10.0


@dataclass(frozen=True)
class Process:
    """One node of a system, in a process of its own (`rl_planner.ros.start`).

    Where it is `required`, its end ends the whole system. Parameter files are read after
    `parameters` and override them, as everywhere in ROS.
    """

    name: str
    executable: str
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    parameter_files: tuple[Path, ...] = ()
    namespace: str = '/'
    required: bool = True
    remappings: Mapping[str, str] = field(default_factory=dict)

    def ros_arguments(self) -> list[str]:
        """Return what follows `--ros-args` to set names and parameters; JSON is YAML to rcl."""
        arguments = []
        for name, other in self.remappings.items():
            arguments += ['-r', f'{name}:={other}']
        for name, value in self.parameters.items():
            arguments += ['-p', f'{name}:={json.dumps(value, ensure_ascii=False)}']
        for path in self.parameter_files:
            arguments += ['--params-file', str(path)]
        return arguments


_ROBOTS = Argument('robots', 1, 'number of robots, each in a world of its own', minimum=1)
_REAL_TIME_FACTOR = Argument(
    'real_time_factor',
    1.0,
    'simulated seconds per second; 0: as fast as the actor can follow',
    minimum=0.0,
)
_COMMON = (
    Argument('world', 'random', 'random, or a world file (.sdf, .world)'),
    Argument('seed', 0, 'seed of everything random', minimum=0),
    Argument('episodes', 0, 'end after that many episodes; 0: go on until asked to end', minimum=0),
    Argument('episode_log', '', 'file that gets one line of JSON for each finished episode'),
    Argument('params_file', '', 'YAML file of node parameters; it overrides all other settings'),
)

SIMULATION_ARGUMENTS: tuple[Argument, ...] = (
    Argument('policy', '', 'policy file that drives (policy.safetensors of a run folder)'),
    Argument(
        'scenarios', '', 'instead of world: file of episodes, a line of JSON each, to run once each'
    ),
    _ROBOTS,
    _REAL_TIME_FACTOR,
    *_COMMON,
)

TRAIN_ARGUMENTS: tuple[Argument, ...] = (
    Argument('out', '', 'run folder; empty: a new one, runs/<date-time>'),
    Argument('resume', False, 'go on from the newest checkpoint of the run folder'),
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


def simulation(**given: Value) -> list[Process]:
    """Return the processes that drive simulated robots with a trained policy.

    Takes SIMULATION_ARGUMENTS by name, as text or as values; what is not given has its default.
    Raises ValueError for an argument that is unknown or breaks its rule, and for a broken file.
    """
    values = resolve(SIMULATION_ARGUMENTS, given)
    if not values['policy']:
        raise ValueError('policy must name a policy file, such as runs/NAME/policy.safetensors')
    policy_file = str(_existing_file('policy', values['policy']))
    actor = _actor(values, {'policy_file': policy_file, 'training': False})
    return [_simulator(values), actor, _episodes(values, 'evaluation')]


def train(**given: Value) -> list[Process]:
    """Return the processes that train a policy on simulated robots.

    Takes TRAIN_ARGUMENTS by name, as text or as values; what is not given has its default.
    Raises ValueError for an argument that is unknown or breaks its rule, and for a broken file.
    """
    values = resolve(TRAIN_ARGUMENTS, given)
    if values['resume'] and not values['out']:
        raise ValueError('resume must come with out, the run folder to go on from')
    if values['role'] == 'robots' and not values['namespace']:
        raise ValueError('namespace must be given with role robots: each host has its own')
    learner = _learner(values)
    if values['role'] == 'learner':
        return [learner]
    own = {**values, 'seed': _seed(values)}
    simulator, actor = _simulator(own), _actor(own, {'training': True})
    learners = [learner] if values['role'] == 'all' else []
    return [simulator, actor, *learners, _episodes(own, 'training')]


def robot_names(robots: int) -> list[str]:
    """Return the namespaces of `robots` robots: robot_0, robot_1, ..."""
    return [f'robot_{index}' for index in range(robots)]


def _learner(values: Mapping[str, Value]) -> Process:
    own = {
        'run_dir': str(_run_dir(str(values['out']))),
        'device': values['device'],
        'budget_sec': values['budget_sec'],
        'seed': values['seed'],
        'resume': values['resume'],
        'learning.updates_per_transition': UPDATES_PER_TRANSITION,
    }
    return Process('learner_node', 'learner_node', own, _parameter_files(values))


def _seed(values: Mapping[str, Value]) -> int:
    """The seed of a host's robots: hosts differ in their namespace, and so in their worlds."""
    return int(values['seed']) + zlib.crc32(str(values['namespace']).encode())  # 0 for ''


def _simulator(values: Mapping[str, Value]) -> Process:
    own = {
        'real_time_factor': values['real_time_factor'],
        'use_stamped_cmd_vel': True,
        'seed': values['seed'],
        'use_sim_time': False,  # it is the clock: on simulated time it would wait for itself
    }
    return _node('simulator_node', values, own)


def _actor(values: Mapping[str, Value], own: Mapping[str, Value]) -> Process:
    common = {
        'seed': values['seed'],
        'use_stamped_cmd_vel': True,
        'command_when_idle': True,  # in lock-step the simulator waits for every robot
    }
    return _node('actor_node', values, {**common, **own})


def _episodes(values: Mapping[str, Value], purpose: str) -> Process:
    log, scenarios = values['episode_log'], values.get('scenarios', '')
    own = {
        'world': _world(values['world']),
        'scenarios': str(_existing_file('scenarios', scenarios)) if scenarios else '',
        'purpose': purpose,
        'seed': values['seed'],
        'max_episodes': values['episodes'],
        'episode_log': str(_absolute(log)) if log else '',
    }
    return _node('episode_node', values, own)


def _world(value: Value) -> str:
    """random, or a world file that can be read: better now than when half of the system runs."""
    from rl_planner.simulation.sdf import read_sdf

    if value == 'random':
        return 'random'
    path = _existing_file('world', value)
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # episode_node reads it again, and tells
        read_sdf(path)
    return str(path)


def _node(name: str, values: Mapping[str, Value], own: Mapping[str, Parameter]) -> Process:
    common: dict[str, Parameter] = {
        'robots': robot_names(int(values['robots'])),
        'use_sim_time': True,
    }
    namespace = str(values.get('namespace', ''))
    return Process(
        name,
        name,
        {**common, **own},
        _parameter_files(values),
        namespace=f'/{namespace}',
        remappings=_remappings(namespace),
    )


def _remappings(namespace: str) -> dict[str, str]:
    """The names that a namespace does not lead to where they belong."""
    if not namespace:
        return {}
    if not re.fullmatch('[A-Za-z][A-Za-z0-9_]*', namespace):
        raise ValueError(f'namespace must be a letter, then letters, digits and _, got {namespace}')
    return {
        '/clock': f'/{namespace}/clock',  # each simulator has a time of its own
        'experience': '/experience',
        'policy': '/policy',
    }


def _parameter_files(values: Mapping[str, Value]) -> tuple[Path, ...]:
    if not values['params_file']:
        return ()
    from rl_planner.bringup.params_file import check_params_file

    path = _existing_file('params_file', values['params_file'])
    check_params_file(path)
    return (path,)


def _run_dir(out: str) -> Path:
    return _absolute(out or f'runs/{time.strftime("%Y%m%d-%H%M%S")}')


def _existing_file(name: str, value: Value) -> Path:
    path = _absolute(value)
    if not path.is_file():
        raise ValueError(f'{name} must be an existing file, got {str(value)!r}')
    return path


def _absolute(value: Value) -> Path:
    return Path(str(value)).expanduser().absolute()
