"""Poses in space: where a frame is in another one."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Pose(NamedTuple):
    """Of a frame in its parent's.

    Attributes:
        position: (3,) x, y, z (m).
        orientation: (4,) unit quaternion x, y, z, w.
    """

    position: Floats
    orientation: Floats

    @classmethod
    def of(cls, message: Any) -> Pose:
        """From a message with `position` and `orientation`; all zeros turn nothing.

        Raises:
            ValueError: it is not finite.
        """
        position = np.array([getattr(message.position, axis) for axis in 'xyz'])
        orientation = np.array([getattr(message.orientation, axis) for axis in 'xyzw'])
        if not (np.isfinite(position).all() and np.isfinite(orientation).all()):
            raise ValueError(f'pose must be finite, got {position} and {orientation}')
        length = np.linalg.norm(orientation)
        turn = orientation / length if length > 0.0 else np.array([0.0, 0.0, 0.0, 1.0])
        return cls(position, turn)

    @classmethod
    def from_euler(cls, values: Floats) -> Pose:
        """From x, y, z (m), roll, pitch, yaw (rad): about the fixed axes, in this order."""
        (cr, cp, cy), (sr, sp, sy) = np.cos(values[3:] / 2.0), np.sin(values[3:] / 2.0)
        return cls(
            values[:3],
            np.array(
                [
                    sr * cp * cy - cr * sp * sy,
                    cr * sp * cy + sr * cp * sy,
                    cr * cp * sy - sr * sp * cy,
                    cr * cp * cy + sr * sp * sy,
                ]
            ),
        )

    def compose(self, local: Pose) -> Pose:
        """A pose of this frame, in this frame's parent."""
        position = self.position + rotate(self.orientation, local.position)
        return Pose(position, _product(self.orientation, local.orientation))

    def relative(self, other: Pose) -> Pose:
        """A pose of this frame's parent, in this frame."""
        back = inverse(self.orientation)
        position = rotate(back, other.position - self.position)
        return Pose(position, _product(back, other.orientation))


def inverse(quaternion: Floats) -> Floats:
    """(4,) the rotation back."""
    return np.append(-quaternion[:3], quaternion[3])


def rotate(quaternion: Floats, vector: Floats) -> Floats:
    """(3,) v + 2 q x (q x v + w v)."""
    axis, w = quaternion[:3], quaternion[3]
    return np.asarray(vector + 2.0 * np.cross(axis, np.cross(axis, vector) + w * vector))


def _product(a: Floats, b: Floats) -> Floats:
    """(4,) the rotation b, then a."""
    vector = a[3] * b[:3] + b[3] * a[:3] + np.cross(a[:3], b[:3])
    return np.append(vector, a[3] * b[3] - a[:3] @ b[:3])
