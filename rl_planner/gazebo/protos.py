"""Gazebo Classic's messages, from the .proto files that come with its development package.

They are compiled to one file of descriptors in the user's cache, named after their content, and
loaded into a pool of their own: no generated module is imported, and nothing of another protobuf
user in this process is met.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError
from google.protobuf.message_factory import GetMessageClass

from rl_planner.gazebo.error import GazeboError
from rl_planner.navigation.files import user_cache, write_atomically

PROTO_FOLDERS = 'usr/include/gazebo-*/gazebo/msgs/proto'
PACKAGE = 'gazebo.msgs'


class Messages:
    """The message classes of one Gazebo, by their names: `messages.Packet()`."""

    def __init__(self, descriptors: bytes) -> None:
        self._pool = DescriptorPool()
        for file in FileDescriptorSet.FromString(descriptors).file:
            self._pool.Add(file)

    def __getattr__(self, name: str) -> Any:
        try:
            descriptor = self._pool.FindMessageTypeByName(f'{PACKAGE}.{name}')
        except KeyError:
            raise AttributeError(f'Gazebo has no message {name}') from None
        found = GetMessageClass(descriptor)
        setattr(self, name, found)
        return found


def load_messages(root: str | Path = '', cache: Path | None = None) -> Messages:
    """The messages of the Gazebo below `root`, '' being this machine's own.

    Args:
        cache: the folder of compiled descriptors; by default the user's.

    Raises:
        GazeboError: there are no .proto files, or no compiler for them.
    """
    folder = find_proto_folder(root)
    files = sorted(folder.glob('*.proto'))
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.name.encode() + b'\0' + file.read_bytes() + b'\0')
    compiled = (cache or user_cache()) / f'gazebo-{digest.hexdigest()[:16]}.desc'
    try:
        return Messages(compiled.read_bytes())
    except (FileNotFoundError, DecodeError):
        descriptors = _compile(folder, files)
        write_atomically(compiled, descriptors)
        return Messages(descriptors)


def find_proto_folder(root: str | Path = '') -> Path:
    """The folder of the newest Gazebo's .proto files below `root`.

    Raises:
        GazeboError: there is none.
    """
    top = Path(root or '/')
    found = [each for each in top.glob(PROTO_FOLDERS) if (each / 'packet.proto').is_file()]
    if not found:
        raise GazeboError(
            f"{top / PROTO_FOLDERS} must hold Gazebo Classic's .proto files, and there are none: "
            'apt install libgazebo-dev, or name the folder that make gazebo has made'
        )
    return max(found)


def _compile(folder: Path, files: Sequence[Path]) -> bytes:
    try:
        from grpc_tools import protoc
    except ImportError:
        raise GazeboError(
            "grpcio-tools must be installed: pip install 'rl_planner[gazebo]'"
        ) from None
    with tempfile.TemporaryDirectory() as temporary:
        out = Path(temporary) / 'descriptors'
        names = [file.name for file in files]
        arguments = ['--include_imports', f'--proto_path={folder}', f'--descriptor_set_out={out}']
        code = protoc.main(['protoc', *arguments, *names])
        if code:
            raise GazeboError(
                f'{folder} must hold .proto files that compile; protoc ended with {code}'
            )
        return out.read_bytes()
