"""How all commands run: quiet imports, errors as one sentence, exit status.

Nothing heavy is imported here, so that ``--help`` answers quickly.
"""

import contextlib
import ctypes
import errno
import functools
import gc
import io
import multiprocessing
import os
import re
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from mmpose_occlusion.errors import DataError, UsageError, report_error

USER, MACHINE, INTERRUPTED = 2, 1, 130
"""Exit status of a user's mistake, failed data or machine, and Ctrl-C."""

_STORED = 'what is finished is stored, and the same command goes on from there'
_ANOTHER = 'change its permissions, or give another'
_REMEDIES = {
    errno.ENOSPC: f'free some space; {_STORED}',
    errno.EDQUOT: f'free some space; {_STORED}',
    errno.EFBIG: f'use a disk without such a limit; {_STORED}',
    errno.EROFS: 'give a folder that can be written to',
    errno.EACCES: _ANOTHER,
    errno.EPERM: _ANOTHER,
    errno.ENOTDIR: 'a part of this path is a file; give another',
    errno.EEXIST: 'it exists as a file; give another',
    errno.EISDIR: 'it is a folder; give a file',
    errno.ENAMETOOLONG: 'give a shorter name',
    errno.ENOENT: 'check the path',
    errno.EMFILE: 'raise the limit of open files (ulimit -n), or use fewer '
    'workers',
}
_MEMORY = 'out of memory: use a smaller batch size or fewer workers'
_TEXTS = {
    r'occurs when loading `(.+?)`': r'image "\1" cannot be read: replace it, '
    'or leave such images out with --skip-unreadable',
    r'out of memory|[Cc]annot allocate memory': _MEMORY,
    r'EADDRINUSE|[Aa]ddress already in use': 'the port of this run is in use: '
    'name a free one with PORT=... before the command',
    r'DataLoader worker .*(killed|exited unexpectedly)': 'a worker that makes '
    'crops was killed, perhaps for want of memory: run the same command '
    'again, with fewer workers',
    r'DataLoader timed out after': 'a worker that makes crops is frozen, or '
    'needs more than freeze_timeout seconds for a batch: what is finished is '
    'stored, run the same command again, with a larger --cfg-options '
    'freeze_timeout=S where it was only slow',
    r'Connection (closed|reset) by peer|Timed out waiting|[Ww]atchdog': (
        'another process of this run has ended or does not answer: run the '
        'same command again, which resumes it'
    ),
    r'Weights only load failed|Weights[Uu]npickler': 'a checkpoint is damaged '
    'or holds more than weights: give another, or --trust-checkpoint for a '
    'file of your own',
}
"""Words of a library's error -> sentence about the machine."""

_OF_CONFIG = {
    r"'?([\w.]+) is not in the \S+ registry": r'type="\1" is no class that '
    'MMPose or this package knows: correct the name, install its package, or '
    'import its module with custom_imports',
    r'^class `(\w+)` in \S+: (?:class `\w+` in \S+: )*(.{,200})': r'\1 cannot '
    r'be built (\2): correct its arguments in the config',
    r'^(\w+_dataloader, .{,200})': r'the config is incomplete: \1',
    r"^(?:'ConfigDict' object has no attribute ')?(model|optim_wrapper|"
    r"train_cfg|(?:train|val|test)_(?:dataloader|evaluator|cfg))'?$": 'the '
    r'config lacks "\1": add it, or give a complete config',
}
"""Words of MMEngine's error -> sentence about the config; group 1 is a type or
a key."""


def run(
    work: Callable[[Any], object], options: Any, mmpose: bool | None = True
) -> int:
    """Do the work of a command; report an error as one sentence.

    Args:
        work: Called with the options.
        options: The command's options; ``config`` and ``local_rank`` are used
            here if they are set.
        mmpose: Whether the command needs MMPose, as it does with a config;
            None imports it only where it is installed.

    Returns:
        The exit status.
    """
    robust_output()
    config = getattr(options, 'config', None)
    rank = getattr(options, 'local_rank', 0)
    try:
        _end_with_parents()
        os.environ.setdefault('LOCAL_RANK', str(rank))
        if _uses_mmpose(config, bool(config) or mmpose):
            _import_mmpose()
        work(options)
        return 0
    except KeyboardInterrupt:
        return report_error(f'interrupted: {_STORED}', INTERRUPTED)
    except Exception as error:
        if '--traceback' in sys.argv:
            traceback.print_exc()
        code, sentence = explain(error, _loaded(config, options))
        return report_error(_end_workers() + sentence, code)
    finally:
        _destroy_process_group()


def _uses_mmpose(config: str | None, mmpose: bool | None) -> bool:
    """Whether MMPose is to be imported; what is missing is told before, since
    that takes seconds."""
    packages = ('torch', 'mmengine', 'mmcv', 'mmpose')
    missing = [name for name in packages if find_spec(name) is None]
    if missing and mmpose:
        raise DataError(
            f'{sys.executable} has no module "{missing[0]}", which this '
            'command needs: use an environment with MMPose, for example '
            '$(make -s print-python)'
        )
    if config:
        from mmpose_occlusion.files import check_config_file

        check_config_file(config)
    return mmpose is not False and not missing


def _import_mmpose() -> None:
    """Import all that registers transforms, models, metrics and hooks, without
    what the libraries print."""
    os.environ.setdefault('NO_ALBUMENTATIONS_UPDATE', '1')
    # MMPose finds its own copy, and logs so once for each data set
    warnings.filterwarnings('ignore', 'The metainfo config file')
    printed = io.StringIO()
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(printed):
            warnings.filterwarnings('ignore', 'faster_coco_eval is not instal')
            from mmpose_occlusion import registration

            registration.check_extensions()

            from mmpose.utils import register_all_modules

            register_all_modules(init_default_scope=False)
            import_module('mmpose_occlusion.datasets')
            import_module('mmpose_occlusion.engine')
    except RuntimeError as error:  # of the check of versions
        raise DataError(str(error)) from error
    finally:
        for line in printed.getvalue().splitlines():
            if not line.startswith('Could not import OneDL'):
                print(line)


def _loaded(config: str | None, options: Any) -> Any:
    """The command's config, for an error's sentence."""
    if not config or 'mmengine' not in sys.modules:
        return None
    from mmpose_occlusion.engine.config import load_config

    with contextlib.suppress(Exception):  # another error is reported
        return load_config(config, getattr(options, 'cfg_options', None))
    return None


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
    main = threading.main_thread().ident

    def in_child() -> None:
        # Linux means the thread that forks, so only where that lives as long
        if threading.get_ident() == main:
            prctl(on_parents_death, signal.SIGKILL)

    os.register_at_fork(after_in_child=in_child)


def robust_output() -> None:
    """Write what the terminal's encoding lacks as an escape."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors='backslashreplace')


def _end_workers() -> str:
    """Kill the workers of data loaders, which Python waits for at its end;
    returns words on those that were frozen."""
    for child in multiprocessing.active_children():
        if child.daemon:
            child.kill()
    watch: Any = sys.modules.get('mmpose_occlusion.engine.launch')
    frozen = ', '.join(map(str, watch.FROZEN)) if watch else ''
    return f'worker process {frozen} was frozen and is ended: ' * bool(frozen)


def _destroy_process_group() -> None:
    """Leave the process group and end its threads, which can abort a process
    that exits: they live as long as the group's last reference, in the
    reference cycles of a runner."""
    if 'torch.distributed' not in sys.modules:
        return
    watch: Any = sys.modules.get('mmpose_occlusion.engine.launch')
    if watch:
        watch.stop_watching()
    from torch import distributed

    if distributed.is_available() and distributed.is_initialized():
        gc.collect()
        distributed.destroy_process_group()


def explain(error: BaseException, config: Any = None) -> tuple[int, str]:
    """Exit status and sentence for an error.

    Args:
        error: Caught where a command ends.
        config: The command's loaded config, if it has one: the sentence then
            names the key of a class that cannot be built.
    """
    text = str(error)
    if 'Original Traceback' in text:  # of a DataLoader's worker
        text = re.sub(r'^[\w.]+: ', '', text.strip().rpartition('\n')[2])
    text = ' '.join(text.split())
    if isinstance(error, UsageError):
        return MACHINE if isinstance(error, DataError) else USER, text
    if isinstance(error, MemoryError):
        return MACHINE, _MEMORY
    for words, sentence in _TEXTS.items():
        if found := re.search(words, text):
            return MACHINE, found.expand(sentence)
    if isinstance(error, OSError) and error.errno:
        path = f' "{error.filename}"' * (error.filename is not None)
        remedy = _REMEDIES.get(error.errno, 'check the disk or the network')
        what = (error.strerror or 'failure').rstrip('.')
        return MACHINE, f'{what}{path}: {remedy}'
    bare = text.strip('\'"') if isinstance(error, KeyError) else text
    for words, sentence in _OF_CONFIG.items():
        if found := re.search(words, bare):
            return USER, _key(config, found[1]) + found.expand(sentence)
    return MACHINE, (
        f'{type(error).__name__}: {text[:200]}: add --traceback to see '
        'where it happened'
    )


def _key(config: Any, name: str) -> str:
    """``model.head: ``, the first key whose type has this name."""
    if config is None:
        return ''
    from mmpose_occlusion.engine.config import type_name, walk

    last = name.rpartition('.')[2]
    found = (key for key, node in walk(config) if type_name(node) == last)
    return next((f'{key}: ' for key in found if key), '')
