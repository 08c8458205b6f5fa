"""Whose folder is left alone, and whose is swept away."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from rl_planner.gazebo.own_folder import PREFIX, OwnFolder

OWNER = """
import sys, time
from pathlib import Path
from rl_planner.gazebo.own_folder import OwnFolder
folder = OwnFolder(Path(sys.argv[1]))
(folder.path / 'log').touch()
print(folder.path, flush=True)
time.sleep(1000)
"""


def test_folders_of_the_dead_are_swept_and_those_of_the_living_are_not(tmp_path: Path) -> None:
    mine = OwnFolder(tmp_path)
    (other := tmp_path / 'rl_planner_else').mkdir()
    command = [sys.executable, '-c', OWNER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        theirs = Path(owner.stdout.readline().strip())
        OwnFolder(tmp_path).remove()
        assert mine.path.exists()
        assert (theirs / 'log').exists()
        owner.kill()
    new = OwnFolder(tmp_path)
    assert set(tmp_path.iterdir()) == {mine.path, new.path, other}
    new.remove()
    mine.remove()
    mine.remove()
    assert list(tmp_path.iterdir()) == [other]


def test_a_link_or_a_file_of_that_name_is_left_alone(tmp_path: Path) -> None:
    (kept := tmp_path / 'kept').mkdir()
    (tmp_path / f'{PREFIX}link').symlink_to(kept)
    (tmp_path / f'{PREFIX}file').touch()
    OwnFolder(tmp_path).remove()
    assert {path.name for path in tmp_path.iterdir()} == {
        'kept',
        f'{PREFIX}link',
        f'{PREFIX}file',
    }
