"""Finding the files that come with the package; writing files that are whole or not there."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path


def shared_file(name: str) -> Path:
    """A file that comes with the package, such as `worlds/arena.sdf`.

    In the checkout, or in the share folder of a ROS workspace or of this Python.

    Raises:
        FileNotFoundError: it is in none of them; names them.
    """
    prefixes = [*os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep), sys.prefix]
    shares = [Path(prefix, 'share', 'rl_planner') for prefix in prefixes if prefix]
    folders = [Path(__file__).parents[2], *shares]
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    raise FileNotFoundError(f'no {name} in {", ".join(map(str, folders))}')


def user_cache() -> Path:
    """The folder for what can be made again: in the user's cache, which need not exist yet."""
    return Path(os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache') / 'rl_planner'


def write_atomically(path: str | Path, data: bytes) -> None:
    """Write `data` under a temporary name, flush it to the disk, then rename it to `path`.

    Whoever reads `path`, at any moment and after any crash, finds the old file or the new one.
    Missing parent folders are made.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f'.{path.name}.')
    try:
        with os.fdopen(handle, 'wb') as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException as error:
        Path(temporary).unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno:
            # Of the file that was asked for, not of the temporary one.
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise
