"""Hands the description of a system (`rl_planner.bringup.system`) to `ros2 launch`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, ExecuteProcess, OpaqueFunction, Shutdown
from launch.events.process import ProcessExited
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from rl_planner.bringup.arguments import Argument
from rl_planner.bringup.lifetime import PARENT_PID
from rl_planner.bringup.process import (
    SIGKILL_AFTER_SEC,
    SIGTERM_AFTER_SEC,
    Member,
    Program,
)

Build = Callable[..., list[Member]]


def launch_description(build: Build, arguments: Sequence[Argument]) -> LaunchDescription:
    """Return the description that starts what `build` makes of the launch arguments."""

    def start(context: LaunchContext) -> list[ExecuteProcess]:
        given = {each.name: LaunchConfiguration(each.name).perform(context) for each in arguments}
        return [_action(process) for process in build(**given)]

    declared = [
        DeclareLaunchArgument(
            argument.name,
            default_value=argument.default_text,
            description=argument.description,
            choices=list(argument.choices) or None,
        )
        for argument in arguments
    ]
    return LaunchDescription([*declared, OpaqueFunction(function=start)])


def _action(process: Member) -> ExecuteProcess:
    common: dict[str, Any] = {
        'name': process.name,
        'output': 'screen',
        'additional_env': {PARENT_PID: str(os.getpid())},
        'sigterm_timeout': str(SIGTERM_AFTER_SEC),
        'sigkill_timeout': str(SIGKILL_AFTER_SEC),
        'on_exit': _end_system if process.required else None,
    }
    if isinstance(process, Program):
        return ExecuteProcess(cmd=[sys.executable, *process.tied_command()], **common)
    return Node(
        package='rl_planner',
        executable=process.executable,
        namespace=process.namespace,
        ros_arguments=process.ros_arguments(),
        **common,
    )


def _end_system(event: ProcessExited, context: LaunchContext) -> Shutdown | None:
    if context.is_shutdown:
        return None
    if event.returncode:  # only an exception makes `ros2 launch` itself end with a code
        raise RuntimeError(f'{event.process_name} ended with code {event.returncode}')
    return Shutdown(reason=f'{event.process_name} has ended')
