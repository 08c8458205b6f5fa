"""Counts what arrives of the numbered messages of every actor, and notices who is silent."""

from __future__ import annotations

from dataclasses import dataclass

from rl_planner.ros.experience import SEQUENCE_MODULUS

SILENT_SEC = 10.0  # an actor that has sent nothing for so long is not counted any more


@dataclass
class Reception:
    """Counts what arrived of one stream of numbered messages.

    Attributes:
        received: messages that came, each once.
        lost: messages that were passed over.
        duplicated: messages that came again.
        heard: when the last one came (s).
        is_present: one came in the last SILENT_SEC, as of `Receptions.attend`.
    """

    received: int = 0
    lost: int = 0
    duplicated: int = 0
    heard: float = 0.0
    is_present: bool = False
    _next: int | None = None

    def take(self, sequence: int) -> bool:
        """Count message `sequence`; False where it has been received before."""
        ahead = 0 if self._next is None else (sequence - self._next) % SEQUENCE_MODULUS
        if ahead >= SEQUENCE_MODULUS // 2:  # behind: counting is modulo 2^32
            self.duplicated += 1
            return False
        self.lost += ahead
        self.received += 1
        self._next = (sequence + 1) % SEQUENCE_MODULUS
        return True


class Receptions:
    """The streams of all actors, by their run ids.

    An actor that is started anew has another run id: its numbers begin at 0 again, and what its
    predecessor did not get out is no loss.
    """

    def __init__(self) -> None:
        self._streams: dict[str, Reception] = {}

    def take(self, run_id: str, sequence: int, now: float) -> tuple[bool, int]:
        """Count a message that came at `now` (s); whether it is new, and how many were lost."""
        reception = self._streams.setdefault(run_id, Reception())
        lost, reception.heard = reception.lost, now
        is_new = reception.take(sequence)
        return is_new, reception.lost - lost

    def attend(self, now: float) -> tuple[list[str], list[str]]:
        """Look who is there at `now` (s); the run ids that have come, and gone, since last time."""
        come, gone = list[str](), list[str]()
        for run_id, reception in self._streams.items():
            is_present = now - reception.heard <= SILENT_SEC
            if is_present != reception.is_present:
                (come if is_present else gone).append(run_id)
            reception.is_present = is_present
        return come, gone

    def counts(self) -> dict[str, int]:
        """Sums over all actors ever heard of, and how many were there when last looked."""
        streams = self._streams.values()
        sums = {
            name: sum(getattr(reception, name) for reception in streams)
            for name in ('received', 'lost', 'duplicated')
        }
        return {**sums, 'actors': sum(reception.is_present for reception in streams)}
