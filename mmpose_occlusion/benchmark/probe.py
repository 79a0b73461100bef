"""Looking into the forward passes of a model of MMPose."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from .clock import NO_CLOCK, Clock

PREPROCESS = 'preprocess'
FORWARD = 'forward'
FLIP = 'flip'
HEATMAPS = 'heatmaps'
SAMPLES = 'samples'


class Probe:
    """Times the parts of a model's ``test_step``.

    For as long as the context lasts, methods of the model and of its parts
    are wrapped on the instances; what a model lacks is left out.

    Args:
        model: A pose estimator.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self._of = threading.local()
        self._wrapped: list[tuple[Any, str]] = []

    def __enter__(self) -> 'Probe':
        model = self._model
        head = getattr(model, 'head', None)
        preprocessor = getattr(model, 'data_preprocessor', None)
        self._wrap(preprocessor, 'forward', lambda: PREPROCESS)
        self._wrap(model, 'extract_feat', lambda: self._pass('features'))
        self._wrap(head, 'forward', lambda: self._pass('head'))
        self._wrap(head, 'predict', lambda: self._last())
        self._wrap(head, 'decode', lambda: HEATMAPS)
        return self

    def __exit__(self, *error: object) -> None:
        while self._wrapped:
            part, name = self._wrapped.pop()
            delattr(part, name)

    @contextmanager
    def watching(self, clock: Clock) -> Iterator[None]:
        """Time the test steps of this thread; what no method of the above
        takes is in :data:`SAMPLES`."""
        self._of.clock = clock
        self._of.passes = {}
        try:
            with clock.step(SAMPLES):
                yield
        finally:
            self._of.clock = NO_CLOCK

    def _wrap(self, part: Any, name: str, step: Callable[[], str]) -> None:
        method = getattr(part, name, None)
        if method is None or name in vars(part):
            return

        def timed(*args: Any, **kwargs: Any) -> Any:
            with getattr(self._of, 'clock', NO_CLOCK).step(step()):
                return method(*args, **kwargs)

        setattr(part, name, timed)
        self._wrapped.append((part, name))

    def _pass(self, part: str) -> str:
        """The first pass through a part is the forward pass, the next that
        of the mirrored crops."""
        passes = getattr(self._of, 'passes', {})
        passes[part] = passes.get(part, 0) + 1
        return FORWARD if passes[part] == 1 else FLIP

    def _last(self) -> str:
        """A head joins what the passes found."""
        passes = getattr(self._of, 'passes', {})
        return FLIP if passes.get('features', 0) > 1 else FORWARD
