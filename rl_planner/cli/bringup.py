"""`rl_planner bringup`: the launch files' systems, where there is no `launch`."""

from __future__ import annotations

import argparse
from typing import Any

from rl_planner.bringup import robot_system, supervisor, system
from rl_planner.bringup.arguments import add_options, given_options
from rl_planner.cli.options import CommandError, new_parser
from rl_planner.cli.ros_system import require_ros

TEXT = """\
Start a system of ROS nodes, as `ros2 launch` does.

Ctrl-C ends all of them. When one ends, the others are ended too. What is started lives in your
ROS_DOMAIN_ID, for `ros2 topic`, RViz and rosbag to see.
"""

EPILOG = """\
examples:
  rl_planner bringup train --robots 8 --out runs/mine
  rl_planner bringup simulation --policy runs/mine/policy.safetensors
  rl_planner bringup gazebo --simulator gazebo_bridge --robots 2
  rl_planner bringup robot --robot turtlebot3_burger

They are the same as:
  ros2 launch rl_planner train.launch.py robots:=8 out:=runs/mine
  ros2 launch rl_planner simulation.launch.py policy:=runs/mine/policy.safetensors
  ros2 launch rl_planner gazebo.launch.py simulator:=gazebo_bridge robots:=2
  ros2 launch rl_planner robot.launch.py robot:=turtlebot3_burger

train and simulation take --simulator too: without Gazebo, or in one of three.
"""

SYSTEMS = {
    'simulation': (
        system.simulation,
        system.SIMULATION_ARGUMENTS,
        'Drive simulated robots with a trained policy.',
        'example:\n  rl_planner bringup simulation --policy runs/mine/policy.safetensors',
    ),
    'train': (
        system.train,
        system.TRAIN_ARGUMENTS,
        'Train on simulated robots: simulator, actor, learner and episodes.',
        'examples:\n  rl_planner bringup train --robots 8 --out runs/mine\n'
        '  rl_planner bringup train --resume --out runs/mine\n'
        '  rl_planner bringup train --simulator gazebo_bridge --servers 2 --gazebo-root .gazebo\n'
        '  rl_planner bringup train --init-policy config/policies/default.safetensors',
    ),
    'gazebo': (
        system.gazebo,
        system.GAZEBO_ARGUMENTS,
        'Start a Gazebo with robots in it, for other nodes to drive.',
        'examples:\n  rl_planner bringup gazebo --world worlds/rooms.sdf --no-headless\n'
        '  rl_planner bringup gazebo --simulator gazebo_bridge --robots 2 --gazebo-root .gazebo',
    ),
    'robot': (
        robot_system.robot,
        robot_system.ROBOT_ARGUMENTS,
        'Drive a real robot, on its own computer, beside its own drivers.',
        'examples:\n  rl_planner bringup robot --robot turtlebot3_burger --use-stamped-cmd-vel\n'
        '  rl_planner bringup robot --robot mine.yaml --policy runs/mine/policy.safetensors',
    ),
}


def add_parser(subparsers: Any) -> None:
    parser = new_parser(subparsers, 'bringup', run, TEXT, EPILOG)
    systems = parser.add_subparsers(required=True, metavar='SYSTEM', title='systems')
    for name, (_, arguments, text, epilog) in SYSTEMS.items():
        own = new_parser(systems, name, run, text, epilog)
        own.set_defaults(system=name)
        add_options(own, arguments)


def run(options: argparse.Namespace) -> int:
    build, arguments, _, _ = SYSTEMS[options.system]
    try:
        processes = build(**given_options(options, arguments))
    except ValueError as error:
        raise CommandError(str(error)) from error
    require_ros()
    return supervisor.run(processes)
