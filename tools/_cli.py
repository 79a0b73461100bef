"""What the tools share: arguments, quiet imports, errors as sentences.

Nothing heavy is imported here, so that ``--help`` answers at once.
"""

import argparse
import contextlib
import io
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

if find_spec('mmengine') is None:
    sys.exit(
        f'error: {sys.executable} has no module "mmengine": run the tool '
        'with the interpreter of an environment that has, for example '
        '$(make -s print-python)'
    )

ROOT = Path(__file__).resolve().parents[1]
for _path in (ROOT / 'projects/synthetic_people', ROOT):
    if str(_path) not in sys.path:
        sys.path.insert(0, str(_path))

ATTACK_HELP = (
    'an occlusion as KIND:NAME[:FILL[:SIZE][:PLACE]], for example '
    'keypoint:nose:black, keypoint:left_eye,right_eye:mean, part:head:noise, '
    'keypoint:nose:black:24 (radius in pixels of a crop 256 high), '
    'keypoint:nose:black:20%% (diameter, of the height of the box) or '
    'keypoint:nose:black:24:off_person (the same area elsewhere); '
    'several, each with its own --attack, act on the same crop in this order'
)
_NOISE = ('Could not import OneDL',)


class ConfigOptions(argparse.Action):
    """MMEngine's KEY=VALUE options, with a sentence for what is not one.

    MMEngine is imported where there are some: --help need not wait for it.
    """

    def __call__(self, parser, namespace, values, option_string=None):
        """Read the pairs."""
        from mmengine.config import DictAction

        for pair in values:
            if '=' not in pair:
                parser.error(f'{option_string}: "{pair}" is not KEY=VALUE')
        try:
            read = DictAction(self.option_strings, self.dest)
            read(parser, namespace, values, option_string)
        except AssertionError as error:
            parser.error(f'{option_string}: {error}')


class HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Keeps the examples of a description as they are written."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=28, width=79)


def add_config(parser: argparse.ArgumentParser) -> None:
    """The arguments ``config`` and ``--cfg-options``."""
    parser.add_argument(
        'config',
        help="config file, or one of MMPose's own as mmpose::PATH, for "
        'example mmpose::body_2d_keypoint/topdown_heatmap/coco/'
        'td-hm_res50_8xb64-210e_coco-256x192.py',
    )
    add_cfg_options(parser)


def add_checkpoint(parser: argparse.ArgumentParser) -> None:
    """The arguments ``checkpoint`` and ``--trust-checkpoint``."""
    parser.add_argument('checkpoint', help='checkpoint file or URL')
    parser.add_argument(
        '--trust-checkpoint',
        action='store_true',
        help='read a checkpoint that holds more than weights, which runs any '
        'code in it: for files of your own',
    )


def add_cfg_options(parser: argparse.ArgumentParser) -> None:
    """The argument ``--cfg-options``."""
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=ConfigOptions,
        default={},
        metavar='KEY=VALUE',
        help='override settings of the config, for example '
        'model.backbone.depth=18 or key="[a,b]" (no blanks)',
    )


def add_launcher(parser: argparse.ArgumentParser) -> None:
    """The arguments that distributed runs are started with."""
    parser.add_argument(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none',
        help='what started this process (see tools/dist_*.sh)',
    )
    parser.add_argument(
        '--local_rank',
        '--local-rank',
        type=int,
        default=0,
        help=argparse.SUPPRESS,
    )


def add_drawing(parser: argparse.ArgumentParser, what: str, each: str) -> None:
    """The arguments that ask for pictures.

    Args:
        parser: Is given the arguments.
        what: Help of ``--show-dir``.
        each: What is drawn: samples or crops, in the singular.
    """
    parser.add_argument('--show-dir', metavar='DIR', help=what)
    parser.add_argument(
        '--show', action='store_true', help='the same in a window'
    )
    parser.add_argument(
        '--interval',
        type=int,
        default=1,
        metavar='N',
        help=f'draw every N-th {each}',
    )
    parser.add_argument(
        '--wait-time',
        type=float,
        default=1,
        metavar='S',
        help='seconds that a window stays',
    )


def add_people(parser: argparse.ArgumentParser) -> None:
    """The arguments that say how many synthetic people are drawn."""
    parser.add_argument(
        '--train',
        type=int,
        default=1500,
        metavar='N',
        help='pictures to train on (default: %(default)s)',
    )
    parser.add_argument(
        '--val',
        type=int,
        default=200,
        metavar='N',
        help='pictures to test on (default: %(default)s)',
    )


def add_attacks(parser: argparse.ArgumentParser) -> None:
    """The arguments that name attacks."""
    parser.add_argument(
        '--attack',
        action='append',
        default=[],
        metavar='SPEC',
        help=ATTACK_HELP,
    )
    parser.add_argument(
        '--gt-boxes',
        action='store_true',
        help="take the boxes of the annotations, not a detector's",
    )


def run(work: Callable[[argparse.Namespace], None], args) -> int:
    """Do a tool's work; a user's mistake is one sentence, not a traceback.

    Returns:
        The exit status: 0, or 2 after a mistake.
    """
    config = getattr(args, 'config', None)
    if config and '::' not in config and not Path(config).is_file():
        # said before the imports, which take seconds
        return _refuse(
            f'config file "{config}" does not exist: give the path of a '
            'config, or one of MMPose\'s own as "mmpose::body_2d_keypoint/..."'
        )
    os.environ.setdefault('LOCAL_RANK', str(getattr(args, 'local_rank', 0)))
    try:
        _import_quietly()
    except RuntimeError as error:  # of the version gate
        return _refuse(error)
    from mmpose_occlusion.engine.launch import leave
    from mmpose_occlusion.errors import UsageError

    try:
        work(args)
    except UsageError as error:
        return _refuse(error)
    finally:
        leave()
    return 0


def _refuse(error: Exception | str) -> int:
    sentence = f'error: {error}'
    path = os.environ.get('MMPOSE_OCCLUSION_REFUSAL')
    if path:
        # _torchrun.py prints it; whole, should this process be ended now
        own = Path(f'{path}.{os.getpid()}')
        own.write_text(sentence)
        own.replace(path)
    else:
        print(sentence, file=sys.stderr)
    return 2


def _import_quietly() -> None:
    """Import what registers transforms, models, metrics and hooks."""
    os.environ.setdefault('NO_ALBUMENTATIONS_UPDATE', '1')
    # MMPose finds its own copy, and says so once for each data set
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
    """Hold back the lines that libraries are known to print on import."""
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            yield
    finally:
        for line in printed.getvalue().splitlines():
            if not line.startswith(_NOISE):
                print(line)
