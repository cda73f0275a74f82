"""Mixed precision, where the device has instructions for it."""

from typing import Literal

import torch

Precision = Literal["auto", "float32", "bfloat16"]


def mixed_precision(precision: Precision, device: torch.device) -> torch.autocast:
    """Return the autocast context; ``auto`` is bfloat16 on a device with instructions for it."""
    if precision == "auto":
        if device.type == "cuda":
            wanted = torch.cuda.is_bf16_supported()
        else:
            known = torch.cpu.get_capabilities()
            wanted = any(known.get(name, False) for name in ("amx_bf16", "avx512_bf16"))
    else:
        wanted = precision == "bfloat16"
    return torch.autocast(device.type, torch.bfloat16, enabled=wanted)
