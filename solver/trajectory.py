"""The states of a march, kept within a budget, gone through forwards and backwards."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from opalux.base.errors import InputError
from opalux.solver.checkpointing import LEAST, Action, Advance, Reverse, SetAside, schedule
from opalux.solver.domains.domain import Domain
from opalux.solver.edges import edge_tables
from opalux.solver.march import March
from opalux.solver.schemes.staggered import Stepper
from opalux.solver.schemes.staggered_step import fill_ghosts

AT_ONCE = 256  # steps for which tables of the edges are made at a time

Sides = tuple[np.ndarray, ...]


class Part(NamedTuple):
    """Some consecutive steps with their states.

    Attributes
    ----------
    start, stop : the steps start <= n < stop
    states : (stop − start + 1, 4, ny + 2, nx + 2) before each step and after the last; ghosts are
        filled, but for the last one's
    """

    start: int
    stop: int
    states: np.ndarray


class Trajectory:
    """Keeps states of marches of the staggered scheme on one process's share of the grid.

    Which ones is the matter of `checkpointing`; states that are taken again have the same bits.
    All processes make it, and call its methods, at once.

    Parameters
    ----------
    domain : this process's share of the grid
    steps : of the march
    memory : bytes that the states may take on each process

    Attributes
    ----------
    room : states that are kept at most
    march : that is kept, see `start`

    Raises
    ------
    InputError
        When not even three states fit.
    """

    def __init__(self, domain: Domain, steps: int, memory: int) -> None:
        size = domain.state.nbytes
        rooms = domain.gather(int(memory // size))
        self.room = domain.broadcast(min([steps + 1, *rooms]) if rooms else 0)  # the same on all
        if self.room < min(LEAST, steps + 1):
            raise InputError(
                f"gradient: found a budget of {memory / 2**20:.3g} MiB, expected at least "
                f"{LEAST * size / 2**20:.3g} MiB on this grid; raise it or use fewer cells"
            )
        self._steps = steps
        self._states = np.empty((self.room, *domain.state.shape))
        self._plan: Iterator[Action] = iter(())
        self._ready: Part | None = None
        self.march: March

    def start(self, march: March, signals: Sides, rows: np.ndarray | None = None) -> None:
        """Take a march from its start to its end.

        Parameters
        ----------
        march : at its start
        signals : per edge (n, 4, cells), filled; no cells where the block does not touch it
        rows : (n + 1, m), filled with what ``march.readings`` notes before and after each step
        """
        self.march = march
        self._states[0] = march.domain.state
        self._plan = schedule(self._steps, max(self.room, LEAST))
        for action in self._plan:
            self._ready = self._do(action, signals, rows)
            if self._ready:
                return

    def backwards(self) -> Iterator[Part]:
        """Yield all parts of the march, the last one first."""
        if self._ready is None:
            for _ in self.forwards():
                pass
        last, self._ready = self._ready, None
        assert last is not None
        yield last
        for action in self._plan:
            part = self._do(action)
            if part:
                yield part
        if last.start == 0:  # nothing has been overwritten
            self._ready = last

    def forwards(self) -> Iterator[Part]:
        """Yield all parts of the march, the first one first."""
        if self._ready is None or self._ready.start > 0:
            self._plan = schedule(self._steps, max(self.room, LEAST))
            for action in self._plan:
                if isinstance(action, Advance):
                    yield from self._windows(action)
                else:
                    self._ready = self._do(action)
                    break
        assert self._ready is not None
        yield self._ready

    def _windows(self, action: Advance) -> Iterator[Part]:
        """Advance in the slots that are free yet, keeping all states on the way."""
        first, window = action.slot + 1, self._states[action.slot + 1 :]
        window[0] = self._states[action.slot]
        start = action.start
        while start < action.stop:
            stop = min(start + len(window) - 1, action.stop)
            part = self._do(Reverse(start, stop, first, known=False))
            assert part is not None
            yield part
            window[0] = window[stop - start]
            start = stop

    def _do(
        self, action: Action, signals: Sides | None = None, rows: np.ndarray | None = None
    ) -> Part | None:
        """Do one action of a schedule; return the part that is to be reversed now, if any."""
        states = self._states
        if isinstance(action, SetAside):
            states[-1] = states[action.slot]
            return None
        start, stop = action.start, action.stop
        state = self.march.domain.state
        state[...] = states[action.slot]
        if isinstance(action, Advance):
            self._take(start, stop, None, signals, rows)
            states[action.slot + 1] = state
            return None
        part = states[action.slot : action.slot + stop - start + 1]
        if not action.known:
            self._take(start, stop, part, signals, rows)
            return Part(start, stop, part)
        part[-1] = states[-1]
        self._take(start, stop - 1, part[:-1], signals, rows)
        self._fill(stop - 1)
        part[-2] = state
        return Part(start, stop, part)

    def _take(
        self,
        start: int,
        stop: int,
        states: np.ndarray | None,
        signals: Sides | None,
        rows: np.ndarray | None,
    ) -> None:
        """Take steps from the domain's state on, and keep all states, if there is room for them."""
        march, domain, stepper = self.march, self.march.domain, self.stepper
        alone = domain.size == 1 and rows is None
        at_once = AT_ONCE if alone else 1
        for first in range(start, stop, at_once):
            some = slice(first, min(first + at_once, stop))
            if rows is not None and march.readings:
                march.readings.note(domain.state, rows[first])
            if domain.size > 1:
                domain.exchange()
            seen = signals or (np.empty((stop, 4, 0)),) * 4
            parts = tuple(one[some] for one in seen)
            times, state = march.times[some], domain.state
            if states is None:
                tables = self._tables(some)
                stepper.advance(state, times, march.rules, tables, domain.wraps, parts)
            else:
                given, kept = self.given(some.start, some.stop), states[first - start :]
                stepper.keep(state, times, march.rules, given, domain.wraps, parts, kept)
        if rows is not None and march.readings:
            march.readings.note(domain.state, rows[stop])

    def _fill(self, step: int) -> None:
        """Fill the ghosts of the domain's state as before a step."""
        march, domain, stepper = self.march, self.march.domain, self.stepper
        domain.exchange()
        fill_ghosts(
            domain.state, stepper.kinds, march.rules, self.given(step, step + 1), domain.wraps,
            stepper.physics, 0,
        )  # fmt: skip

    @property
    def stepper(self) -> Stepper:
        """The kernels of the march."""
        assert isinstance(self.march.stepper, Stepper)
        return self.march.stepper

    def given(self, start: int, stop: int) -> Sides:
        """Return what the edges prescribe in some steps, per edge (n, 4, cells)."""
        times = self.march.times[start:stop]
        return self.stepper.given(self.march.rules, self._tables(slice(start, stop)), times)

    def _tables(self, steps: slice) -> Sides:
        march = self.march
        tables = edge_tables(
            march.problem.edges, march.domain.block, march.rules, march.times[steps]
        )
        return tables.up, tables.down, tables.left, tables.right
