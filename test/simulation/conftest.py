"""SDF files for the tests of the world reader."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from rl_planner.simulation.sdf_models import PATH_VARIABLES

SdfFile = Callable[..., Path]


@pytest.fixture
def sdf_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SdfFile:
    """Writes `<sdf>body</sdf>` to a file; no model is found outside the test's own folder."""
    for variable in PATH_VARIABLES:
        monkeypatch.delenv(variable, raising=False)

    def write(body: str, name: str = 'arena.sdf', version: str = '1.6') -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'<?xml version="1.0"?>\n<sdf version="{version}">{body}</sdf>')
        return path

    return write
