"""A node that is done at once, and hangs as Fast DDS does at times when it is taken down.

Its argument, where it has one, is what it fails with.
"""

from __future__ import annotations

import ctypes
import sys

from rl_planner.ros.process import RunnableNode, run_node


class HangingNode(RunnableNode):
    def __init__(self) -> None:
        super().__init__('hanging_node')

    def idle(self) -> bool:
        if sys.argv[1] != '--ros-args':
            raise ValueError(sys.argv[1])
        self.done = True
        return False

    def close(self) -> None:
        self.get_logger().info('closed')

    def destroy_node(self) -> None:
        ctypes.PyDLL(None).pause()  # PyDLL calls with Python's lock held, as the bindings do


if __name__ == '__main__':
    raise SystemExit(run_node(HangingNode, 'hanging_node', []))
