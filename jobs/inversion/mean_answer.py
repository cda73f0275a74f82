"""The answers of trained networks to signals, with their corrections: mean and deviation."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from opalux.jobs.inversion.misfit import Answer
from opalux.jobs.inversion.trained import Trained
from opalux.learning.data.measurement import filled
from opalux.learning.networks.corrector import LEAST_NOISE, Corrector
from opalux.learning.networks.symmetry import (
    Symmetry,
    symmetries_of,
    transform_map,
    transform_signals,
)
from opalux.learning.networks.told import tell_noise
from opalux.learning.training.predict import members

Array = NDArray[np.float32]


class MeanAnswer:
    """Gives the mean answer of networks, and the standard deviation between their answers.

    Parameters
    ----------
    networks : whose answers are averaged
    symmetries : average over the symmetries of the domain, too
    noise : standard deviation of the signals' noise, relative to each channel's own
    known : (S, E, Q, T, N) what was measured; None: what is finite
    seen : (S, E, Q, N, N) how detectors see the cells; None: as they are
    """

    def __init__(
        self,
        networks: Sequence[Trained],
        *,
        symmetries: bool,
        noise: float,
        known: NDArray[np.bool_] | None = None,
        seen: Array | None = None,
    ) -> None:
        self._networks, self._symmetries = networks, symmetries
        self._noise, self._known, self._seen = noise, known, seen

    @torch.inference_mode()
    def __call__(self, signals_BSEQTN: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Return mean and deviation (B, ...); there is no deviation of a single answer."""
        every = torch.cat([self._of(network, signals_BSEQTN) for network in self._networks])
        return every.mean(0), every.std(0) if len(every) > 1 else None

    def _of(self, network: Trained, signals_BSEQTN: torch.Tensor) -> torch.Tensor:
        """Return the answers (M, B, ...) of one network, corrected."""
        found = members(network.model, signals_BSEQTN, symmetries=self._symmetries)
        if not network.corrections:
            return found
        count = len(network.layout.quantities)
        measured = signals_BSEQTN[:, :, :, :count].float().cpu().numpy()
        maps = [
            self._corrected(network, given, density)
            for given, density in zip(measured, found.mean(0).float().cpu().numpy(), strict=True)
        ]
        return torch.stack(maps, 1).to(found.device)

    def _corrected(self, network: Trained, given: Array, density: Array) -> torch.Tensor:
        """Return the answers (M, Y, X) of the last correction to one sample's signals."""
        if self._known is not None:
            given = np.where(self._known, given, np.float32(np.nan))
        symmetries: Sequence[Symmetry] = (Symmetry(False, False, False),)
        if self._symmetries:
            symmetries = symmetries_of(network.layout)
        answers = torch.from_numpy(density)[None]
        for correction in network.corrections:
            residual, maps = told(network, given, answers.mean(0).numpy(), self._noise, self._seen)
            answers = torch.stack(
                [_turned(correction, residual, maps, symmetry) for symmetry in symmetries]
            )
        return answers


def answering(
    networks: Sequence[Trained],
    *,
    symmetries: bool,
    noise: float,
    known: NDArray[np.bool_],
    seen: Array | None = None,
) -> Answer:
    """Return what gives density and deviation (ny, nx) for one sample's signals.

    The signals (S, E, Q, T, N) are NaN where not known; the rest as of `MeanAnswer`.
    """
    first = networks[0]
    symmetric = symmetries and first.layout.is_symmetric
    mean = MeanAnswer(networks, symmetries=symmetric, noise=noise, known=known, seen=seen)

    def answer(given: Array) -> tuple[Array, Array | None]:
        whole = torch.from_numpy(given if first.model.told else filled(given, first.channels[0]))
        batch = (tell_noise(whole, noise) if first.model.told else whole)[None]
        density, deviation = mean(batch.to(first.model.signal_mean.device))
        return (
            density[0].cpu().numpy(),
            None if deviation is None else deviation[0].cpu().numpy(),
        )

    return answer


def told(
    network: Trained, given: Array, density: Array, noise: float, seen: Array | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return what a correction is given: see `Corrector.forward`, for one sample."""
    level = max(noise, LEAST_NOISE)
    evidence = network.witness(density, given, level, seen)
    residual = torch.from_numpy(evidence.residual)
    maps = np.stack([density, evidence.slope])
    return tell_noise(residual, noise), torch.from_numpy(maps)


def _turned(
    correction: Corrector, residual: torch.Tensor, maps: torch.Tensor, symmetry: Symmetry
) -> torch.Tensor:
    """Return the answer (Y, X) to a turned sample, turned back."""
    shape = correction.layout.shape
    answer = correction(
        transform_signals(residual, symmetry, shape)[None].contiguous(),
        transform_map(maps, symmetry)[None].contiguous(),
    )
    return transform_map(answer[0].float(), symmetry.inverse)
