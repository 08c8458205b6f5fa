"""What a learner has kept for training."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from rl_planner.learning.checkpoint import checkpoints, load


def repeated_transitions(run: Path) -> int:
    """How many of those kept for training are there already: each host and start has its seed.

    A robot that is jammed at a corner between two beams of its lidar wants on and stays where it
    is, step after step: what leads nowhere does not count.
    """
    replay = load(checkpoints(run / 'checkpoints')[-1])['learner']['replay']
    rows = replay['rows']
    table = np.column_stack([rows[name].numpy() for name in ('obs', 'action', 'next_obs')])
    assert len(table) == replay['total']  # the buffer has not been full
    table = table[(rows['obs'] != rows['next_obs']).numpy().any(axis=1)]
    return len(table) - len(np.unique(table, axis=0))
