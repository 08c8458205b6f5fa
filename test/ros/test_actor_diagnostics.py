"""What /diagnostics tells of an actor from the start: figures that are zero are told too."""

from __future__ import annotations

from support.nodes import told

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
