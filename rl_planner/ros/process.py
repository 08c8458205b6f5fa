"""How a node runs as a process: start, spin, end; one way for all of them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import rclpy
from rclpy.exceptions import ROSInterruptException
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from rl_planner.bringup.lifetime import end_with_parent, exit_within

SPIN_SEC = 0.1  # how late a signal may be seen while no message comes
GOODBYE_SEC = 3  # for the middleware to tell others that a closed node is gone: longer is a hang


class RunnableNode(Node):
    """What `run_node` runs.

    Attributes:
        done: set it to end the process with success.
    """

    done = False

    def idle(self) -> bool:
        """Work between messages; True where more is left, so that no message is waited for."""
        return False

    def close(self) -> None:
        """The last thing that is called while the node can publish: stop robots, save work.

        The process may end at any time after it (`GOODBYE_SEC`).
        """


def run_node(make_node: Callable[[], RunnableNode], name: str, stopping: list[int]) -> int:
    """Make a node and spin it until it is done or told to end; the exit code of its process.

    A node that cannot be made because of a wrong parameter, file or value says so in one line.

    Args:
        make_node: its class.
        name: of the executable, for messages.
        stopping: the signals that told it to end, from now on or before (`rl_planner.ros.start`).
    """
    end_with_parent()
    if stopping:
        return 0
    try:
        rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
        node = make_node()
    except (ValueError, OSError, RuntimeError) as error:
        code = 0 if stopping else 2
        if not stopping:  # else another node had trouble first, and told of it
            print(f'{name}: {str(error).strip().splitlines()[0]}', file=sys.stderr)
        exit_within(GOODBYE_SEC, code)
        rclpy.try_shutdown()
        return code
    code = 1
    try:
        code = _spin(node, stopping)
        return code
    finally:
        node.close()
        exit_within(GOODBYE_SEC, code)
        node.destroy_node()
        rclpy.try_shutdown()


def _spin(node: RunnableNode, stopping: list[int]) -> int:
    executor = make_executor()
    executor.add_node(node)
    try:
        while not stopping and not node.done:
            executor.spin_once(timeout_sec=0.0 if node.idle() else SPIN_SEC)
    except (KeyboardInterrupt, ExternalShutdownException, ROSInterruptException):
        pass
    except (ValueError, OSError, RuntimeError) as error:
        node.get_logger().fatal(str(error))
        return 1
    finally:
        executor.shutdown()
    return 0


def make_executor() -> Any:
    """The events executor where rclpy has it (Jazzy and later): half the time per message."""
    try:
        from rclpy.experimental import EventsExecutor
    except ImportError:
        return SingleThreadedExecutor()
    return EventsExecutor()
