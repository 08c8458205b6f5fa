"""The folder of one training: all that it leaves behind.

config.yaml              what it was started with
checkpoints/             the newest two states to go on from
metrics.jsonl            one row of figures per line, as training went
tensorboard/             the same, for `tensorboard --logdir`
policy.safetensors       the policy as of the newest checkpoint; in the end the final one
best_policy.safetensors  the one with which most episodes succeeded while it learnt
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from torch.utils.tensorboard import SummaryWriter

from rl_planner.learning import checkpoint
from rl_planner.navigation.files import write_atomically
from rl_planner.navigation.policy import Policy

if TYPE_CHECKING:
    from typing_extensions import Self

FLUSH_SEC = 10  # what TensorBoard may lag behind


class RunError(ValueError):
    """A run folder that cannot be used; the message names it and says what to do."""


class RunFolder:
    """One run on disk, to write to and to go on from.

    Args:
        path: the folder; made if missing.
        resume: go on with the run it holds. Without it, a folder that holds a run is refused.

    Raises:
        RunError: as `require_usable`.
    """

    def __init__(self, path: str | Path, resume: bool = False) -> None:
        require_usable(path, resume)
        self.path = Path(path)
        self.policy_path = self.path / 'policy.safetensors'
        self.best_policy_path = self.path / 'best_policy.safetensors'
        self._config_path = self.path / 'config.yaml'
        self._metrics_path = self.path / 'metrics.jsonl'
        self._checkpoints = self.path / 'checkpoints'
        self._checkpoints.mkdir(parents=True, exist_ok=True)
        latest = self._drop_rows_after_checkpoint()
        self._metrics = self._metrics_path.open('a', encoding='utf-8')
        self._writer = SummaryWriter(
            str(self.path / 'tensorboard'), purge_step=latest, flush_secs=FLUSH_SEC
        )

    def close(self) -> None:
        self._metrics.close()
        self._writer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def save_config(self, config: Mapping[str, Any]) -> None:
        """Write what the run was started with: plain values, nested as needed."""
        text = yaml.safe_dump(dict(config), sort_keys=False, allow_unicode=True)
        write_atomically(self._config_path, text.encode())

    def load_config(self) -> dict[str, Any]:
        """What `save_config` wrote, or nothing.

        Raises:
            RunError: config.yaml is not a mapping.
        """
        if not self._config_path.exists():
            return {}
        try:
            config = yaml.safe_load(self._config_path.read_text(encoding='utf-8'))
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise RunError(f'{self._config_path} is not YAML: {error}') from error
        if not isinstance(config, dict):
            raise RunError(f'{self._config_path} must be a mapping, got {config!r}')
        return config

    def log(self, row: Mapping[str, float]) -> None:
        """Append a row of figures, `steps` among them; it is in the file when this returns."""
        self._metrics.write(json.dumps(dict(row)) + '\n')
        self._metrics.flush()
        for name, value in row.items():
            self._writer.add_scalar(name, value, int(row['steps']))

    def metrics(self) -> list[dict[str, float]]:
        """All rows so far."""
        return read_metrics(self._metrics_path)

    def save_policy(self, policy: Policy) -> None:
        policy.save(self.policy_path)

    def save_best_policy(self, policy: Policy) -> None:
        policy.save(self.best_policy_path)

    def save_checkpoint(self, step: int, state: Mapping[str, Any]) -> None:
        """Write the state as of `step` transitions; the newest two are kept."""
        checkpoint.save(self._checkpoints, step, state)

    def load_checkpoint(self) -> Any | None:
        """The newest state, or None if none was written yet.

        Raises:
            CheckpointError: it cannot be read.
        """
        paths = checkpoint.checkpoints(self._checkpoints)
        if not paths:
            return None
        try:
            return checkpoint.load(paths[-1])
        except checkpoint.CheckpointError as error:
            older = f'; remove it to go on from {paths[-2].name}' if len(paths) > 1 else ''
            raise checkpoint.CheckpointError(f'{error}{older}') from error

    def _drop_rows_after_checkpoint(self) -> int:
        """Forget the figures of what a crash undid; the step of the newest checkpoint, or 0."""
        paths = checkpoint.checkpoints(self._checkpoints)
        latest = checkpoint.number_of(paths[-1]) if paths else 0
        if self._metrics_path.exists():
            rows = [row for row in read_metrics(self._metrics_path) if row['steps'] <= latest]
            text = ''.join(json.dumps(row) + '\n' for row in rows)
            write_atomically(self._metrics_path, text.encode())
        return latest


def require_usable(path: str | Path, resume: bool) -> None:
    """Refuse a folder before anything is done for its run.

    Raises:
        RunError: a run is there and `resume` is not given, or the other way round.
    """
    own = ('config.yaml', 'metrics.jsonl', 'checkpoints', 'policy.safetensors')
    found = any(Path(path, name).exists() for name in own)
    if found and not resume:
        raise RunError(f'{path} holds a run already: choose another folder, or resume to go on')
    if resume and not found:
        raise RunError(f'{path} holds no run to resume: leave out resume to begin one')


def read_metrics(path: str | Path) -> list[dict[str, float]]:
    """The rows of a metrics.jsonl, which may be being written: a cut last line is left out.

    Raises:
        RunError: another line is broken; names file and line.
    """
    *lines, _ = Path(path).read_text(encoding='utf-8').split('\n')
    return [_row(line, f'{path}, line {number}') for number, line in enumerate(lines, start=1)]


def _row(line: str, place: str) -> dict[str, float]:
    try:
        row: dict[str, float] = json.loads(line)
    except ValueError as error:
        raise RunError(f'{place}: {error}') from error
    return row
