"""Rates and durations, counted by hand."""

from __future__ import annotations

import pytest

from rl_planner.navigation.meter import KEPT, Meter, sum_up


def test_rates_are_of_one_meter_on_average() -> None:
    first, second = Meter(), Meter()
    for _ in range(12):
        first.count('scan')
    for _ in range(8):
        second.count('scan')
    assert sum_up([first, second], 2.0) == {'scan_rate': pytest.approx(5.0)}


def test_durations_are_of_all_meters() -> None:
    first, second = Meter(), Meter()
    for index in range(50):
        first.time('step', 0.001 * index)
        second.time('step', 0.001 * (50 + index))
    figures = sum_up([first, second], 1.0)
    assert figures.keys() == {'step_median_ms', 'step_p99_ms'}
    assert figures['step_median_ms'] == pytest.approx(49.5)
    assert figures['step_p99_ms'] == pytest.approx(98.01)


def test_each_time_begins_anew() -> None:
    meter = Meter()
    meter.count('scan')
    meter.time('step', 1.0)
    sum_up([meter], 1.0)
    assert sum_up([meter], 1.0) == {}
    assert sum_up([], 1.0) == {}


def test_what_nobody_asks_for_does_not_pile_up() -> None:
    meter = Meter()
    for index in range(KEPT + 10):
        meter.time('step', float(index))
    _, durations = meter.clear()
    assert durations['step'][:1] == [10.0]
    assert len(durations['step']) == KEPT
