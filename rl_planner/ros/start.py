"""Starts a node in a process of its own.

    python -m rl_planner.ros.start actor_node --ros-args ...

A node takes seconds to import what it needs. A signal that comes meanwhile is taken note of, and
ends the process in good order once that is done, instead of breaking off in the middle of it.
"""

from __future__ import annotations

import signal
import sys
from importlib import import_module

from rl_planner.bringup.installed import how_to_install

NODES = {
    'actor_node': 'ActorNode',
    'episode_node': 'EpisodeNode',
    'gazebo_bridge_node': 'GazeboBridgeNode',
    'global_planner_node': 'GlobalPlannerNode',
    'learner_node': 'LearnerNode',
    'simulator_node': 'SimulatorNode',
}

# What ends a node in good order: also a terminal or a connection that goes away.
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


def start(name: str) -> int:
    """Run the node `name` until it is done or told to end; the exit code of its process."""
    stopping: list[int] = []
    for number in ENDING:
        signal.signal(number, lambda received, _: stopping.append(received))
    try:
        process = import_module('rl_planner.ros.process')
        node = getattr(import_module(f'rl_planner.ros.{name}'), NODES[name])
    except ImportError as error:
        if not (message := how_to_install(error)):
            raise
        print(f'{name}: {message}', file=sys.stderr)
        return 2
    try:
        return int(process.run_node(node, name, stopping))
    finally:
        # Python gives up its handlers before it ends: a late signal would make an error of that.
        for number in ENDING:
            signal.signal(number, signal.SIG_IGN)


def actor_node() -> int:
    return start('actor_node')


def episode_node() -> int:
    return start('episode_node')


def gazebo_bridge_node() -> int:
    return start('gazebo_bridge_node')


def global_planner_node() -> int:
    return start('global_planner_node')


def learner_node() -> int:
    return start('learner_node')


def simulator_node() -> int:
    return start('simulator_node')


if __name__ == '__main__':
    raise SystemExit(start(sys.argv[1]))
