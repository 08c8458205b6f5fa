"""The services of gazebo_ros over a bridge's gzservers, for who has gazebo_msgs.

Names and types are gazebo_ros', relative to the node's namespace: `spawn_entity`, `delete_entity`,
`set_entity_state`, `get_entity_state`, `pause_physics`, `unpause_physics`, `reset_world`. What
differs:

* Each gzserver has a world of its own. An entity is spawned into that of the robot that
  `robot_namespace` names, or else that of `reference_frame`, or else the first; afterwards its name
  tells. Frames are entities of the same world, or the world.
* Entities are the robots and what was spawned: models, and their links where a state is asked for.
* A robot cannot be deleted. One that is put elsewhere begins its episode again there. If it has
  none, its odometry is in the frame of the world from then on, as gazebo_ros' diff drive has it.
* Gazebo's transport carries no velocities: a twist to be set must be zero, and only that of a robot
  is told.
* A pause holds up the control periods; a robot that is being placed takes two or three even so.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from rclpy.clock import Clock, ClockType
from std_srvs.srv import Empty

from rl_planner.gazebo.entities import Entities, Steps
from rl_planner.gazebo.entity_sdf import EntityError
from rl_planner.gazebo.pose import Pose
from rl_planner.gazebo.simulator import GazeboSimulator
from rl_planner.ros.gazebo_backend import interfaces
from rl_planner.ros.stepped_node import SteppedNode

POLL_SEC = 0.005  # wall time after which what Gazebo is at work on is looked at again

Answer = Callable[[Any], None]


class GazeboServices:
    """Answers each call when Gazebo has done what it asks for; others go on meanwhile."""

    def __init__(
        self, node: SteppedNode, simulator: GazeboSimulator, robots: tuple[str, ...]
    ) -> None:
        """Offer the services.

        Raises:
            RuntimeError: gazebo_msgs is missing.
        """
        srv = interfaces('gazebo_msgs', 'gazebo-msgs')
        self._node, self._simulator = node, simulator
        self._entities = Entities(simulator, robots, node.await_placing)
        self._jobs: list[tuple[Steps[Any], Any, Answer]] = []
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._timer = node.create_timer(POLL_SEC, self._poll, clock=steady)
        self._timer.cancel()  # till there is something to wait for
        for kind, name, work in (
            (srv.SpawnEntity, 'spawn_entity', self._spawn),
            (srv.DeleteEntity, 'delete_entity', self._delete),
            (srv.SetEntityState, 'set_entity_state', self._set_state),
            (srv.GetEntityState, 'get_entity_state', self._get_state),
            (Empty, 'pause_physics', partial(self._pause, True)),
            (Empty, 'unpause_physics', partial(self._pause, False)),
            (Empty, 'reset_world', self._reset),
        ):
            self._offer(kind, name, work)

    def _offer(self, kind: Any, name: str, work: Callable[[Any, Any], Steps[Any]]) -> None:
        """A service whose answer may take time.

        An executor hands what a callback returns to `send_response`, at once; the one for events
        awaits no coroutine. Here that is what is to be done, and the answer is sent in the end.
        """

        def callback(request: Any, response: Any) -> Any:
            return work(request, response), response

        def begin(job: tuple[Steps[Any], Any], header: Any) -> None:
            self._listen()
            steps, response = job
            if self._is_over(steps, response):
                send(response, header)
                return
            self._jobs.append((steps, response, partial(send, header=header)))
            self._timer.reset()

        service: Any = self._node.create_service(kind, name, callback)
        send = service.send_response
        service.send_response = begin

    def _listen(self) -> None:
        self._simulator.listen()
        self._node.notice_restarts()

    def _poll(self) -> None:
        self._listen()
        jobs, self._jobs = self._jobs, []
        for steps, response, answer in jobs:
            if self._is_over(steps, response):
                answer(response)
            else:
                self._jobs.append((steps, response, answer))
        if not self._jobs:
            self._timer.cancel()

    def _is_over(self, steps: Steps[Any], response: Any) -> bool:
        """Go on with a call; whether its response is complete."""
        try:
            next(steps)
        except StopIteration:
            return True
        except EntityError as error:
            self._node.get_logger().error(str(error), throttle_duration_sec=1.0)
            if hasattr(response, 'status_message'):
                response.status_message = str(error)
            return True
        return False

    def _spawn(self, request: Any, response: Any) -> Steps[None]:
        pose = _pose(request.initial_pose)
        name = yield from self._entities.spawn(
            request.name, request.xml, pose, request.robot_namespace, request.reference_frame
        )
        response.success, response.status_message = True, f'spawned {name!r}'

    def _delete(self, request: Any, response: Any) -> Steps[None]:
        yield from self._entities.delete(request.name)
        response.success, response.status_message = True, f'deleted {request.name!r}'

    def _set_state(self, request: Any, response: Any) -> Steps[None]:
        state = request.state
        pose = _pose(state.pose)
        if any(
            getattr(part, axis)
            for part in (state.twist.linear, state.twist.angular)
            for axis in 'xyz'
        ):
            raise EntityError(f'twist must be zero, got {state.twist}')
        yield from self._entities.set_pose(state.name, pose, state.reference_frame)
        response.success = True

    def _get_state(self, request: Any, response: Any) -> Steps[None]:
        frame = request.reference_frame
        pose, motion = yield from self._entities.state(request.name, frame)
        state = response.state
        state.name, state.reference_frame = request.name, frame
        for message, values in (
            (state.pose.position, pose.position),
            (state.pose.orientation, pose.orientation),
            (state.twist.linear, motion.linear),
            (state.twist.angular, motion.angular),
        ):
            for axis, value in zip('xyzw', values.tolist(), strict=False):
                setattr(message, axis, value)
        response.header.stamp, response.header.frame_id = self._node.present(), frame
        response.success = True

    def _reset(self, request: Any, response: Any) -> Steps[None]:
        return self._entities.reset()

    def _pause(self, pauses: bool, request: Any, response: Any) -> Steps[None]:
        self._node.pause(pauses)
        yield from ()


def _pose(message: Any) -> Pose:
    try:
        return Pose.of(message)
    except ValueError as error:
        raise EntityError(str(error)) from error
