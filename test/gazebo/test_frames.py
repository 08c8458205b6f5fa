"""Gazebo's framing, whatever pieces it arrives in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_planner.gazebo.error import GazeboError
from rl_planner.gazebo.frames import FrameReader, frame


def test_the_length_is_eight_hexadecimal_digits() -> None:
    assert frame(b'x' * 26) == b'0000001a' + b'x' * 26
    assert FrameReader().feed(b'00000002hi00000000') == [b'hi', b'']


@given(st.lists(st.binary(max_size=50)), st.data())
def test_any_pieces_give_the_same_payloads(payloads: list[bytes], data: st.DataObject) -> None:
    stream = b''.join(map(frame, payloads))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)))))
    reader, got = FrameReader(), []
    for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        got += reader.feed(stream[begin:end])
    assert got == payloads


@pytest.mark.parametrize('header', [b'GET / HT', b'-0000001', b'0x000001', b'_0000001'])
def test_what_is_no_length_is_refused(header: bytes) -> None:
    with pytest.raises(GazeboError, match='8 hexadecimal digits'):
        FrameReader().feed(header + b'rest')
