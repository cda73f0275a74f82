"""The staggered scheme for torch: batches of densities, CPU or GPU, inside autograd.

The solver and learning do not know each other, and the solver runs without torch. What needs both
lies here, above them and below the commands, and is imported when somebody asks for it alone.

`signals` are those of the compiled kernels with their exact adjoint, one map after the other;
`BatchedSolver` is the scheme again in torch operations, for many maps at once.
docs/differentiable.md shows both in use.
"""

from opalux.base.errors import InputError

try:
    import torch
except ImportError:
    raise InputError(
        "opalux.torch: found no torch, expected it installed; run pip install 'opalux[torch]'"
    ) from None

from opalux.torch.batched import BatchedSolver
from opalux.torch.bridge import signals

__all__ = ["BatchedSolver", "gpus", "signals"]


def gpus() -> int:
    """Return the number of GPUs that torch finds here."""
    return torch.cuda.device_count()
