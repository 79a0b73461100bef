"""Looking into the forward passes of a model of MMPose."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from .clock import NO_CLOCK, Clock
from .wrapping import wrapped

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
        self._stack = ExitStack()

    def __enter__(self) -> 'Probe':
        model = self._model
        head = getattr(model, 'head', None)
        preprocessor = getattr(model, 'data_preprocessor', None)
        for part, name, step in (
            (preprocessor, 'forward', lambda: PREPROCESS),
            (model, 'extract_feat', lambda: self._pass('features')),
            (head, 'forward', lambda: self._pass('head')),
            (head, 'predict', self._last),
            (head, 'decode', lambda: HEATMAPS),
        ):
            self._stack.enter_context(wrapped(part, name, self._timed(step)))
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

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

    def _timed(
        self, step: Callable[[], str]
    ) -> Callable[[Callable], Callable]:
        def make(method: Callable) -> Callable:
            def timed(*args: Any, **kwargs: Any) -> Any:
                with getattr(self._of, 'clock', NO_CLOCK).step(step()):
                    return method(*args, **kwargs)

            return timed

        return make

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
