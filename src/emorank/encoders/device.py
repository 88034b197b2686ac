"""Where encoders compute: where the caller or $EMORANK_DEVICE says, else CUDA, else MPS, else the CPU."""

import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from emorank.errors import EmorankError

if TYPE_CHECKING:
    import torch

VARIABLE = "EMORANK_DEVICE"
_ON_CUDA = threading.RLock()
_NAME = re.compile(r"cpu|mps|cuda(:\d{1,3})?")


def wanted(device: str | None = None) -> str | None:
    """The device that the caller, else the environment, asks for; None where neither does.

    Raises:
        EmorankError: it is no name of a device, or this computer or its torch has no such device.
    """
    asked = device or os.environ.get(VARIABLE) or None
    if asked is None or asked == "cpu":
        return asked
    if not _NAME.fullmatch(asked):
        raise EmorankError(f"Device {asked!r}: name it cpu, cuda, cuda:1 or mps ({VARIABLE} or device=).")
    devices = _devices()
    exact = "cuda:0" if asked == "cuda" else asked
    if exact not in devices:
        raise EmorankError(f"Device {asked!r} is not there; torch sees {', '.join(devices)} ({VARIABLE} or device=).")
    return exact


def torch_device(on: str | None) -> "torch.device":
    """What `wanted` gave as torch has it; the best there is for None."""
    import torch

    return torch.device(on or _devices()[0])


def _devices() -> list[str]:
    """All there are, the best first."""
    import torch

    cuda = [f"cuda:{index}" for index in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
    return [*cuda, *(["mps"] if torch.backends.mps.is_available() else []), "cpu"]


@contextmanager
def inference(there: "torch.device") -> Iterator[None]:
    """Without gradients, and in full float32: on CUDA convolutions would round their inputs to 10 bits.

    How they compute is a setting of the whole process, so only one thread at a time computes on CUDA.
    """
    import torch

    with torch.inference_mode():
        if there.type != "cuda":
            yield
            return
        cudnn: Any = torch.backends.cudnn
        with _ON_CUDA:
            before = cudnn.conv.fp32_precision
            cudnn.conv.fp32_precision = "ieee"
            try:
                yield
            finally:
                cudnn.conv.fp32_precision = before
