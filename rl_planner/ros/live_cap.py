"""Parameters of the actor that may be changed while it runs: how fast it drives, at most."""

from __future__ import annotations

import math

from rcl_interfaces.msg import SetParametersResult
from rclpy.node import Node
from rclpy.parameter import Parameter

from rl_planner.navigation.config import RobotConfig
from rl_planner.navigation.speed_cap import SpeedCap

LIVE = ('max_linear_vel', 'max_angular_vel')  # of the group `robot`
PREFIX = 'robot.'


class LiveCap:
    """Keeps a `SpeedCap` as the parameters say: lower than configured, and up to it again.

    The policy goes on acting for the robot as configured; what it commands is cut.

    Attributes:
        cap: without effect until a parameter is lowered.
    """

    def __init__(self, node: Node, robot: RobotConfig, training: bool) -> None:
        self.cap = SpeedCap()
        self._robot, self._training = robot, training
        node.add_on_set_parameters_callback(self._on_set)

    def _on_set(self, parameters: list[Parameter]) -> SetParametersResult:
        """Refuse, or take over at once; a call with several parameters is taken as a whole."""
        asked = {
            each.name.removeprefix(PREFIX): each.value
            for each in parameters
            if each.name.startswith(PREFIX)
        }
        for name, value in asked.items():
            reason = self._refusal(name, value)
            if reason:
                return SetParametersResult(successful=False, reason=reason)
        linear, angular = LIVE
        self.cap.linear = self._capped(linear, asked.get(linear, self.cap.linear))
        self.cap.angular = self._capped(angular, asked.get(angular, self.cap.angular))
        return SetParametersResult(successful=True)

    def _refusal(self, name: str, value: float) -> str:
        configured = getattr(self._robot, name)
        if self._training:
            return f'{PREFIX}{name} must stay in training: what is learnt from is what was done'
        if not math.isfinite(value) or not 0.0 < value <= configured:
            return (
                f'{PREFIX}{name} must be above 0 and at most {configured:g} as configured, '
                f'got {value:g}; to stop, call ~/cancel'
            )
        return ''

    def _capped(self, name: str, value: float) -> float:
        """No cap at all where the robot may do all it can: it may be faster backward."""
        return math.inf if value >= getattr(self._robot, name) else value
