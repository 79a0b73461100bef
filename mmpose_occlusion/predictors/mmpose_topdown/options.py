"""Ways to a faster network, which change the last bits of predictions."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import torch

from mmpose_occlusion.benchmark.wrapping import wrapped
from mmpose_occlusion.errors import UsageError

AUTOCAST = ('bfloat16', 'float16')


@dataclass(frozen=True)
class Options:
    """What a user asks for; by default, nothing.

    Args:
        autocast: One of :data:`AUTOCAST`, or None.
        channels_last: Whether convolutions have PyTorch's channels-last
            layout.
        compile: Whether backbone, neck and head go through
            ``torch.compile``.

    Raises:
        UsageError: There is no such ``autocast``.
    """

    autocast: str | None = None
    channels_last: bool = False
    compile: bool = False

    def __post_init__(self) -> None:
        if self.autocast not in (None, *AUTOCAST):
            raise UsageError(
                f'autocast is "{self.autocast}": give one of '
                f'{", ".join(AUTOCAST)}'
            )

    @property
    def dtype(self) -> torch.dtype | None:
        """Of the autocast."""
        return getattr(torch, self.autocast) if self.autocast else None

    def chosen(self) -> dict[str, Any]:
        """Those that are not as by default, for the key of a run."""
        return {name: value for name, value in asdict(self).items() if value}

    @contextmanager
    def applied(self, model: Any) -> Iterator[None]:
        """Change a model for as long as the context lasts; its layout stays
        changed.

        Args:
            model: A pose estimator.

        Raises:
            UsageError: It cannot be compiled here.
        """
        if self.channels_last:
            model.to(memory_format=torch.channels_last)
        head = getattr(model, 'head', None)
        with ExitStack() as stack:
            if self.compile:
                for name in ('backbone', 'neck', 'head'):
                    part = getattr(model, name, None)
                    stack.enter_context(wrapped(part, 'forward', _compiled))
            stack.enter_context(wrapped(head, 'forward', _readable))
            yield


DEFAULT = Options()


def _compiled(method: Callable) -> Callable:
    # of any batch size at once: bits shall not depend on which came first
    compiled = torch.compile(method, dynamic=True)

    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return compiled(*args, **kwargs)
        except torch._dynamo.exc.TorchDynamoException as error:
            reason = str(error).strip().splitlines()[0]
            raise UsageError(
                f'torch.compile does not work here ({reason}): install a C++ '
                "compiler and Python's headers, or leave --compile out"
            ) from error

    return run


def _readable(method: Callable) -> Callable:
    """What a head finds as NumPy can have it, which has no bfloat16."""

    def run(*args: Any, **kwargs: Any) -> Any:
        return _widened(method(*args, **kwargs))

    return run


def _widened(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return value.float() if value.dtype == torch.bfloat16 else value
    if isinstance(value, tuple | list):
        return type(value)(_widened(entry) for entry in value)
    return value
