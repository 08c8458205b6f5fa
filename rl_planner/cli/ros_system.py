"""Systems of ROS nodes that a sub-command starts for itself, and ends."""

from __future__ import annotations

import importlib.util
import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from rl_planner.bringup.process import Member
from rl_planner.bringup.supervisor import Supervisor
from rl_planner.cli.options import CommandError

POLL_SEC = 1.0
START_SEC = 120.0  # the first start of all compiles the simulator

Row = Mapping[str, float]


def require_ros() -> None:
    """Raises CommandError where there is no ROS 2."""
    if importlib.util.find_spec('rclpy') is None:
        raise CommandError(
            "ROS 2 is not here: source its setup.bash, or pip install 'rl_planner[ros]'"
        )


def domain_id() -> int:
    """The user's ROS_DOMAIN_ID, or one that hardly anybody else on this machine has.

    Linux gives out ports from 32768 on; the domains 0 to 101 stay below that.
    """
    own = os.environ.get('ROS_DOMAIN_ID', '')
    return int(own) if own.isdecimal() else 1 + os.getpid() % 101


def train_over_ros(
    processes: Sequence[Member], run_dir: Path, log_dir: Path, on_row: Callable[[Row], None]
) -> list[dict[str, float]]:
    """Run a training system until its learner has spent its budget.

    Args:
        processes: what `bringup.system.train` describes, with `run_dir` as its run folder.
        run_dir: where learner_node writes metrics.jsonl.
        log_dir: what the nodes print goes there.
        on_row: called about once a second with the newest metrics.

    Returns:
        All rows of metrics with transitions.

    Raises:
        CommandError: a node failed, or no transitions came.
    """
    started = time.monotonic()
    with Supervisor(processes, log_dir=log_dir, domain_id=domain_id()) as system:
        while system.wait(timeout_sec=POLL_SEC) is None:
            if rows := _rows_with_transitions(run_dir):
                on_row(rows[-1])
            elif time.monotonic() > started + START_SEC:
                raise CommandError(f'no transitions within {START_SEC:.0f} s: see {log_dir}')
    _require_success(system, log_dir)
    if not (rows := _rows_with_transitions(run_dir)):
        raise CommandError(f'the training ended without a transition: see {log_dir}')
    return rows


def run_to_end(
    processes: Sequence[Member],
    log_dir: Path,
    limit_sec: float,
    on_poll: Callable[[], object] | None = None,
) -> None:
    """Run a system that ends by itself; `on_poll` is called about once a second, and at the end.

    Raises:
        CommandError: it did not within `limit_sec`, or a node failed.
    """
    deadline = time.monotonic() + limit_sec
    with Supervisor(processes, log_dir=log_dir, domain_id=domain_id()) as system:
        while system.wait(timeout_sec=min(POLL_SEC, limit_sec)) is None:
            if on_poll is not None:
                on_poll()
            if time.monotonic() > deadline:
                raise CommandError(
                    f'the episodes did not end within {limit_sec:g} s: see {log_dir}'
                )
    _require_success(system, log_dir)
    if on_poll is not None:
        on_poll()


def _require_success(system: Supervisor, log_dir: Path) -> None:
    if system.exit_code:
        raise CommandError(f'a node failed with code {system.exit_code}: see {log_dir}')


def _rows_with_transitions(run_dir: Path) -> list[dict[str, float]]:
    from rl_planner.learning.run import read_metrics

    path = run_dir / 'metrics.jsonl'
    return [row for row in read_metrics(path) if row['steps'] > 0] if path.exists() else []
