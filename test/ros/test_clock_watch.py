"""A clock that nobody sets."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from rl_planner.ros import clock_watch
from rl_planner.ros.clock_watch import NO_TIME, PATIENCE_SEC, ClockWatch


def test_the_log_is_told_once_and_not_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    machine, now, log = [100.0], [0], []
    monkeypatch.setattr(clock_watch, 'time', SimpleNamespace(monotonic=lambda: machine[0]))
    node = SimpleNamespace(
        get_clock=lambda: SimpleNamespace(now=lambda: SimpleNamespace(nanoseconds=now[0])),
        get_logger=lambda: SimpleNamespace(warning=log.append),
    )
    watch = ClockWatch(node)
    assert (watch.trouble(), log) == (NO_TIME, [])
    for machine[0] in (100.1 + PATIENCE_SEC, 200.0):
        assert (watch.trouble(), log) == (NO_TIME, [NO_TIME])
    now[0] = 1
    assert watch.trouble() == ''
