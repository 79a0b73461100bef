"""Arguments that several commands have.

Nothing heavy is imported here, so that ``--help`` answers quickly.
"""

import argparse
from collections.abc import Callable
from dataclasses import fields
from typing import Any, TypeVar

from .run import robust_output

Options = TypeVar('Options')

ATTACK_HELP = (
    'an occlusion as KIND:NAME[:FILL[:SIZE][:PLACE]], for example '
    'keypoint:nose:black, keypoint:left_eye,right_eye:mean, part:head:noise, '
    'keypoint:nose:black:24 (radius in pixels of a crop 256 high), '
    'keypoint:nose:black:20%% (diameter, of the height of the bbox) or '
    'keypoint:nose:black:24:off_person (the same area elsewhere); '
    'several, each with its own --attack, act on the same crop in this order'
)


class ConfigOptions(argparse.Action):
    """MMEngine's KEY=VALUE options, with one sentence for a mistake.

    MMEngine is imported only if there are some.
    """

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        """Parse the pairs."""
        from mmengine.config import DictAction

        for pair in values:
            if '=' not in pair:
                parser.error(f'{option_string}: "{pair}" is not KEY=VALUE')
        try:
            parse = DictAction(self.option_strings, self.dest)
            parse(parser, namespace, values, option_string)
        except AssertionError as error:
            parser.error(f'{option_string}: {error}')


class HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Keeps the line breaks of a description's examples."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=28, width=79)


def parser_of(
    description: str | None, prog: str | None = None
) -> argparse.ArgumentParser:
    """A parser that shows a module's docstring."""
    robust_output()
    parser = argparse.ArgumentParser(
        prog=prog, description=description, formatter_class=HelpFormatter
    )
    parser.add_argument(
        '--traceback',
        action='store_true',
        help='show where an error was raised, before its sentence',
    )
    return parser


def options_of(cls: type[Options], args: argparse.Namespace) -> Options:
    """The dataclass of a command's options, from its parsed arguments."""
    values = {f.name: getattr(args, f.name) for f in fields(cls)}  # type: ignore[arg-type]
    return cls(**values)


def whole_number(least: int) -> Callable[[str], int]:
    """A type of arguments: whole numbers from ``least``."""

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if value < least:
            raise argparse.ArgumentTypeError(
                f'"{text}" is not a whole number from {least} on'
            )
        return value

    return read


def add_config(parser: argparse.ArgumentParser, dest: str = 'config') -> None:
    """The arguments ``config`` and ``--cfg-options``."""
    parser.add_argument(
        dest,
        metavar='config',
        help="config file, or one of MMPose's own as mmpose::PATH, for "
        'example mmpose::body_2d_keypoint/topdown_heatmap/coco/'
        'td-hm_res50_8xb64-210e_coco-256x192.py',
    )
    add_cfg_options(parser)
    add_skip_unreadable(parser)


def add_skip_unreadable(parser: argparse.ArgumentParser) -> None:
    """The argument ``--skip-unreadable``."""
    parser.add_argument(
        '--skip-unreadable',
        action='store_true',
        help='leave out and count images that cannot be read, which stop the '
        'command otherwise',
    )


class NamedValues(argparse.Action):
    """KEY=VALUE, several times, into a dict."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        """Add one pair."""
        key, equals, value = values.partition('=')
        if not equals or not key:
            parser.error(f'{option_string}: "{values}" is not KEY=VALUE')
        known = getattr(namespace, self.dest)
        setattr(namespace, self.dest, {**known, key: value})


def add_images(parser: argparse.ArgumentParser) -> None:
    """The arguments of models of whole images."""
    parser.add_argument(
        '--annotations',
        metavar='FILE',
        help='COCO-style file of people with keypoints',
    )
    parser.add_argument(
        '--images',
        metavar='DIR',
        help='folder that the file names in it are below',
    )
    parser.add_argument(
        '--detections',
        metavar='FILE',
        help="a detector's COCO results, whose bboxes are given to the model "
        'in place of the annotated ones',
    )
    add_predictor_options(
        parser,
        "an option of the model's adapter, for example padding=1.1; "
        'several, each with its own --predictor-option',
    )


def add_people(parser: argparse.ArgumentParser) -> None:
    """The argument ``--people``."""
    parser.add_argument(
        '--people',
        choices=['all', 'one'],
        default='all',
        help='whom an attack acts on in an image of a model that finds people '
        'by itself: all people at once (the default), or one, with an image '
        'pass for each',
    )


def add_predictor_options(parser: argparse.ArgumentParser, help_: str) -> None:
    """The argument ``--predictor-option``."""
    parser.add_argument(
        '--predictor-option',
        dest='predictor_options',
        action=NamedValues,
        default={},
        metavar='KEY=VALUE',
        help=help_,
    )


def add_seed(
    parser: argparse.ArgumentParser, what: str = "the attacks' random draws"
) -> None:
    """The argument ``--seed`` of some random draws."""
    parser.add_argument(
        '--seed',
        type=whole_number(0),
        default=0,
        metavar='N',
        help=f'of {what} (default: %(default)s)',
    )


def add_max_images(parser: argparse.ArgumentParser) -> None:
    """The argument ``--max-images``."""
    parser.add_argument(
        '--max-images',
        type=whole_number(1),
        metavar='N',
        help='use the first N images only',
    )


def add_checkpoint(
    parser: argparse.ArgumentParser, optional: bool = False
) -> None:
    """The arguments ``checkpoint`` and ``--trust-checkpoint``."""
    parser.add_argument(
        'checkpoint',
        nargs='?' if optional else None,
        help='checkpoint file or URL',
    )
    add_trust(parser)


def add_trust(parser: argparse.ArgumentParser) -> None:
    """The argument ``--trust-checkpoint``."""
    parser.add_argument(
        '--trust-checkpoint',
        action='store_true',
        help='unpickle a checkpoint that contains more than weights, which '
        'runs any code in it: for files of your own',
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
    """The arguments of distributed runs."""
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


def add_attacks(parser: argparse.ArgumentParser) -> None:
    """The arguments ``--attack`` and ``--gt-boxes``."""
    parser.add_argument(
        '--attack',
        action='append',
        default=[],
        metavar='SPEC',
        help=ATTACK_HELP,
    )
    add_gt_boxes(parser)


def add_gt_boxes(parser: argparse.ArgumentParser) -> None:
    """The argument ``--gt-boxes``."""
    parser.add_argument(
        '--gt-boxes',
        action='store_true',
        help="use annotated bboxes instead of a detector's",
    )


def add_stored_run(parser: argparse.ArgumentParser) -> None:
    """The arguments of runs whose predictions are stored."""
    parser.add_argument(
        '--dry-run',
        action='store_true',
        help='print how many predictions are missing; nothing is stored',
    )
    parser.add_argument(
        '--resume',
        action=argparse.BooleanOptionalAction,
        default=True,
        help='use the predictions of this run in DIR (the default); '
        '--no-resume deletes them',
    )
    parser.add_argument(
        '--batch-size',
        type=whole_number(1),
        metavar='N',
        help='maximum number of crops in a forward pass (default: 32 on a '
        'CPU, 64 elsewhere), or of whole images in a call (16); predictions '
        'of another size are stored apart',
    )
    parser.add_argument(
        '--workers',
        '--num-workers',
        dest='num_workers',
        type=whole_number(0),
        metavar='N',
        help="processes that make crops (default: the config's), or that "
        'predict whole images (default: this one)',
    )
    parser.add_argument(
        '--timeout',
        type=float,
        metavar='S',
        help='seconds that a model of whole images may take for a call; it '
        'then runs in a process of its own',
    )
