"""Files of the package are found; atomic writing: the old file or the new, nothing beside it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rl_planner.navigation import files
from rl_planner.navigation.files import shared_file, write_atomically


def test_the_packages_files_are_found_in_the_checkout() -> None:
    assert shared_file('worlds/arena.sdf') == Path(__file__).parents[2] / 'worlds' / 'arena.sdf'


def test_the_packages_files_are_found_in_a_workspace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, '__file__', str(tmp_path / 'a' / 'b' / 'files.py'))
    monkeypatch.setenv('AMENT_PREFIX_PATH', f'{tmp_path / "other"}:{tmp_path / "mine"}')
    installed = tmp_path / 'mine' / 'share' / 'rl_planner' / 'worlds' / 'arena.sdf'
    write_atomically(installed, b'')
    assert shared_file('worlds/arena.sdf') == installed
    with pytest.raises(FileNotFoundError, match=rf'no worlds/gone\.sdf in .*{tmp_path}/mine/share'):
        shared_file('worlds/gone.sdf')


def test_a_file_is_written_with_its_folders(tmp_path: Path) -> None:
    path = tmp_path / 'a' / 'b' / 'file.bin'
    write_atomically(path, b'\x00one')
    assert path.read_bytes() == b'\x00one'
    assert path.stat().st_mode & 0o777 == 0o644
    assert list(path.parent.iterdir()) == [path]


def test_an_existing_file_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / 'file'
    path.write_bytes(b'a long old content')
    write_atomically(str(path), b'new')
    assert path.read_bytes() == b'new'


@pytest.mark.parametrize('failing', ['fsync', 'replace'])
def test_a_failure_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    path = tmp_path / 'file'
    path.write_bytes(b'old')

    def fail(*args: object) -> None:
        raise OSError(28, 'disk full')

    monkeypatch.setattr(os, failing, fail)
    with pytest.raises(OSError, match=r'disk full: .*/file'):
        write_atomically(path, b'new')
    assert path.read_bytes() == b'old'
    assert list(tmp_path.iterdir()) == [path]


def test_the_new_name_appears_only_when_the_content_is_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / 'file'
    order: list[str] = []
    fsync, replace = os.fsync, os.replace

    def recorded_fsync(handle: int) -> None:
        assert not path.exists()
        order.append('fsync')
        fsync(handle)

    def recorded_replace(source: str, target: Path) -> None:
        assert Path(source).read_bytes() == b'new'
        order.append('replace')
        replace(source, target)

    monkeypatch.setattr(os, 'fsync', recorded_fsync)
    monkeypatch.setattr(os, 'replace', recorded_replace)
    write_atomically(path, b'new')
    assert order == ['fsync', 'replace']
