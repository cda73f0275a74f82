"""Mixed precision: where it pays."""

from typing import Literal

import torch

Precision = Literal["auto", "float32", "bfloat16"]


def mixed_precision(precision: Precision, device: torch.device) -> torch.autocast:
    """Return the autocast context; ``auto`` is bfloat16 on a device with matrix units for it."""
    if precision == "auto":
        if device.type == "cuda":
            wanted = torch.cuda.is_bf16_supported()
        else:
            wanted = bool(torch.cpu.get_capabilities().get("amx_bf16", False))
    else:
        wanted = precision == "bfloat16"
    return torch.autocast(device.type, torch.bfloat16, enabled=wanted)
