"""Time deepwave's scalar wave, for `jobs.bench`; runs with the packages of the bench's own folder.

Prints CPU seconds per cell and step of one field of the second order in time, without matter, in
compiled C on one thread; with ``gradient``, with its derivative by the speed of the wave.
"""

import sys
import time
import warnings

import deepwave
import torch


def main(n: int, dtype: str, gradient: bool) -> None:
    """Time ``n`` x ``n`` cells."""
    warnings.simplefilter("ignore")  # it says at length what edges without a layer do
    torch.set_num_threads(1)
    steps = max(20, 2_000_000 // n**2)
    kind = getattr(torch, dtype)
    speed = torch.full((n, n), 1500.0, dtype=kind, requires_grad=gradient)
    pulse = torch.zeros(1, 1, steps, dtype=kind)
    pulse[..., :10] = 1
    source = torch.tensor([[[n // 2, n // 2]]])
    edge = torch.stack([torch.full((n,), 2), torch.arange(n)], -1)[None]
    times = []
    for _ in range(4):
        start = time.process_time()
        seen = deepwave.scalar(
            speed, 5.0, 0.5 * 5 / 1500 / 2**0.5, source_amplitudes=pulse, source_locations=source,
            receiver_locations=edge, accuracy=2, pml_width=0, max_vel=1500,
        )[-1]  # fmt: skip
        if gradient:
            seen.square().sum().backward()
        times.append((time.process_time() - start) / steps / n**2)
    print(min(times))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3] == "gradient")
