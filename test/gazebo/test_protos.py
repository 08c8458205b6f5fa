"""Gazebo's messages: compiled once, into a pool of their own."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from rl_planner.gazebo.error import GazeboError
from rl_planner.gazebo.protos import find_proto_folder, load_messages

# GzString('hi') by the rules of protobuf's wire format: field 1 of type 2, two bytes.
HI = b'\x0a\x02hi'


def test_messages_are_compiled_from_the_files(proto_root: Path, tmp_path: Path) -> None:
    messages = load_messages(proto_root, tmp_path / 'cache')
    assert messages.GzString(data='hi').SerializeToString() == HI
    packet = messages.Packet(type='sub', stamp=messages.Time(sec=1, nsec=2), serialized_data=b'x')
    assert packet.SerializeToString() == b'\x0a\x04\x08\x01\x10\x02\x12\x03sub\x1a\x01x'


def test_the_second_time_needs_no_compiler(
    proto_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_messages(proto_root, tmp_path / 'cache')
    monkeypatch.setitem(sys.modules, 'grpc_tools', None)
    assert load_messages(proto_root, tmp_path / 'cache').GzString.FromString(HI).data == 'hi'


def test_without_a_compiler_the_extra_is_named(
    proto_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, 'grpc_tools', None)
    with pytest.raises(GazeboError, match=r"pip install 'rl_planner\[gazebo\]'"):
        load_messages(proto_root, tmp_path / 'cache')


def test_by_default_the_cache_is_the_users(
    proto_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'home'))
    load_messages(proto_root)
    assert [path.suffix for path in (tmp_path / 'home' / 'rl_planner').iterdir()] == ['.desc']


def test_other_files_are_compiled_anew(proto_root: Path, tmp_path: Path) -> None:
    old = load_messages(proto_root, tmp_path / 'cache')
    file = find_proto_folder(proto_root) / 'gz_string.proto'
    file.write_text(file.read_text().replace('data = 1', 'text = 1'))
    new = load_messages(proto_root, tmp_path / 'cache')
    assert old.GzString.FromString(HI).data == new.GzString.FromString(HI).text == 'hi'


def test_a_spoilt_cache_is_made_anew(proto_root: Path, tmp_path: Path) -> None:
    load_messages(proto_root, tmp_path / 'cache')
    (file,) = (tmp_path / 'cache').iterdir()
    file.write_bytes(b'\xff' * 9)
    assert load_messages(proto_root, tmp_path / 'cache').GzString(data='').data == ''


def test_nothing_else_is_imported_or_searched(proto_root: Path, tmp_path: Path) -> None:
    before = list(sys.path)
    load_messages(proto_root, tmp_path / 'cache').Packet()
    assert sys.path == before
    assert not [name for name in sys.modules if name in ('packet_pb2', 'time_pb2')]


def test_the_newest_gazebo_counts(proto_root: Path) -> None:
    newer = proto_root / 'usr' / 'include' / 'gazebo-12' / 'gazebo' / 'msgs' / 'proto'
    newer.mkdir(parents=True)
    assert 'gazebo-11' in str(find_proto_folder(proto_root))
    (newer / 'packet.proto').write_text('')
    assert find_proto_folder(proto_root) == newer


def test_without_files_the_package_is_named(tmp_path: Path) -> None:
    with pytest.raises(GazeboError, match='apt install libgazebo-dev') as refusal:
        load_messages(tmp_path, tmp_path)
    assert str(tmp_path) in str(refusal.value)


def test_files_that_do_not_compile_are_refused(proto_root: Path, tmp_path: Path) -> None:
    folder = find_proto_folder(proto_root)
    (folder / 'time.proto').write_text('message {')
    with pytest.raises(GazeboError, match=r'must hold \.proto files that compile') as refusal:
        load_messages(proto_root, tmp_path / 'cache')
    assert str(folder) in str(refusal.value)
    assert not (tmp_path / 'cache').exists()


def test_an_unknown_message_is_no_attribute(proto_root: Path, tmp_path: Path) -> None:
    messages = load_messages(proto_root, tmp_path / 'cache')
    with pytest.raises(AttributeError, match='Gazebo has no message Nothing'):
        _ = messages.Nothing


@pytest.mark.gazebo
def test_the_messages_of_a_real_gazebo(gazebo_root: str, tmp_path: Path) -> None:
    messages = load_messages(gazebo_root, tmp_path)
    assert messages.GzString(data='hi').SerializeToString() == HI
    names = ('WorldControl', 'Factory', 'JointCmd', 'LaserScanStamped', 'PosesStamped')
    assert all(getattr(messages, name)() is not None for name in names)
