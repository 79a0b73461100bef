"""What several processes do together."""

from collections.abc import Callable
from typing import Any

import torch
from mmengine.dist import broadcast_object_list, get_dist_info

from mmpose_occlusion.errors import UsageError


def on_main(work: Callable[[], Any]) -> Any:
    """Do something in the main process; all get its result, or its error."""
    rank, _ = get_dist_info()
    outcome: list = [None, None]
    if rank == 0:
        try:
            outcome[0] = work()
        except UsageError as error:
            outcome[1] = str(error)
    broadcast_object_list(outcome)
    if outcome[1] is not None:
        raise UsageError(outcome[1])
    return outcome[0]


def gather(value: Any) -> list[Any]:
    """The values of all processes, known to each."""
    if not torch.distributed.is_initialized():
        return [value]
    values: list = [None] * torch.distributed.get_world_size()
    torch.distributed.all_gather_object(values, value)
    return values
