"""What of a Gazebo can be had without one: its .proto files."""

from __future__ import annotations

from pathlib import Path

import pytest

# Those of Gazebo's messages that make up its transport: the tests' own words for them.
TRANSPORT_PROTOS = {
    'time': 'message Time { required int32 sec = 1; required int32 nsec = 2; }',
    'packet': (
        'import "time.proto"; message Packet { required Time stamp = 1;'
        ' required string type = 2; required bytes serialized_data = 3; }'
    ),
    'publish': (
        'message Publish { required string topic = 1; required string msg_type = 2;'
        ' required string host = 3; required uint32 port = 4; }'
    ),
    'publishers': (
        'import "publish.proto"; message Publishers { repeated Publish publisher = 1; }'
    ),
    'subscribe': (
        'message Subscribe { required string topic = 1; required string host = 2;'
        ' required uint32 port = 3; required string msg_type = 4;'
        ' optional bool latching = 5 [default = false]; }'
    ),
    'gz_string': 'message GzString { required string data = 1; }',
}


@pytest.fixture
def proto_root(tmp_path: Path) -> Path:
    """A folder like a Gazebo's root, with the .proto files of its transport."""
    folder = tmp_path / 'root' / 'usr' / 'include' / 'gazebo-11' / 'gazebo' / 'msgs' / 'proto'
    folder.mkdir(parents=True)
    for name, text in TRANSPORT_PROTOS.items():
        source = f'syntax = "proto2"; package gazebo.msgs; {text}'
        (folder / f'{name}.proto').write_text(source)
    return tmp_path / 'root'
