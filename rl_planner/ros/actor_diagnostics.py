"""What the actor node tells on /diagnostics, once a second, whatever its state."""

from __future__ import annotations

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.node import Node

from rl_planner.ros import diagnostics, qos
from rl_planner.ros.control import Control


class ActorDiagnostics:
    """Publishes the status of the actor `node`."""

    def __init__(self, node: Node) -> None:
        self._clock = node.get_clock()
        self._out = node.create_publisher(DiagnosticArray, '/diagnostics', qos.RELIABLE)
        where = node.get_namespace().strip('/')
        self._name = f'rl_planner: actor of {where}' if where else 'rl_planner: actor'

    def publish(self, state: str, control: Control | None) -> None:
        """Tell how the robots are driven, or the `state` of a node that does not drive."""
        level, message = diagnostics.OK, state
        values: dict[str, object] = {'state': state}
        if control is not None:
            faults = [inbox.fault for inbox in control.inboxes if inbox.fault]
            active = 0 if control.pilot is None else int(control.pilot.active.sum())
            count = len(control.inboxes)
            level = diagnostics.WARN if faults else diagnostics.OK
            message = faults[0] if faults else f'{active} of {count} robots driving'
            values |= {'robots': count, 'driving': active, 'stopped': len(faults)}
            if control.pilot is not None:
                values |= control.pilot.interventions
        stamp = self._clock.now().to_msg()
        self._out.publish(diagnostics.diagnostic(stamp, self._name, level, message, values))
