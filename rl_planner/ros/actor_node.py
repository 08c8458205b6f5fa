"""The actor: scan, odometry and goal in, velocity out, for one robot or many in namespaces.

Steps on message stamps: a robot's control period begins with a scan, whatever the speed of time. In
training it explores and publishes what it experiences; the driving is the same.

It is a lifecycle node:

| transition | what it does |
|---|---|
| configure | loads and checks the policy, makes the topics |
| activate | control starts: from nothing, without a goal |
| deactivate | zero velocity; goals are cancelled |
| cleanup | gives back what configure made |
| shutdown, error | as deactivate and cleanup |

This file is the life cycle and the wiring; driving is in `rl_planner.ros.control`.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from functools import partial

import numpy as np
from geometry_msgs.msg import PoseStamped
from rclpy.clock import Clock, ClockType, JumpThreshold
from rclpy.duration import Duration
from std_msgs.msg import UInt8MultiArray
from std_srvs.srv import Trigger

from rl_planner.learning.noise import ExplorationNoise
from rl_planner.navigation.observation import ScanGeometry
from rl_planner.navigation.pilot import Pilot
from rl_planner.navigation.policy import Policy, PolicyError
from rl_planner.navigation.safety import Safety
from rl_planner.ros import qos
from rl_planner.ros.actor_config import ActorSetup
from rl_planner.ros.actor_diagnostics import ActorDiagnostics
from rl_planner.ros.control import Control
from rl_planner.ros.experience_writer import ExperienceWriter
from rl_planner.ros.live_cap import LiveCap
from rl_planner.ros.managed_node import ManagedNode
from rl_planner.ros.markers import ActorMarkers
from rl_planner.ros.robot_topics import RobotTopics
from rl_planner.ros.transforms import Transforms


class ActorNode(ManagedNode):
    """Loads a policy, and drives robots by it while it is active."""

    def __init__(self) -> None:
        super().__init__('actor_node')
        self._setup = ActorSetup.declare(self)
        self._live = LiveCap(self, self._setup.robot, self._setup.own.training)
        self._policy: Policy | None = None
        self._topics: list[RobotTopics] = []
        self._experience: ExperienceWriter | None = None
        self._control: Control | None = None  # while active
        self._transforms = Transforms(self, self._setup.own.transform_tolerance)
        self._allocated = ExitStack()
        self._diagnostics = ActorDiagnostics(self)
        # Not the node's clock: a simulated one that stands still is one of the troubles.
        self.create_timer(1.0, self._diagnose, clock=Clock(clock_type=ClockType.STEADY_TIME))
        if self._setup.own.autostart:
            self.start()

    # Life cycle

    def configure(self) -> None:
        """Load the policy, make the topics.

        Raises:
            PolicyError: the policy file is broken, or not for this robot.
        """
        own, give_back = self._setup.own, self._allocated.callback
        self._policy = self._load_policy()
        for row, name in enumerate(own.robots):
            topics = RobotTopics(self, name, own)
            give_back(topics.destroy)
            self._topics.append(topics)
            topics.subscribe(
                partial(self._on_scan, row),
                partial(self._on_odometry, row),
                partial(self._on_goal, row),
                partial(self._on_plan, row) if own.follow_plan else None,
            )
        give_back(self._transforms.close)
        give_back(self.destroy_service, self.create_service(Trigger, '~/cancel', self._on_cancel))
        self._set_watch(give_back)
        self._set_markers(give_back)
        if own.training:
            self._experience = ExperienceWriter(self, own.experience_batch)
            give_back(self._experience.destroy)
            learner = self.create_subscription(
                UInt8MultiArray, 'policy', self._on_policy, qos.LATCHED
            )
            give_back(self.destroy_subscription, learner)

    def activate(self) -> None:
        self._control = Control(
            self, self._setup, self._topics, self._make_pilot, self._transforms, self._experience
        )
        self._control.policy = self._policy

    def deactivate(self) -> None:
        """Bring every robot to rest, and hand over the last experience."""
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._experience is not None:
            self._experience.flush()

    def release(self) -> None:
        self._allocated.close()
        self._topics, self._experience, self._policy = [], None, None

    def _load_policy(self) -> Policy | None:
        """The policy of the file, if one is named.

        Raises:
            PolicyError: it is broken, or not for this robot.
        """
        if not self._setup.own.policy_file:
            return None
        policy = Policy.load(self._setup.own.policy_file)
        policy.require(self._setup.robot, self._setup.task.control_period)
        self._setup = replace(self._setup, observation=policy.metadata.observation)
        return policy

    def _set_watch(self, give_back: Callable[..., object]) -> None:
        """Look at all robots so often that what grows too old stops them within a control period.

        The node's clock tells how old it is, and not when to look: a system clock that is set
        back would be waited for.
        """
        period = self._setup.task.control_period * 0.5
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        give_back(self.destroy_timer, self.create_timer(period, self._watch, clock=steady))
        # A simulated clock tells of a jump at once, and its timers only a period later.
        back = Duration(seconds=-self._setup.own.clock_jump_tolerance)
        threshold = JumpThreshold(min_forward=None, min_backward=back, on_clock_change=True)
        jumps = self.get_clock().create_jump_callback(
            threshold, post_callback=lambda _: self._watch()
        )
        give_back(jumps.unregister)

    def _set_markers(self, give_back: Callable[..., object]) -> None:
        """Draw the robots once in a control period."""
        markers = ActorMarkers(self, self._setup)
        give_back(markers.destroy)

        def draw() -> None:
            if self._control is not None:
                markers.draw(self._control)

        timer = self.create_timer(self._setup.task.control_period, draw)
        give_back(self.destroy_timer, timer)

    def _make_pilot(self, geometry: ScanGeometry) -> Pilot:
        setup = self._setup
        count, robot, task = len(self._topics), setup.robot, setup.task
        noise, safety = None, None
        if setup.own.training:
            rng = np.random.default_rng(setup.own.seed)
            noise = ExplorationNoise(count, setup.learning, rng)
        elif setup.safety.enabled:
            safety = Safety(setup.safety, robot, geometry, task.control_period)
            if not safety.may_advance:
                self.get_logger().error(
                    'no beam of the lidar looks straight ahead: no robot drives forward. '
                    'Is the lidar mounted as TF or lidar.mount_yaw say?'
                )
        cap = self._live.cap
        return Pilot(count, robot, task, setup.observation, geometry, noise, safety, cap)

    # Wiring: what comes while the node is not active is nobody's

    def _on_odometry(self, row: int, data: bytes) -> None:
        if self._control is not None:
            self._control.on_odometry(row, data)

    def _on_scan(self, row: int, data: bytes) -> None:
        if self._control is not None:
            self._control.on_scan(row, data)

    def _on_goal(self, row: int, message: PoseStamped) -> None:
        if self._control is not None:
            self._control.on_goal(row, message)
        else:
            self.get_logger().warning('goal ignored: not active', throttle_duration_sec=5.0)

    def _on_plan(self, row: int, data: bytes) -> None:
        if self._control is not None:
            self._control.on_plan(row, data)

    def _watch(self) -> None:
        if self._control is not None:
            self._control.watch()

    def _diagnose(self) -> None:
        self._diagnostics.publish(self.state(), self._control)

    def _on_cancel(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        """Stop every robot at once and forget its goal."""
        cancelled = 0 if self._control is None else self._control.cancel()
        response.success, response.message = True, f'{cancelled} goals cancelled'
        return response

    def _on_policy(self, message: UInt8MultiArray) -> None:
        """Take what the learner has learnt; it comes at any time."""
        try:
            policy = Policy.from_bytes(bytes(message.data))
            policy.require(self._setup.robot, self._setup.task.control_period)
            if policy.metadata.observation != self._setup.observation:
                raise PolicyError(
                    f'observation must be {self._setup.observation}, '
                    f'got {policy.metadata.observation}'
                )
        except PolicyError as error:
            self.get_logger().error(f'policy refused: {error}', throttle_duration_sec=5.0)
            return
        self._policy = policy
        if self._control is not None:
            self._control.policy = policy
