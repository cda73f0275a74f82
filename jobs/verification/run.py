"""All studies, one after the other, and the page that they make."""

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from opalux.base.errors import InputError
from opalux.base.exit_codes import FAILURE, OK
from opalux.base.files import write_text
from opalux.jobs.verification.edges import driven_wave, edge_waves, slabs
from opalux.jobs.verification.geometry import lattice_and_shadow, pipe, pulse
from opalux.jobs.verification.implicit import implicit
from opalux.jobs.verification.linear import diffusion_limit, plane_waves, small_waves
from opalux.jobs.verification.marshak import marshak
from opalux.jobs.verification.nonlinear import manufactured, su_olson
from opalux.jobs.verification.page import Section, page, save_figures
from opalux.jobs.verification.published import published

IMAGES = Path("images") / "verification"

INVARIANTS = Section(
    "What holds for every problem",
    """
These are not measured here. Tests on random problems (hypothesis) check them, in
`tests/solver/schemes/test_consistent.py` and
`tests/solver/verification/test_exact_problems.py`:

- without flux through the edges the energy Σ (E + ρ ∫C_v dT) keeps its value to rounding, in any
  medium and geometry, also for C_v that varies;
- an equilibrium E = a T⁴, F = 0 stays as it is to rounding, whatever the medium and the edges;
- the mirrored problem has the mirrored solution, bit for bit;
- T stays positive; E stays positive in one dimension. In two dimensions P1 itself does not keep E
  positive: its waves leave a negative wake behind a sharp pulse.
""",
    (),
    {},
)
STUDIES: tuple[Callable[[], Section], ...] = (
    plane_waves,
    small_waves,
    su_olson,
    diffusion_limit,
    manufactured,
    marshak,
    slabs,
    driven_wave,
    edge_waves,
    pulse,
    pipe,
    lattice_and_shadow,
    implicit,
    published,
)


def verify(out: Path, studies: Sequence[Callable[[], Section]] = STUDIES) -> int:
    """Write verification.md and its images into ``out``; return the exit code."""
    try:
        (out / IMAGES).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--out {out}: cannot write there ({error.strerror})") from None
    sections = []
    for study in studies:
        started = time.monotonic()
        section = study()
        save_figures(section, out / IMAGES)
        sections.append(section)
        print(f"{section.title} ({time.monotonic() - started:.0f} s)", flush=True)
        for claim in section.claims:
            verdict = "ok    " if claim.holds else "FAILED"
            print(f"  {verdict} {claim.text}: {claim.measured} (expected {claim.expected})")
    write_text(out / "verification.md", page([*sections, INVARIANTS], IMAGES.as_posix()))
    print(f"written: {out / 'verification.md'}")
    failed = [claim for section in sections for claim in section.claims if not claim.holds]
    if failed:
        print(f"error: {len(failed)} claims do not hold", file=sys.stderr)
        return FAILURE
    return OK
