from __future__ import annotations

import argparse
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rl_planner.cli.options import (
    count,
    duration,
    progress_bar,
    seed,
    table,
    training_line,
    write_json,
)


def test_numbers_are_read() -> None:
    assert (count('12'), seed('0'), duration('2.5'), duration('3')) == (12, 0, 2.5, 3.0)


@pytest.mark.parametrize(
    ('kind', 'text'),
    [
        *((count, text) for text in ('0', '-1', '1.5', 'many', '', '1e3')),
        *((seed, text) for text in ('-1', '0.5', 'x', '')),
        *((duration, text) for text in ('0', '-2', 'inf', 'nan', 'long', '')),
    ],
)
def test_wrong_numbers_are_refused(kind: Callable[[str], Any], text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=f'must be a .*, got {text!r}'):
        kind(text)


def test_a_table_has_straight_columns() -> None:
    text = table(('name', 'rate'), [('a', '1.0%'), ('longer', '100.0%')])
    assert text.splitlines() == ['name      rate', 'a         1.0%', 'longer  100.0%']


def test_figures_are_written_where_asked(tmp_path: Path) -> None:
    write_json(None, {'rate': 0.5})
    path = tmp_path / 'new' / 'figures.json'
    write_json(path, {'rate': 0.5, 'name': None})
    assert json.loads(path.read_text()) == {'rate': 0.5, 'name': None}


def test_what_json_has_no_word_for_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / 'figures.json'
    write_json(path, {'rate': 0.5})
    with pytest.raises(ValueError, match='not JSON compliant'):
        write_json(path, {'rate': float('nan')})
    assert json.loads(path.read_text()) == {'rate': 0.5}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ('terminal', 'quiet', 'shown'),
    [(True, False, True), (True, True, False), (False, False, False)],
)
def test_bars_are_for_terminals(
    monkeypatch: pytest.MonkeyPatch, terminal: bool, quiet: bool, shown: bool
) -> None:
    stream = Terminal() if terminal else io.StringIO()
    monkeypatch.setattr(sys, 'stderr', stream)
    for timed in (True, False):
        with progress_bar('learning', 4, quiet, timed) as bar:
            bar.set_postfix_str('fine')
            bar.update(2)
    assert ('learning' in stream.getvalue()) == shown


def test_a_row_of_metrics_in_words() -> None:
    row = {'steps': 12345.0, 'transitions_per_sec': 2999.6}
    assert training_line(row) == '12,345 transitions, 3,000/s'
    row |= {'success_rate': 0.25, 'critic_loss': 0.0123, 'lost': 0.0}
    assert training_line(row).endswith('/s, success 25%, critic loss 0.012, lost 0')
