"""The experience message: transitions in a Float32MultiArray, numbered so that loss is seen.

layout.dim[0]: label = run id, size = rows M, stride = sequence number of the message, modulo 2^32
layout.dim[1]: label = 'robot,step,obs,action,reward,next_obs,outcome', size = columns
data:          (M, columns) float32. Steps count modulo 2^24: float32 holds such integers exactly.
               outcome is a `navigation.task.Outcome`.
"""

from __future__ import annotations

import array
from collections.abc import Iterator
from dataclasses import fields

import numpy as np
from std_msgs.msg import Float32MultiArray, MultiArrayDimension

from rl_planner.navigation.policy import ACTION_SIZE
from rl_planner.navigation.step import Transitions

COLUMNS = 'robot,step,obs,action,reward,next_obs,outcome'
STEP_MODULUS = 1 << 24
SEQUENCE_MODULUS = 1 << 32


class ExperienceError(ValueError):
    """An experience message that does not follow the layout; says what differs."""


def columns(obs_size: int) -> int:
    return 2 * obs_size + ACTION_SIZE + 4


def encode(run_id: str, sequence: int, batches: list[Transitions]) -> Float32MultiArray:
    """One message of all `batches`, in order."""
    rows = np.concatenate(
        [
            np.column_stack(
                [
                    batch.robots,
                    batch.steps % STEP_MODULUS,
                    batch.obs,
                    batch.actions,
                    batch.rewards,
                    batch.next_obs,
                    batch.outcomes,
                ]
            )
            for batch in batches
        ]
    ).astype(np.float32)
    message = Float32MultiArray()
    message.layout.dim = [
        MultiArrayDimension(label=run_id, size=len(rows), stride=sequence % SEQUENCE_MODULUS),
        MultiArrayDimension(label=COLUMNS, size=rows.shape[1], stride=rows.shape[1]),
    ]
    message.data = array.array('f', rows.tobytes())
    return message


def decode(message: Float32MultiArray, obs_size: int) -> tuple[str, int, Transitions]:
    """(run id, sequence number, transitions) of a message.

    Raises:
        ExperienceError: the layout is another one, or a number is not finite.
    """
    dim = message.layout.dim
    if len(dim) != 2 or dim[1].label != COLUMNS:
        raise ExperienceError('experience must have the columns ' + COLUMNS)
    if dim[1].size != columns(obs_size):
        raise ExperienceError(
            f'experience must have {columns(obs_size)} columns for observations of {obs_size}, '
            f'got {dim[1].size}: actor and learner differ in their observation parameters'
        )
    data = np.frombuffer(message.data, np.float32)
    if len(data) != dim[0].size * dim[1].size:
        raise ExperienceError(
            f'experience must hold {dim[0].size} x {dim[1].size} numbers, got {len(data)}'
        )
    if not np.isfinite(data).all():
        raise ExperienceError('experience must be finite')
    parts = np.split(
        data.reshape(dim[0].size, dim[1].size),
        np.cumsum([1, 1, obs_size, ACTION_SIZE, 1, obs_size]),
        axis=1,
    )
    robots, steps, obs, actions, rewards, next_obs, outcomes = parts
    transitions = Transitions(
        robots[:, 0].astype(np.int64),
        steps[:, 0].astype(np.int64),
        obs,
        actions,
        rewards[:, 0],
        next_obs,
        outcomes[:, 0].astype(np.int64),
    )
    return dim[0].label, int(dim[0].stride), transitions


def one_per_robot(batch: Transitions) -> Iterator[Transitions]:
    """Parts of a batch in order, none of which holds a robot twice."""
    seen: dict[int, int] = {}
    turns = np.empty(len(batch.robots), np.int64)
    for row, robot in enumerate(batch.robots.tolist()):
        turns[row] = seen[robot] = seen.get(robot, -1) + 1
    for turn in range(int(turns.max(initial=-1)) + 1):
        rows = turns == turn
        yield Transitions(*(getattr(batch, item.name)[rows] for item in fields(batch)))
