"""Options of commands: dataclasses, from which their arguments are made.

Nothing heavy is imported here, so that ``--help`` answers quickly.
"""

import argparse
import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any, Generic, TypeVar

from .run import robust_output, run

Options = TypeVar('Options')


def option(text: str, *flags: str, least: int = 0, **settings: Any) -> Any:
    """A field that is an option of a command, read as its type says.

    Args:
        text: Of the help.
        flags: ``--name`` by default.
        least: Minimum of a whole number.
        settings: Of argparse's ``add_argument``.
    """
    more = dict(settings, help=text, flags=flags, least=least)
    return field(metadata=more)


def position(text: str, metavar: str, **settings: Any) -> Any:
    """A field that is a positional argument."""
    return option(text, '', metavar=metavar, action='store', **settings)


class AddPairs(argparse.Action):
    """Adds KEY=VALUE to a dictionary."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        """Add one pair, or several."""
        pairs = values if self.nargs else [values]
        known = getattr(namespace, self.dest)
        setattr(namespace, self.dest, {**known, **dict(pairs)})


def pair(text: str) -> tuple[str, str]:
    """A type of arguments: KEY=VALUE."""
    key, equals, value = text.partition('=')
    if not equals or not key:
        raise argparse.ArgumentTypeError(f'"{text}" is not KEY=VALUE')
    return key, value


def config_pair(text: str) -> tuple[str, Any]:
    """A type of arguments: KEY=VALUE as MMEngine reads the value."""
    key, value = pair(text)
    from mmengine.config import DictAction

    try:
        return key, DictAction._parse_iterable(value)
    except AssertionError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def whole_number(least: int, text: str) -> int:
    """A type of arguments: whole numbers from ``least``."""
    try:
        value = int(text)
    except ValueError:
        value = least - 1
    if value < least:
        raise argparse.ArgumentTypeError(
            f'"{text}" is not a whole number from {least} on'
        )
    return value


_KINDS: dict[Any, dict[str, Any]] = {
    bool: dict(action='store_true'),
    int: dict(metavar='N'),
    float: dict(type=float, metavar='S'),
    list[str]: dict(action='append', default=[]),
    dict[str, Any]: dict(action=AddPairs, default={}, metavar='KEY=VALUE'),
}


def add_fields(parser: argparse.ArgumentParser, *classes: type) -> None:
    """Add the options of dataclasses to a parser."""
    for each in (f for cls in classes for f in fields(cls)):
        own = dict(each.metadata)
        flags = own.pop('flags') or [f'--{each.name.replace("_", "-")}']
        read = functools.partial(whole_number, own.pop('least'))
        kinds = {k | None: v for k, v in _KINDS.items()} | _KINDS
        settings = kinds.get(each.type, {}) | own
        if each.type in (int, int | None):
            settings['type'] = read
        if flags == ('',):
            flags = [each.name]
        else:
            settings['dest'] = each.name
        said = each.type is bool or '(default' in settings['help']
        if settings.get('default') and not said:
            settings['help'] += ' (default: %(default)s)'
        parser.add_argument(*flags, **settings)


HelpFormatter = functools.partial(
    argparse.RawDescriptionHelpFormatter, max_help_position=28, width=79
)
"""Keeps the line breaks of a description's examples."""


def parser_of(
    description: str | None, prog: str | None = None
) -> argparse.ArgumentParser:
    """A parser that shows a docstring."""
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


@dataclass(frozen=True)
class Command(Generic[Options]):
    """A console command: work that is given a dataclass of options.

    Args:
        options: The dataclass.
        program: Name of the command.
        mmpose: See :func:`.run.run`; or a function of the options.
        work: Its docstring is the help's description.
    """

    options: type[Options]
    program: str
    mmpose: bool | Callable[[Options], bool] | None
    work: Callable[[Options], object]

    def parser(self) -> argparse.ArgumentParser:
        """Of its command line."""
        parser = parser_of(inspect.getdoc(self.work), self.program)
        add_fields(parser, self.options)
        return parser

    def parse(self, argv: list[str] | None = None) -> Options:
        """The options of a command line."""
        found = vars(self.parser().parse_args(argv))
        del found['traceback']
        return self.options(**found)

    def __call__(self, argv: list[str] | None = None) -> int:
        """Run the command; returns the exit status."""
        options = self.parse(argv)
        needs = self.mmpose
        needed = needs(options) if callable(needs) else needs
        return run(self.work, options, needed)


def command(
    options: type[Options],
    program: str,
    mmpose: bool | Callable[[Options], bool] | None = False,
) -> Callable[[Callable[[Options], object]], Command[Options]]:
    """Makes a :class:`Command` of a function of options."""
    return functools.partial(Command, options, program, mmpose)


CONFIG_HELP = (
    "config file, or one of MMPose's own as mmpose::PATH, for example "
    'mmpose::body_2d_keypoint/topdown_heatmap/coco/'
    'td-hm_res50_8xb64-210e_coco-256x192.py'
)
ATTACK_HELP = (
    'an occlusion as KIND:NAME[:FILL[:SIZE][:PLACE]], for example '
    'keypoint:nose:black, keypoint:left_eye,right_eye:mean, part:head:noise, '
    'keypoint:nose:black:24 (radius in pixels of a crop 256 high), '
    'keypoint:nose:black:20%% (diameter, of the height of the bbox) or '
    'keypoint:nose:black:24:off_person (the same area elsewhere); '
    'several, each with its own --attack, act on the same crop in this order'
)


@dataclass(frozen=True)
class SkipOption:
    """What is done with unreadable images."""

    skip_unreadable: bool = option(
        'leave out and count images that cannot be read, which stop the '
        'command otherwise'
    )


@dataclass(frozen=True)
class CfgOptions:
    """Changes of a config."""

    cfg_options: dict[str, Any] = option(
        'override settings of the config, for example '
        'model.backbone.depth=18 or key="[a,b]" (no blanks)',
        nargs='+',
        type=config_pair,
    )


@dataclass(frozen=True)
class ConfigOptions(CfgOptions, SkipOption):
    """A config of MMPose."""

    config: str = position(CONFIG_HELP, 'config')


@dataclass(frozen=True)
class TrustOption:
    """What of a checkpoint is read."""

    trust_checkpoint: bool = option(
        'unpickle a checkpoint that contains more than weights, which '
        'runs any code in it: for files of your own'
    )


@dataclass(frozen=True)
class CheckpointOptions(TrustOption):
    """A checkpoint of MMPose."""

    checkpoint: str = position('checkpoint file or URL', 'checkpoint')


@dataclass(frozen=True)
class BoxOption:
    """Whose bboxes are used."""

    gt_boxes: bool = option("use annotated bboxes instead of a detector's")


@dataclass(frozen=True)
class AttackOptions(BoxOption):
    """Occlusions of a crop."""

    attack: list[str] = option(ATTACK_HELP, metavar='SPEC')


@dataclass(frozen=True)
class SampleOptions:
    """Which images, and which random draws."""

    max_images: int | None = option('use the first N images only', least=1)
    seed: int = option("of the attacks' random draws (default: 0)", default=0)


@dataclass(frozen=True)
class SuiteOptions(SampleOptions):
    """Many attacks."""

    suites: list[str] = option(
        'a list of attacks: its name (paper, ...), or a .json file of your '
        'own; several, each with its own --suite (default: occlusion-1.0, '
        'without --attack)',
        '--suite',
        metavar='NAME',
    )
    attacks: list[str] = option(
        'a further attack as KIND:NAME[:FILL[:SIZE][:PLACE]], for example '
        "'keypoint:*:black:10%%', which is each joint by itself; several, "
        'each with its own --attack',
        '--attack',
        metavar='SPEC',
    )


@dataclass(frozen=True)
class PredictorOptions:
    """Of a model of whole images."""

    predictor_options: dict[str, Any] = option(
        "an option of the model's adapter, for example padding=1.1; several, "
        'each with its own --predictor-option',
        '--predictor-option',
        type=pair,
    )


@dataclass(frozen=True)
class StoredRunOptions(SampleOptions, PredictorOptions, SkipOption):
    """A run whose predictions are stored, and the data of a model of whole
    images."""

    annotations: str | None = option(
        'COCO-style file of people with keypoints', metavar='FILE'
    )
    images: str | None = option(
        'folder that the file names in it are below', metavar='DIR'
    )
    detections: str | None = option(
        "a detector's COCO results, whose bboxes are given to the model in "
        'place of the annotated ones',
        metavar='FILE',
    )
    out: str = option('folder of the results', required=True, metavar='DIR')
    dry_run: bool = option(
        'print how many predictions are missing; nothing is stored'
    )
    resume: bool = option(
        'use the predictions of this run in DIR (the default); --no-resume '
        'deletes them',
        action=argparse.BooleanOptionalAction,
        default=True,
    )
    batch_size: int | None = option(
        'maximum number of crops in a forward pass (default: 32 on a CPU, 64 '
        'elsewhere), or of whole images in a call (16); predictions of '
        'another size are stored apart',
        least=1,
    )
    num_workers: int | None = option(
        "processes that make crops (default: the config's), or that predict "
        'whole images (default: this one)',
        '--workers',
        '--num-workers',
    )
    timeout: float | None = option(
        'seconds that a model of whole images may take for a call; it then '
        'runs in a process of its own'
    )


@dataclass(frozen=True)
class LaunchOptions:
    """Distributed runs."""

    launcher: str = option(
        'what started this process (see tools/dist_*.sh)',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none',
    )
    local_rank: int = option(
        argparse.SUPPRESS, '--local_rank', '--local-rank', default=0
    )
