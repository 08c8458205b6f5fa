"""Atomic writing: the old file, or the new one, and nothing left beside it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rl_planner.navigation.files import write_atomically


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
