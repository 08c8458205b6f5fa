"""The pilot with a policy that is a table: who gets which command, and whose experience it is."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rl_planner.navigation.config import ObservationConfig, RobotConfig, TaskConfig
from rl_planner.navigation.observation import ObservationEncoder, ScanGeometry
from rl_planner.navigation.pilot import Pilot
from rl_planner.navigation.safety import Safety, SafetyConfig
from rl_planner.navigation.step import Decision, Sensed
from rl_planner.navigation.task import Outcome

NAN, INF = float('nan'), float('inf')
OBSERVATION = ObservationConfig(num_sectors=4, range_clip=3.0)
ROBOT = RobotConfig(radius=0.2, max_linear_vel=0.5, max_angular_vel=2.0)
TASK = TaskConfig(
    control_period=0.1,
    xy_goal_tolerance=0.3,
    time_limit=1.0,
    progress_reward=1.0,
    goal_reward=5.0,
    collision_penalty=7.0,
    step_penalty=0.01,
    clearance_margin=0.5,
    clearance_penalty=0.1,
)
SCAN = ScanGeometry(4, -0.75 * math.pi, 0.5 * math.pi, 0.1, 4.0)  # a beam per sector
CLEAR = (INF, INF, INF, INF)


class Table:
    """A policy that remembers what it was asked, and answers what it was told to."""

    def __init__(self) -> None:
        self.answer: Any = (0.0, 0.0)
        self.asked: NDArray[np.float32] = np.empty((0, 0), np.float32)

    def act(self, observations: NDArray[np.float32]) -> NDArray[np.float32]:
        self.asked = observations.copy()
        return np.broadcast_to(np.asarray(self.answer, np.float32), (len(observations), 2)).copy()


def make_pilot(
    num_robots: int = 3,
    noise: Any = None,
    robot: RobotConfig = ROBOT,
    observation: ObservationConfig = OBSERVATION,
) -> tuple[Pilot, Table]:
    pilot = Pilot(num_robots, robot, TASK, observation, SCAN, noise)
    table = Table()
    pilot.policy = table  # type: ignore[assignment]
    return pilot, table


def sensed(stamp: float, **robots: tuple[Any, ...]) -> Sensed:
    """Sensed(0.1, r2=(pose, ranges, velocity), ...); ranges and velocity may be left out."""
    rows, ranges, poses, velocities = [], [], [], []
    for name, (pose, *rest) in robots.items():
        rows.append(int(name[1:]))
        poses.append(pose)
        ranges.append(rest[0] if rest else CLEAR)
        velocities.append(rest[1] if len(rest) > 1 else (0.0, 0.0))
    return Sensed(
        np.array(rows),
        np.array(ranges, np.float32),
        np.array(poses, np.float64),
        np.array(velocities, np.float64),
        np.full(len(rows), stamp),
        *np.zeros((3, len(rows))),
    )


def observation(
    ranges: Any, goal: Any, velocity: Any = (0.0, 0.0), command: Any = (0.0, 0.0)
) -> NDArray[np.float32]:
    encoder = ObservationEncoder(OBSERVATION, ROBOT, SCAN, 1)
    arrays = [np.array([part], np.float64) for part in (goal, velocity, command)]
    out = np.empty((1, encoder.size), np.float32)
    return encoder.encode(np.array([ranges], np.float32), *arrays, out)[0]


def is_empty(decision: Decision) -> bool:
    return all(len(value) == 0 for value in vars(decision.transitions).values())


def test_without_a_goal_a_robot_rests() -> None:
    pilot, table = make_pilot()
    table.answer = (1.0, 1.0)
    decision = pilot.step(sensed(0.0, r0=((0, 0, 0),), r2=((1, 1, 1),)))
    assert decision.commands.tolist() == [[0, 0], [0, 0]]
    assert decision.outcomes.tolist() == [0, 0]
    assert is_empty(decision)
    assert len(table.asked) == 0


def test_without_a_policy_a_robot_rests_and_keeps_its_goal() -> None:
    pilot, table = make_pilot()
    pilot.policy = None
    pilot.set_goal(0, 2.0, 0.0)
    decision = pilot.step(sensed(0.0, r0=((0, 0, 0),)))
    assert decision.commands.tolist() == [[0, 0]]
    assert is_empty(decision)
    assert pilot.active.tolist() == [True, False, False]
    pilot.policy = table  # type: ignore[assignment]
    assert pilot.step(sensed(5.0, r0=((0, 0, 0),))).commands.tolist() == [[0.25, 0]]


def test_an_action_becomes_a_command() -> None:
    pilot, table = make_pilot()
    pilot.set_goal(1, 1.0, 2.0)
    table.answer = (0.5, -0.5)
    decision = pilot.step(sensed(0.0, r1=((1, 0, math.pi / 2), (1, 2, 3, INF), (0.25, 1.0))))
    np.testing.assert_allclose(decision.commands, [[0.375, -1.0]])
    expected = observation((1, 2, 3, INF), (2.0, 0.0), (0.25, 1.0))
    np.testing.assert_allclose(table.asked, [expected], atol=1e-6)


def test_two_of_three_robots_drive_two_steps() -> None:
    pilot, table = make_pilot()
    pilot.set_goal(0, 2.0, 0.0)
    pilot.set_goal(2, 0.0, -3.0)
    table.answer = [(1.0, 0.0), (-1.0, 1.0)]
    # robots answer in any order; robot 1 has no goal
    first = pilot.step(sensed(0.0, r2=((0, 0, 0),), r1=((9, 9, 9),), r0=((0, 0, 0),)))
    np.testing.assert_allclose(first.commands, [[0.5, 0.0], [0.0, 0.0], [0.0, 2.0]])
    assert is_empty(first)

    near = (INF, 0.45, INF, INF)  # 0.25 m beyond the radius: half the margin
    second = pilot.step(
        sensed(0.1, r0=((0.25, 0, 0),), r1=((9, 9, 9),), r2=((0, 0.5, 0), near, (0.1, 0.2)))
    )
    got = second.transitions
    assert got.robots.tolist() == [0, 2]
    assert got.steps.tolist() == [0, 0]
    np.testing.assert_allclose(got.actions, [[-1.0, 1.0], [1.0, 0.0]])
    np.testing.assert_allclose(got.obs[0], observation(CLEAR, (2, 0)), atol=1e-6)
    np.testing.assert_allclose(got.obs[1], observation(CLEAR, (0, -3)), atol=1e-6)
    after = observation(CLEAR, (1.75, 0), (0, 0), (0.0, 2.0))
    np.testing.assert_allclose(got.next_obs[0], after, atol=1e-6)
    after = observation(near, (0, -3.5), (0.1, 0.2), (0.5, 0.0))
    np.testing.assert_allclose(got.next_obs[1], after, atol=1e-6)
    # 0.25 m nearer; 0.5 m farther, and half the clearance penalty
    np.testing.assert_allclose(got.rewards, [0.24, -0.56], rtol=1e-5)
    assert got.outcomes.tolist() == [0, 0]
    assert not got.terminated.any()
    assert not got.truncated.any()


@pytest.mark.parametrize(
    ('pose', 'ranges', 'stamp', 'outcome', 'reward'),
    [
        ((1.8, 0, 0), CLEAR, 0.1, Outcome.GOAL, 1.8 - 0.01 + 5.0),
        ((1.0, 0, 0), (0.15, INF, INF, INF), 0.1, Outcome.COLLISION, 1.0 - 0.01 - 0.1 - 7.0),
        ((1.0, 0, 0), (INF, INF, INF, -INF), 0.1, Outcome.COLLISION, 1.0 - 0.01 - 0.1 - 7.0),
        ((1.0, 0, 0), CLEAR, 1.0, Outcome.TIMEOUT, 1.0 - 0.01),
    ],
)
def test_a_drive_ends(
    pose: Any, ranges: Any, stamp: float, outcome: Outcome, reward: float
) -> None:
    pilot, table = make_pilot()
    pilot.set_goal(1, 2.0, 0.0)
    table.answer = (1.0, 1.0)
    pilot.step(sensed(0.0, r1=((0, 0, 0),)))
    decision = pilot.step(sensed(stamp, r1=(pose, ranges)))
    assert decision.outcomes.tolist() == [outcome]
    assert decision.commands.tolist() == [[0, 0]]
    got = decision.transitions
    assert got.outcomes.tolist() == [outcome]
    assert got.truncated.tolist() == [outcome == Outcome.TIMEOUT]
    assert got.terminated.tolist() == [outcome != Outcome.TIMEOUT]
    assert got.rewards == pytest.approx([reward], rel=1e-5)
    # it rests afterwards, and nothing more is experienced
    assert not pilot.active.any()
    again = pilot.step(sensed(stamp + 0.1, r1=(pose, CLEAR)))
    assert again.commands.tolist() == [[0, 0]]
    assert again.outcomes.tolist() == [0]
    assert is_empty(again)


@pytest.mark.parametrize(
    ('reading', 'outcome'),
    [(0.15, Outcome.RUNNING), (0.14, Outcome.COLLISION), (-INF, Outcome.COLLISION)],
)
def test_a_rectangle_touches_with_its_sides(reading: float, outcome: Outcome) -> None:
    """A beam at 45 degrees leaves a robot 0.2 m wide after 0.1 m sideways: 0.1414 m along it."""
    robot = RobotConfig(radius=0.4, footprint_length=0.6, footprint_width=0.2)
    pilot, _ = make_pilot(robot=robot)
    pilot.set_goal(0, 5.0, 0.0)
    pilot.step(sensed(0.0, r0=((0, 0, 0),)))
    decision = pilot.step(sensed(0.1, r0=((0, 0, 0), (INF, INF, reading, INF))))
    assert decision.outcomes.tolist() == [outcome]


def test_a_goal_under_the_robot_is_reached_without_a_step() -> None:
    pilot, _ = make_pilot()
    pilot.set_goal(0, 0.1, 0.0)
    decision = pilot.step(sensed(0.0, r0=((0, 0, 0),)))
    assert decision.outcomes.tolist() == [Outcome.GOAL]
    assert decision.commands.tolist() == [[0, 0]]
    assert is_empty(decision)


def drive(pilot: Pilot, stamp: float) -> list[int]:
    """One step of robot 0; the numbers of the steps experienced."""
    steps = pilot.step(sensed(stamp, r0=((0, 0, 0),))).transitions.steps
    return [int(step) for step in steps]


def test_steps_are_numbered_through_all_drives() -> None:
    pilot, _ = make_pilot()
    pilot.set_goal(0, 2.0, 0.0)
    assert [drive(pilot, 0.1 * i) for i in range(4)] == [[], [0], [1], [2]]
    pilot.step(sensed(0.4, r0=((1.9, 0, 0),)))  # the goal ends step 3
    pilot.set_goal(0, 0.0, 2.0)
    assert [drive(pilot, 0.5 + 0.1 * i) for i in range(3)] == [[], [4], [5]]


@pytest.mark.parametrize('how', ['halt', 'set_goal', 'not finite'])
def test_an_interrupted_drive_breaks_the_numbering(how: str) -> None:
    pilot, table = make_pilot()
    pilot.set_goal(0, 2.0, 0.0)
    assert [drive(pilot, 0.1 * i) for i in range(3)] == [[], [0], [1]]
    known = 1
    if how == 'halt':
        pilot.halt(0, 0.25)
    elif how == 'set_goal':
        pilot.set_goal(0, 0.0, 2.0)
    else:
        table.answer = (NAN, 0.0)
        assert drive(pilot, 0.3) == [2]
        known = 2
        table.answer = (0.0, 0.0)
    # whatever came in between led to nothing that could be learnt from
    assert drive(pilot, 0.4) == []
    (after,) = drive(pilot, 0.5)
    assert after == known + 2  # and what comes next does not follow on the last one known
    assert drive(pilot, 0.6) == [after + 1]


@pytest.mark.parametrize('action', [(NAN, 0.5), (0.5, NAN), (INF, 0.0), (0.0, -INF)])
def test_an_action_that_is_not_finite_is_a_command_to_rest(action: Any) -> None:
    pilot, table = make_pilot()
    for robot in range(3):
        pilot.set_goal(robot, 2.0, 0.0)
    table.answer = [(1.0, 0.0), action, (1.0, 0.0)]
    here = {f'r{robot}': ((0, 0, 0),) for robot in range(3)}
    decision = pilot.step(sensed(0.0, **here))
    assert decision.commands.tolist() == [[0.5, 0], [0, 0], [0.5, 0]]
    transitions = pilot.step(sensed(0.1, **here)).transitions
    assert transitions.robots.tolist() == [0, 2]
    assert np.isfinite(transitions.actions).all()


def test_the_command_after_a_halt_is_remembered_as_zero() -> None:
    pilot, table = make_pilot()
    pilot.set_goal(0, 2.0, 0.0)
    table.answer = (1.0, 1.0)
    drive(pilot, 0.0)
    pilot.halt(0, 0.05)
    drive(pilot, 0.1)
    np.testing.assert_allclose(table.asked[0], observation(CLEAR, (2, 0)), atol=1e-6)
    drive(pilot, 0.2)
    expected = observation(CLEAR, (2, 0), (0, 0), (0.5, 2.0))
    np.testing.assert_allclose(table.asked[0], expected, atol=1e-6)


def test_the_policy_is_told_what_it_asked_for_and_the_base_what_it_can_do() -> None:
    """Of 0.5 m/s and 2 rad/s, at 1 m/s2 and 3 rad/s2, a tenth of a second each."""
    robot = replace(ROBOT, max_linear_accel=1.0, max_angular_accel=3.0)
    safety = Safety(SafetyConfig(), robot, SCAN, TASK.control_period)
    pilot = Pilot(1, robot, TASK, OBSERVATION, SCAN, None, safety)
    table = Table()
    table.answer = (1.0, 1.0)
    pilot.policy = table  # type: ignore[assignment]
    pilot.set_goal(0, 2.0, 0.0)
    sent = [
        pilot.step(sensed(0.1 * step, r0=((0, 0, 0),))).commands[0].tolist() for step in range(3)
    ]
    np.testing.assert_allclose(sent, [(0.1, 0.3), (0.2, 0.6), (0.3, 0.9)])
    view = pilot.view(0)
    assert view is not None
    assert view.command == pytest.approx((0.3, 0.9))  # what is shown is what is done
    told = table.asked[0][OBSERVATION.num_sectors + 5 :][:2]
    np.testing.assert_allclose(told, (1.0, 1.0))
    pilot.halt(0, 0.25)
    after = pilot.step(sensed(0.3, r0=((0, 0, 0),))).commands[0]
    np.testing.assert_allclose(after, (0.1, 0.3))


def test_a_goal_that_is_reached_at_once_after_a_cancel_is_followed_by_another() -> None:
    safety = Safety(SafetyConfig(), ROBOT, SCAN, TASK.control_period)
    pilot = Pilot(1, ROBOT, TASK, OBSERVATION, SCAN, safety=safety)
    table = Table()
    table.answer = (1.0, 0.0)
    pilot.policy = table  # type: ignore[assignment]
    pilot.set_goal(0, 2.0, 0.0)
    pilot.step(sensed(0.0, r0=((0, 0, 0),)))
    pilot.cancel(0, 0.05)
    pilot.set_goal(0, 0.0, 0.0)
    assert pilot.step(sensed(0.1, r0=((0, 0, 0),))).outcomes.tolist() == [Outcome.GOAL]
    pilot.set_goal(0, 2.0, 0.0)
    assert pilot.step(sensed(0.2, r0=((0, 0, 0),))).commands[0, 0] > 0.0


def test_a_cancelled_goal_leaves_no_experience() -> None:
    pilot, table = make_pilot()
    pilot.set_goal(0, 2.0, 0.0)
    drive(pilot, 0.0)
    pilot.cancel(0, 0.05)
    table.answer = (1.0, 1.0)
    decision = pilot.step(sensed(0.1, r0=((0, 0, 0),)))
    assert decision.commands.tolist() == [[0, 0]]
    assert is_empty(decision)
    assert not pilot.active[0]


def test_the_clock_of_a_drive_starts_at_its_first_step() -> None:
    pilot, _ = make_pilot()
    pilot.set_goal(0, 2.0, 0.0)
    outcomes = [
        int(pilot.step(sensed(100.0 + 0.25 * i, r0=((0, 0, 0),))).outcomes[0]) for i in range(5)
    ]
    assert outcomes == [0, 0, 0, 0, Outcome.TIMEOUT]
    pilot.set_goal(0, 2.0, 0.0)
    assert pilot.step(sensed(101.1, r0=((0, 0, 0),))).outcomes.tolist() == [Outcome.RUNNING]


class Noise:
    """Noise that says whose it is."""

    def __init__(self) -> None:
        self.restarted: list[int] = []

    def sample(self) -> NDArray[np.float32]:
        return np.array([[0.1, 0.1], [0.2, 0.2], [9.0, -9.0]], np.float32)

    def restart(self, robots: NDArray[np.int64]) -> None:
        self.restarted += robots.tolist()


def test_noise_is_added_to_actions_and_clipped() -> None:
    noise = Noise()
    pilot, table = make_pilot(noise=noise)
    pilot.set_goal(2, 2.0, 0.0)
    pilot.set_goal(1, 2.0, 0.0)
    assert noise.restarted == [2, 1]
    table.answer = (0.5, 0.5)
    here = {'r2': ((0, 0, 0),), 'r1': ((0, 0, 0),)}
    decision = pilot.step(sensed(0.0, **here))
    np.testing.assert_allclose(decision.commands, [[0.5, -2.0], [0.425, 1.4]], rtol=1e-6)
    actions = pilot.step(sensed(0.1, **here)).transitions.actions
    np.testing.assert_allclose(actions, [[1.0, -1.0], [0.7, 0.7]], rtol=1e-6)


REMEMBERING = ObservationConfig(num_sectors=4, range_clip=3.0, history_steps=2)


def earlier(pilot: Pilot, table: Table, stamp: float, reading: float) -> float:
    """How close (0 to 1) something was that all beams read at `reading` (m), two scans ago."""
    pilot.step(sensed(stamp, r0=((0, 0, 0), (reading,) * 4)))
    return float(table.asked[0, -1])


def test_an_earlier_scan_is_seen_beside_the_present_one() -> None:
    pilot, table = make_pilot(1, observation=REMEMBERING)
    pilot.set_goal(0, 5.0, 0.0)
    seen = [
        earlier(pilot, table, 0.1 * step, reading)
        for step, reading in enumerate((3.0, 2.4, 1.8, 1.2, 0.9))
    ]
    # the first scan until it is two steps old, and then the one of two steps before
    assert seen == pytest.approx([0.0, 0.0, 0.0, 0.2, 0.4])


def test_a_goal_that_moves_changes_neither_the_drive_nor_what_was_seen() -> None:
    pilot, table = make_pilot(1, observation=REMEMBERING)
    pilot.set_goal(0, 5.0, 0.0)
    for step in range(4):
        earlier(pilot, table, 0.1 * step, 2.4)
    pilot.move_goal(0, 0.0, 2.5)
    assert earlier(pilot, table, 0.4, 1.2) == pytest.approx(0.2)  # as two scans ago
    goal = table.asked[0, REMEMBERING.num_sectors :][:3]
    np.testing.assert_allclose(goal, (0.5, 0.0, 1.0), atol=1e-6)  # half the clip, to the left
    assert pilot.step(sensed(0.5, r0=((0, 2.3, 0),))).outcomes.tolist() == [Outcome.GOAL]


@pytest.mark.parametrize('gap', ['a new goal', 'a halt', 'lost scans', 'time that jumps back'])
def test_what_was_seen_before_a_gap_is_forgotten(gap: str) -> None:
    pilot, table = make_pilot(1, observation=REMEMBERING)
    pilot.set_goal(0, 5.0, 0.0)
    for step in range(4):
        earlier(pilot, table, 0.1 * step, 2.4)
    stamp = 0.4
    if gap == 'a new goal':
        pilot.set_goal(0, -5.0, 0.0)
    elif gap == 'a halt':
        pilot.halt(0, 0.35)
    else:
        stamp = 0.6 if gap == 'lost scans' else 0.05  # the last one was at 0.3
    assert earlier(pilot, table, stamp, 1.2) == pytest.approx(0.6)  # itself
    assert earlier(pilot, table, stamp + 0.1, 0.9) == pytest.approx(0.6)


@pytest.mark.parametrize('stamp', [0.36, 0.46, 0.5])
def test_a_scan_that_is_late_or_lost_leaves_the_past_in_view(stamp: float) -> None:
    pilot, table = make_pilot(1, observation=REMEMBERING)
    pilot.set_goal(0, 5.0, 0.0)
    for step in range(4):
        earlier(pilot, table, 0.1 * step, 2.4)
    assert earlier(pilot, table, stamp, 1.2) == pytest.approx(0.2)


def test_a_robot_that_is_led_passes_points_and_ends_at_the_last() -> None:
    """Within the tolerance of a point on the way nothing ends, nothing begins anew."""
    pilot, table = make_pilot(1)
    table.answer = (1.0, 0.5)
    pilot.lead(0, 2.0, 0.0, False, True)
    first = pilot.step(sensed(0.0, r0=((0.0, 0.0, 0.0),)))
    assert first.commands.tolist() == [[0.5, 1.0]]
    pilot.lead(0, 0.2, 0.0, False, False)
    on = pilot.step(sensed(0.1, r0=((0.1, 0.0, 0.0),)))
    assert on.outcomes.tolist() == [Outcome.RUNNING]
    np.testing.assert_allclose(table.asked[0], observation(CLEAR, (0.1, 0.0), command=(0.5, 1.0)))
    pilot.lead(0, 0.4, 0.0, True, True)
    end = pilot.step(sensed(0.2, r0=((0.2, 0.0, 0.0),)))
    assert end.outcomes.tolist() == [Outcome.GOAL]
    assert end.commands.tolist() == [[0.0, 0.0]]
    assert not pilot.active[0]


def test_a_robot_that_is_led_has_the_time_limit_for_each_advance() -> None:
    pilot, _ = make_pilot(1)
    here = (0.0, 0.0, 0.0)
    pilot.lead(0, 2.0, 0.0, False, True)
    for step in range(25):
        pilot.lead(0, 2.0 + step, 0.0, False, step % 9 == 0)
        assert pilot.step(sensed(0.1 * step, r0=(here,))).outcomes[0] == Outcome.RUNNING
    outcomes = []
    for step in range(25, 35):  # the last advance was at 1.8 s, the limit is 1 s
        pilot.lead(0, 30.0, 0.0, False, False)
        outcomes.append(int(pilot.step(sensed(0.1 * step, r0=(here,))).outcomes[0]))
        if outcomes[-1]:
            break
    assert step == 28
    assert outcomes[-1] == Outcome.TIMEOUT


def test_who_sets_out_from_what_it_touches_may_leave_it() -> None:
    """A return within the outline, behind; it is free after a while, and touches another thing."""
    safety = Safety(SafetyConfig(margin=0.05), ROBOT, SCAN, TASK.control_period)
    pilot = Pilot(1, ROBOT, TASK, OBSERVATION, SCAN, safety=safety)
    pilot.policy = Table()  # type: ignore[assignment]
    pilot.set_goal(0, 5.0, 0.0)
    behind = (0.15, 0.19, 0.21, 0.19, 0.26, 0.19)  # 0.21 m may be noise yet
    outcomes = []
    for step, distance in enumerate(behind):
        at = ((0.0, 0.0, 0.0), (distance, INF, INF, INF))
        outcomes += pilot.step(sensed(0.1 * step, r0=at)).outcomes.tolist()
    assert outcomes == [Outcome.RUNNING] * 5 + [Outcome.COLLISION]
    pilot.set_goal(0, 0.3, 0.0)  # whoever is there already has no need to leave
    touching = ((0.3, 0.0, 0.0), (INF, INF, 0.15, INF))
    assert pilot.step(sensed(0.6, r0=touching)).outcomes.tolist() == [Outcome.GOAL]


def test_without_the_safety_layer_who_touches_has_collided() -> None:
    pilot, _ = make_pilot(1)
    pilot.set_goal(0, 5.0, 0.0)
    touching = ((0.0, 0.0, 0.0), (0.15, INF, INF, INF))
    assert pilot.step(sensed(0.0, r0=touching)).outcomes.tolist() == [Outcome.COLLISION]


def test_a_robot_that_is_led_ends_at_a_collision() -> None:
    pilot, _ = make_pilot(1)
    pilot.lead(0, 2.0, 0.0, False, True)
    assert pilot.step(sensed(0.0, r0=((0.0, 0.0, 0.0),))).outcomes.tolist() == [Outcome.RUNNING]
    hit = pilot.step(sensed(0.1, r0=((0.0, 0.0, 0.0), (INF, 0.15, INF, INF))))
    assert hit.outcomes.tolist() == [Outcome.COLLISION]


def test_a_goal_after_a_path_ends_its_drive_again() -> None:
    pilot, _ = make_pilot(1)
    pilot.lead(0, 2.0, 0.0, False, True)
    pilot.set_goal(0, 0.2, 0.0)
    assert pilot.step(sensed(0.0, r0=((0.0, 0.0, 0.0),))).outcomes.tolist() == [Outcome.GOAL]


def test_a_robot_under_way_shows_what_it_sees_and_does() -> None:
    pilot, table = make_pilot()
    table.answer = (1.0, 0.5)
    pilot.set_goal(1, 5.0, 0.0)
    assert pilot.view(1) is None  # it has not looked yet
    pilot.step(sensed(0.1, r1=((0.0, 0.0, 0.0), (INF, 1.5, INF, INF))))
    view = pilot.view(1)
    assert view is not None
    (sectors,) = view.sectors(OBSERVATION)
    assert sectors.tolist() == [0.0, 0.5, 0.0, 0.0]  # 1.5 of 3 m, behind to the right and ahead
    assert view.command == pytest.approx((0.5, 1.0))
    assert view.safety_action == ''
    pilot.halt(1, 0.15)
    assert pilot.view(1) is None
    assert pilot.view(0) is None


def test_what_the_safety_layer_did_is_shown() -> None:
    safety = Safety(SafetyConfig(), ROBOT, SCAN, 0.1)
    pilot = Pilot(1, ROBOT, TASK, OBSERVATION, SCAN, safety=safety)
    table = Table()
    table.answer = (1.0, 0.0)
    pilot.policy = table  # type: ignore[assignment]
    pilot.set_goal(0, 5.0, 0.0)
    near = (INF, 0.35, 0.35, INF)
    pilot.step(sensed(0.1, r0=((0.0, 0.0, 0.0), near, (0.5, 0.0))))
    view = pilot.view(0)
    assert view is not None
    assert view.safety_action in ('slowed', 'turning', 'braking')
    assert pilot.interventions[view.safety_action] == 1
    pilot.step(sensed(0.2, r0=((0.0, 0.0, 0.0), CLEAR)))
    view = pilot.view(0)
    assert view is not None
    assert view.safety_action == ''
