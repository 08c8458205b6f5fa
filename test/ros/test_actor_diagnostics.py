"""What /diagnostics tells of an actor from the start: figures that are zero are told too."""

from __future__ import annotations

from support.nodes import RobotDouble, told
from support.sim_time import SimTime

NOTHING_YET = {
    *('slowed', 'turning', 'braking', 'overdue'),
    *('scan_stops', 'odometry_stops', 'step_stops', 'transform_stops', 'clock_stops'),
    *('control_loop_stops', 'overruns', 'clock_jumps'),
}


def test_what_has_not_happened_yet_is_told_as_zero(nodes, peer, policy_file):
    nodes.start('actor_node', policy_file=str(policy_file))
    values = told(peer)
    peer.until(lambda: values.get('driving') == '0')
    assert {name: values.get(name) for name in NOTHING_YET} == dict.fromkeys(NOTHING_YET, '0')


def test_what_an_idle_robot_lacks_is_told_before_it_is_sent_anywhere(nodes, peer, policy_file):
    values, robot, time = told(peer), RobotDouble(peer), SimTime(peer)
    nodes.start('actor_node', policy_file=str(policy_file), use_sim_time=True)

    def go() -> None:
        time.advance(0.1)
        robot.sense(time.now)

    peer.until(lambda: values.get('') == 'no scan yet', repeat=lambda: time.advance(0.1))
    peer.until(lambda: values[''] == '0 of 1 robots driving', repeat=go)
    robot.sense(time.now + 10**8, ranges=0.0)  # covered, before it is unplugged
    time.advance(2.0)
    peer.until(lambda: values[''].startswith('scan is '))
    assert (values['stopped'], values['scan_stops']) == ('0', '0')
    assert robot.commands == []
