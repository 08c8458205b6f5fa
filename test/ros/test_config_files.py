"""config/params.yaml says what the code says."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import yaml

from rl_planner.ros.parameters import GROUPS

PARAMS = Path(__file__).parents[2] / 'config' / 'params.yaml'


def test_params_yaml_holds_every_shared_parameter_with_its_default() -> None:
    text = PARAMS.read_text()
    values = yaml.safe_load(text)['/**']['ros__parameters']
    assert values == {group: asdict(config()) for group, config in GROUPS.items()}
    words = ' '.join(line.strip().lstrip('# ') for line in text.splitlines())
    for config in GROUPS.values():
        for item in config.__dataclass_fields__.values():
            assert item.metadata['description'] in words, item.name
