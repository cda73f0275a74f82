"""Training speed: our networks, MONAI's, and plain float32, measured in turns in one run.

``opalux bench learning`` runs it, on a GPU where there is one; it then also prints the share of the
highest rates of its matrix units and memory.
"""

import dataclasses
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from opalux.base.axes import EDGES, QUANTITIES
from opalux.base.config import load
from opalux.base.shipped import CHECKOUT, CONFIGS
from opalux.jobs.sampling.run import run_campaign
from opalux.jobs.sampling.settings import SampleSettings
from opalux.learning.data.data_set import DataSet
from opalux.learning.data.layout import Layout
from opalux.learning.networks.edge_vnet import EdgeVNetSettings
from opalux.learning.networks.vnet import VNetSettings
from opalux.learning.training import loader
from opalux.learning.training.augmentation import Augmentation, AugmentationSettings
from opalux.learning.training.optimise import OptimiserSettings, make_optimiser

MONAI = (CHECKOUT or Path.cwd()) / ".venv-bench" / "monai"
"""Where `make bench-env` puts MONAI, to be used with our own torch."""

PUBLISHED = Layout(EDGES, EDGES, QUANTITIES, 64, 64, (64, 64))
BATCH = {"cpu": 16, "cuda": 256}
ROUNDS, STEPS = 5, 2


@dataclasses.dataclass
class Contender:
    """A network in training on random numbers.

    Attributes
    ----------
    name : what it is
    network : takes signals (B, S, E, Q, T, N), gives maps (B, Y, X)
    bfloat16, compiled : how it is run
    """

    name: str
    network: nn.Module
    bfloat16: bool
    compiled: bool = False

    def __post_init__(self) -> None:
        self.seconds: list[float] = []
        self.parameters = sum(p.numel() for p in self.network.parameters())

    def start(self, device: torch.device, signals: torch.Tensor, target: torch.Tensor) -> None:
        """Put the network on the device and run two warm-up steps."""
        self.network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        forward: Any = torch.compile(self.network) if self.compiled else self.network
        optimiser = make_optimiser(self.network, OptimiserSettings())
        autocast = torch.autocast(device.type, torch.bfloat16, enabled=self.bfloat16)

        def step() -> None:
            optimiser.zero_grad(set_to_none=True)
            with autocast:
                maps = forward(signals)
            (maps.float() - target).square().mean().backward()
            nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
            optimiser.step()

        self.step: Callable[[], None] = step
        step()
        step()

    def flops(self) -> int:
        """Return the floating-point operations of one step."""
        with FlopCounterMode(display=False) as counter:
            self.step()
        return counter.get_total_flops()


class OnImages(nn.Module):
    """A network of images (B, 48, T, N) in the place of one of ours."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, signals_BSEQTN: torch.Tensor) -> torch.Tensor:
        """Return maps (B, Y, X)."""
        images = signals_BSEQTN.flatten(1, 3).contiguous(memory_format=torch.channels_last)
        maps: torch.Tensor = self.network(images)
        return maps[:, 0]


def contenders() -> Iterator[Contender]:
    """Yield what is compared; MONAI's where it is installed."""
    ours = EdgeVNetSettings(patch=2, features=32, width=32)
    whole = ours.model_copy(update={"patch": 1})
    yield Contender("edge_vnet, as configured", ours.build(PUBLISHED), bfloat16=True)
    yield Contender("  compiled", ours.build(PUBLISHED), bfloat16=True, compiled=True)
    yield Contender("  float32", ours.build(PUBLISHED), bfloat16=False)
    yield Contender("edge_vnet, no patches", whole.build(PUBLISHED), bfloat16=True)
    yield Contender("  float32", whole.build(PUBLISHED), bfloat16=False)
    yield Contender("published V-Net", VNetSettings().build(PUBLISHED), bfloat16=False)
    if not MONAI.is_dir():
        return
    sys.path.append(str(MONAI))
    with warnings.catch_warnings(action="ignore"):
        from monai.networks.nets import UNet, VNet

    channels = PUBLISHED.n_channels
    for bfloat16 in (True, False):
        unet = UNet(2, channels, 1, [24, 48, 96, 192, 384], [2, 2, 2, 2], num_res_units=2)
        vnet = nn.Sequential(nn.Conv2d(channels, 16, 1), VNet(2, 16, 1))  # it takes at most 16
        kind = "" if bfloat16 else ", float32"
        yield Contender(f"MONAI UNet{kind}", OnImages(unet), bfloat16)
        yield Contender(f"MONAI VNet{kind}", OnImages(vnet), bfloat16)
    wide = EdgeVNetSettings(patch=2, features=32, width=61)
    yield Contender("edge_vnet of that size", wide.build(PUBLISHED), bfloat16=True)


def learning_lines() -> Iterator[str]:
    """Train all contenders in turns and yield their rates."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    batch = BATCH[device.type]
    torch.manual_seed(0)
    signals = torch.randn(batch, *PUBLISHED.signals_shape, device=device)
    target = torch.randn(batch, *PUBLISHED.shape, device=device)
    all_of_them = list(contenders())
    for contender in all_of_them:
        contender.start(device, signals, target)
    for _ in range(ROUNDS):  # in turns: what else the machine does meets all alike
        for contender in all_of_them:
            contender.seconds.append(_timed(contender.step, device) / STEPS)
    where = torch.cuda.get_device_name() if device.type == "cuda" else f"{torch.get_num_threads()}"
    yield f"training on 64 x 64 maps, batch {batch}, {where}{' threads' * (device.type == 'cpu')}"
    yield f"{'':<26}{'parameters':>11}{'samples/s':>11}{'against the first':>19}"
    first = statistics.median(all_of_them[0].seconds)
    for contender in all_of_them:
        taken = statistics.median(contender.seconds)
        yield (
            f"{contender.name:<26}{contender.parameters / 1e6:>9.2f} M{batch / taken:>11.0f}"
            f"{first / taken:>19.2f}"
        )
    with tempfile.TemporaryDirectory() as name:
        rate = _loading(Path(name) / "data")
    yield (
        f"one process reads, turns and batches {rate:.0f} samples/s, "
        f"{rate * first / batch:.1f} times what the first network takes"
    )
    if not MONAI.is_dir():
        yield "MONAI is not installed: run 'make bench-env'"
    if device.type == "cuda":
        yield from _ceilings(all_of_them[0], first)


def _loading(folder: Path) -> float:
    """Return how many samples are read, turned and put into batches per second by one process."""
    config = CONFIGS / "sample" / "published.yaml"
    settings, _ = load(SampleSettings, config, ["splits={train: 128, validation: 8, test: 8}"])
    run_campaign(settings.campaign, folder, backend=settings.backend)
    data = DataSet(folder)
    layout = loader.layout_of(data, None)
    changes = Augmentation(
        AugmentationSettings(), layout, data.stats.signal_mean, data.stats.signal_std, 0
    )
    samples = loader.Samples(data, data.times, EdgeVNetSettings().objective, changes)
    seconds = []
    for epoch in range(4):
        order = loader.EpochOrder(
            data.split("train"), batch=16, parts=1, rank=0, world=1, seed=0, epoch=epoch
        )
        start = time.perf_counter()
        for _ in loader.batches(samples, order, workers=0):
            pass
        seconds.append(time.perf_counter() - start)
    return len(data.split("train")) / min(seconds[1:])


def _timed(step: Callable[[], object], device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize()
    start = time.perf_counter()
    for _ in range(STEPS):
        step()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


def _ceilings(contender: Contender, seconds: float) -> Iterator[str]:
    """Compare a step with the measured ceilings of this GPU."""
    device = torch.device("cuda")
    a = torch.randn(8192, 8192, device=device, dtype=torch.bfloat16)
    source = torch.empty(2**30, device=device, dtype=torch.uint8)
    target = torch.empty_like(source)
    products = min(_timed(lambda: torch.mm(a, a), device) for _ in range(5)) / STEPS
    copy = min(_timed(lambda: target.copy_(source), device) for _ in range(5)) / STEPS
    most = 2 * 8192**3 / products
    bandwidth = 2 * source.nbytes / copy
    done = contender.flops() / seconds
    yield (
        f"matrix units {most / 1e12:.0f} TFLOP/s, memory {bandwidth / 1e9:.0f} GB/s measured; "
        f"a step does {done / 1e12:.1f} TFLOP/s: {done / most:.1%} of the former"
    )
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as profile:
        contender.step()
        torch.cuda.synchronize()
    busy = sum(event.self_device_time_total for event in profile.key_averages()) * 1e-6
    yield f"kernels run during {busy / seconds:.0%} of a step"


if __name__ == "__main__":
    for line in learning_lines():
        print(line, flush=True)
