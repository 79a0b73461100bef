"""How all commands run: quiet imports, errors as one sentence, exit status.

Nothing heavy is imported here, so that ``--help`` answers quickly.
"""

import contextlib
import ctypes
import functools
import gc
import io
import os
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

from .error_sentences import MACHINE, USER, explain, printable

Options = TypeVar('Options')

INTERRUPTED = 130
"""Exit status after Ctrl-C."""

_MMPOSE = ('torch', 'mmengine', 'mmcv', 'mmpose')
_NOISE = ('Could not import OneDL',)


def run(
    work: Callable[[Options], object],
    options: Options,
    mmpose: bool | None = True,
) -> int:
    """Do the work of a command; report an error as one sentence.

    Args:
        work: Called with the options.
        options: The command's options; ``config`` (or ``model``) and
            ``local_rank`` are used here if they are set.
        mmpose: Whether the command needs MMPose; None imports it only where
            it is installed.

    Returns:
        The exit status: 0, :data:`INTERRUPTED`, or one of
        :func:`.error_sentences.explain`.
    """
    robust_output()
    missing = [name for name in _MMPOSE if find_spec(name) is None]
    if missing and mmpose:
        return _fail(
            f'{sys.executable} has no module "{missing[0]}", which this '
            'command needs: use an environment with MMPose, for example '
            '$(make -s print-python)',
            MACHINE,
        )
    config: Any = getattr(options, 'config', getattr(options, 'model', None))
    if config and '::' not in config and not Path(config).is_file():
        # before the imports, which take seconds
        return _fail(
            f'config file "{config}" does not exist: give the path of a '
            'config, or one of MMPose\'s own as "mmpose::body_2d_keypoint/..."'
        )
    _end_with_parents()
    os.environ.setdefault('LOCAL_RANK', str(getattr(options, 'local_rank', 0)))
    status = 0
    try:
        if mmpose or (mmpose is None and not missing):
            try:
                _import_mmpose()
            except RuntimeError as error:  # of the check of versions
                return _fail(error, MACHINE)
        work(options)
    except KeyboardInterrupt:
        status = _fail(
            'interrupted: what is finished is stored; run the same command '
            'again',
            INTERRUPTED,
        )
    except Exception as error:
        if '--traceback' in sys.argv:
            traceback.print_exc()
        code, sentence = explain(error, _loaded(config, options))
        status = _fail(sentence, code)
    finally:
        _destroy_process_group()
    return status


@functools.cache
def _end_with_parents() -> None:
    """On Linux, let workers end when this process ends, however it ends, and
    this process when its torchrun does."""
    if sys.platform != 'linux':
        return
    prctl = ctypes.CDLL(None).prctl
    on_parents_death = 1  # PR_SET_PDEATHSIG
    if 'MMPOSE_OCCLUSION_REFUSAL' in os.environ:
        prctl(on_parents_death, signal.SIGTERM)
    # Linux means the thread that forks, so only where that lives as long
    lasting = [False]

    def before() -> None:
        here = threading.current_thread()
        lasting[0] = here is threading.main_thread()

    def in_child() -> None:
        if lasting[0]:
            prctl(on_parents_death, signal.SIGKILL)

    os.register_at_fork(before=before, after_in_child=in_child)


def robust_output() -> None:
    """Write what the terminal's encoding lacks as an escape."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors='backslashreplace')


def _loaded(path: str | None, options: object) -> Any:
    """The command's config, for the names of its keys; None if there is none
    or it cannot be read."""
    if not path or 'mmengine' not in sys.modules:
        return None
    from mmpose_occlusion.engine.config import load_config

    try:
        return load_config(path, getattr(options, 'cfg_options', None))
    except Exception:  # the error to report is another one
        return None


def _fail(error: Exception | str, status: int = USER) -> int:
    sentence = printable(f'error: {error}')
    path = os.environ.get('MMPOSE_OCCLUSION_REFUSAL')
    if path:
        # printed once by tools/_torchrun.py, for all processes: the first
        # one's, since other processes fail for want of it
        own = Path(f'{path}.{os.getpid()}')
        own.write_text(f'{status} {sentence}', encoding='utf-8')
        if not Path(path).exists():
            own.replace(path)
    else:
        print(sentence, file=sys.stderr)
    return status


def _destroy_process_group() -> None:
    """Leave the process group and end its threads.

    The group's threads end with its last reference, which the model's wrapper
    in the runner's reference cycles holds. A thread that is still alive while
    Python exits can abort the process.
    """
    if 'torch.distributed' not in sys.modules:
        return
    import torch.distributed

    available = torch.distributed.is_available()
    if available and torch.distributed.is_initialized():
        gc.collect()
        torch.distributed.destroy_process_group()


def _import_mmpose() -> None:
    """Import all that registers transforms, models, metrics and hooks."""
    os.environ.setdefault('NO_ALBUMENTATIONS_UPDATE', '1')
    # MMPose finds its own copy, and logs so once for each data set
    warnings.filterwarnings('ignore', 'The metainfo config file')
    with warnings.catch_warnings(), _without_noise():
        warnings.filterwarnings('ignore', 'faster_coco_eval is not installed')
        from mmpose_occlusion import requirements

        requirements.check_extensions()

        import mmpose.datasets
        import mmpose.engine
        import mmpose.evaluation
        import mmpose.models
        import mmpose.visualization  # noqa: F401

        import mmpose_occlusion.datasets
        import mmpose_occlusion.engine  # noqa: F401


@contextlib.contextmanager
def _without_noise() -> Iterator[None]:
    """Suppress the lines that libraries are known to print on import."""
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            yield
    finally:
        for line in printed.getvalue().splitlines():
            if not line.startswith(_NOISE):
                print(line)
