"""What the global planner tells on /diagnostics, once a second."""

from __future__ import annotations

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.node import Node

from rl_planner.navigation.route import Route
from rl_planner.ros import diagnostics, messages, qos
from rl_planner.ros.clock_watch import ClockWatch


class PlannerDiagnostics:
    """Publishes the status of the global planner `node`."""

    def __init__(self, node: Node) -> None:
        self._clock, self._clock_watch = node.get_clock(), ClockWatch(node)
        self._out = node.create_publisher(DiagnosticArray, '/diagnostics', qos.RELIABLE)
        where = node.get_namespace().strip('/')
        name = 'rl_planner: global planner'
        self._name = f'{name} of {where}' if where else name

    def publish(
        self, route: Route, odometry_ns: int | None, goal_waits: bool, trouble: str
    ) -> None:
        """Tell what the planner does.

        Args:
            odometry_ns: stamp of the newest odometry, or None.
            trouble: why there is no plan, or ''.
        """
        values: dict[str, object] = {}
        if route.area is not None:
            rows, columns = route.area.shape
            values['map'] = f'{columns} x {rows} cells of {route.area.resolution:g} m'
        if odometry_ns is not None:
            age = (self._clock.now().nanoseconds - odometry_ns) / messages.NANOSECONDS
            values['odometry_age'] = f'{age:.3f}'
        if route.goal is not None:
            values['goal'] = '({:.2f}, {:.2f})'.format(*route.goal)
        trouble = self._clock_watch.trouble() or trouble
        message = _doing(route, odometry_ns, goal_waits)
        is_fine = not trouble and route.area is not None and odometry_ns is not None
        level = diagnostics.OK if is_fine else diagnostics.WARN
        stamp = self._clock.now().to_msg()
        self._out.publish(
            diagnostics.diagnostic(stamp, self._name, level, trouble or message, values)
        )


def _doing(route: Route, odometry_ns: int | None, goal_waits: bool) -> str:
    if route.area is None:
        return 'no map'
    if odometry_ns is None:
        return 'no odometry'
    if goal_waits:
        return 'a goal waits for later odometry'
    if not len(route.rest):
        return 'no goal'
    length = float(np.hypot(*np.diff(route.rest, axis=0).T).sum())
    return f'following: {length:.1f} m to the goal'
