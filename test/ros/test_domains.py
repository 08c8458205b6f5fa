"""Tests do not hear each other."""

from __future__ import annotations

import subprocess
import sys

from support.domains import LAST, claim_domain


def test_no_domain_is_given_twice() -> None:
    with claim_domain() as first, claim_domain() as second, claim_domain() as third:
        assert len({first, second, third} & set(range(1, LAST + 1))) == 3


def test_nor_to_another_process() -> None:
    with claim_domain() as own:
        program = (
            f'import os, sys; sys.path[:0] = {sys.path!r}; os.getpid = lambda: {own - 1}\n'
            'from support.domains import claim_domain\n'
            'with claim_domain() as domain: print(domain)'
        )
        other = subprocess.run(
            [sys.executable, '-c', program], capture_output=True, text=True, check=True
        )
    assert int(other.stdout) != own
