"""Gazebo's framing: eight hexadecimal digits of length, then so many bytes."""

from __future__ import annotations

from rl_planner.gazebo.error import GazeboError

HEADER = 8
_DIGITS = b'0123456789abcdefABCDEF'  # int() would take a sign, spaces and underscores, too


def frame(payload: bytes) -> bytes:
    """`payload` as it crosses a connection."""
    return b'%08x' % len(payload) + payload


class FrameReader:
    """Cuts what arrives, in pieces of any size, into payloads."""

    def __init__(self) -> None:
        self._rest = b''

    def feed(self, data: bytes) -> list[bytes]:
        """The payloads that are whole now, in order.

        Raises:
            GazeboError: this is not Gazebo's framing.
        """
        data = self._rest + data if self._rest else data
        payloads, at = [], 0
        while len(data) - at >= HEADER:
            begin = at + HEADER
            end = begin + _length(data[at:begin])
            if end > len(data):
                break
            payloads.append(data[begin:end])
            at = end
        self._rest = data[at:]
        return payloads


def _length(header: bytes) -> int:
    if header.strip(_DIGITS):
        raise GazeboError(f'a message must begin with {HEADER} hexadecimal digits, got {header!r}')
    return int(header, 16)
