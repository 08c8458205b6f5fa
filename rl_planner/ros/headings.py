"""Where robots are to go, each in the frame of its odometry, anew in every control period.

Goals and plans stay in the frame that they come in. Odometry drifts in a map, and a localisation
that finds out corrects the transform between the two at once: what is driven to moves in odometry
then, and the drive goes on. The robot's poses, and the scans that it remembers, stay in odometry,
which never jumps.
"""

from __future__ import annotations

import time
from typing import Any

from rl_planner.navigation.frames import FrameError, Transform
from rl_planner.navigation.geometry import to_world_frame
from rl_planner.navigation.pilot import Pilot
from rl_planner.navigation.watchdog import Fault
from rl_planner.ros.goals import GoalError
from rl_planner.ros.robot import Robot
from rl_planner.ros.transforms import NoTransformsError, Transforms

# So long a goal waits, with the robot at rest, for a transform that TF does not know: TF has only
# been listened to since the first such goal.
PATIENCE_SEC = 2.0


class Headings:
    """Tells the pilot where robots are to go.

    Args:
        transforms: asked where that is in another frame than odometry.
        logger: told of goals that are refused.
    """

    def __init__(self, transforms: Transforms, logger: Any) -> None:
        self._transforms, self._logger = transforms, logger

    def head(self, robot: Robot, pilot: Pilot) -> bool:
        """Tell where a robot with a scan is to go; where that is not known, it is stopped."""
        try:
            if robot.goal.is_due(robot.inbox.scan_ns):
                if not self._begin_goal(robot, pilot):
                    robot.inbox.close_step()
                    return False
            elif pilot.active[robot.row] and robot.goal.frame:
                goal = robot.goal
                pilot.move_goal(robot.row, *self._to_odom(robot, goal.frame).apply(*goal.place))
            self._follow_plan(robot, pilot)
        except FrameError as error:
            robot.stop(Fault('transform', str(error)), pilot)
            robot.inbox.close_step()
            return False
        return True

    def _begin_goal(self, robot: Robot, pilot: Pilot) -> bool:
        """Hand a goal to the pilot, or refuse it; False where it waits for its transform."""
        goal = robot.goal
        try:
            frame, x, y = goal.look()
            frame, place = self._fixed(robot, frame, x, y)
            here = self._to_odom(robot, frame).apply(*place)
        except FrameError as error:
            robot.give_up(pilot)
            if isinstance(error, NoTransformsError):
                odom = robot.inbox.odom_frame
                self._refuse(robot, pilot, f'{error}; install it, or send goals in {odom}')
            elif self._may_wait(robot, error):
                return False
            else:
                self._refuse(robot, pilot, str(error))
        except GoalError as error:
            self._refuse(robot, pilot, str(error))
        else:
            goal.accept(frame, place)
            robot.begin(pilot, *here)
        return True

    def _may_wait(self, robot: Robot, error: FrameError) -> bool:
        """Whether a goal goes on waiting. The robot is at rest, so it is no stop: none is told."""
        goal, now, reason = robot.goal, time.monotonic(), f'the goal waits: {error}'
        if goal.overdue is None:
            goal.overdue = now + PATIENCE_SEC
            self._logger.info(f'{robot.name}: {reason}')
        robot.fault = Fault('transform', reason)
        return now < goal.overdue

    def _refuse(self, robot: Robot, pilot: Pilot, reason: str) -> None:
        robot.goal.refuse()
        robot.goal.end()
        self._logger.error(f'{robot.name}: goal refused: {reason}')
        robot.give_up(pilot)

    def _fixed(
        self, robot: Robot, frame: str, x: float, y: float
    ) -> tuple[str, tuple[float, float]]:
        """Frame and place of a goal in a frame that does not move with the robot.

        What is ahead of the robot, or of a camera on it, is a place in odometry: where that was at
        the time of the goal.

        Raises:
            NoTransformsError: the frame is another one, and there is no tf2_ros here.
            TransformError: TF does not know where on the robot the frame is.
        """
        inbox = robot.inbox
        if frame in ('', inbox.odom_frame):
            return '', (x, y)
        base = inbox.base_frame if frame == inbox.base_frame else robot.base_frame
        stamp = robot.goal.meant_at(inbox.scan_ns or 0)
        to_base = self._transforms.to_base(frame, base, inbox.odom_frame, stamp)
        if to_base is None:
            return frame, (x, y)
        x, y = to_world_frame(*inbox.pose_at(stamp), *to_base.apply(x, y))
        return '', (float(x), float(y))

    def _follow_plan(self, robot: Robot, pilot: Pilot) -> None:
        """Lead the robot along its plan, if it has one.

        Raises:
            FrameError: where the plan is, is not known.
        """
        plan = robot.plan
        if plan is not None and plan.follower is not None:
            try:
                if plan.frame in (robot.base_frame, robot.inbox.base_frame):
                    raise FrameError(f'its frame {plan.frame} moves with the robot')
                to_odom = self._to_odom(robot, plan.frame)
            except FrameError as error:
                raise FrameError(f'plan not followed: {error}') from error
            pilot.lead(robot.row, *plan.lead(robot.inbox.odometry[:3], to_odom))

    def _to_odom(self, robot: Robot, frame: str) -> Transform:
        """From a frame to that of odometry, at the time of the scan.

        Raises:
            FrameError: TF does not know.
        """
        inbox = robot.inbox
        if frame in ('', inbox.odom_frame):
            return Transform(0.0, 0.0, 0.0)
        return self._transforms.planar(inbox.odom_frame, frame, inbox.scan_ns or 0)
