"""Options of commands: dataclasses, from which their arguments are made.

Nothing heavy is imported here, so that ``--help`` answers quickly.
"""

import argparse
import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any, Generic, TypeVar, get_args

from .run import robust_output, run

Options = TypeVar('Options')
Needs = bool | Callable[[Any], bool | None] | None


def option(text: str, *flags: str, least: int = 0, **settings: Any) -> Any:
    """A field that is an option of a command.

    Its type says how it is read: a bool is a switch, an int a whole number
    from ``least``, and a list may be given several times.

    Args:
        text: Of the help.
        flags: ``--name`` by default.
        least: Of a whole number.
        settings: Of argparse's ``add_argument``.
    """
    more = dict(settings, help=text, flags=flags, least=least)
    return field(metadata=more)


def position(text: str, metavar: str, **settings: Any) -> Any:
    """A field that is a positional argument."""
    return option(text, '', metavar=metavar, **settings)


def add_fields(parser: argparse.ArgumentParser, *classes: type) -> None:
    """Add the options of dataclasses to a parser."""
    for each in (f for cls in classes for f in fields(cls)):
        settings = dict(each.metadata)
        flags = settings.pop('flags') or [f'--{each.name.replace("_", "-")}']
        least = settings.pop('least')
        kinds = {each.type, *get_args(each.type)}
        if flags == ('',):
            flags = [each.name]
        else:
            settings['dest'] = each.name
            if each.type == list[str]:
                settings |= dict(action='append', default=[])
        if each.type is bool:
            settings.setdefault('action', 'store_true')
        elif int in kinds:
            settings = dict(type=whole_number(least), metavar='N') | settings
        elif float in kinds:
            settings = dict(type=float, metavar='S') | settings
        said = each.type is bool or '(default' in settings['help']
        if settings.get('default') and not said:
            settings['help'] += ' (default: %(default)s)'
        parser.add_argument(*flags, **settings)


@dataclass(frozen=True)
class Command(Generic[Options]):
    """A console command: work that is given a dataclass of options.

    Args:
        work: Its docstring is the help's description.
        options: The dataclass.
        program: Name of the command.
        mmpose: See :func:`.run.run`; or a function of the options.
    """

    work: Callable[[Options], object]
    options: type[Options]
    program: str
    mmpose: Needs

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
        mmpose = self.mmpose
        if callable(mmpose):
            mmpose = mmpose(options)
        return run(self.work, options, mmpose)


def command(
    options: type[Options],
    program: str,
    mmpose: Needs = False,
) -> Callable[[Callable[[Options], object]], Command[Options]]:
    """Makes a :class:`Command` of a function of options."""
    return functools.partial(
        Command, options=options, program=program, mmpose=mmpose
    )


class ConfigPairs(argparse.Action):
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


def key_value(text: str) -> tuple[str, str]:
    """A type of arguments: KEY=VALUE."""
    key, equals, value = text.partition('=')
    if not equals or not key:
        raise argparse.ArgumentTypeError(f'"{text}" is not KEY=VALUE')
    return key, value


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
        action=ConfigPairs,
        default={},
        metavar='KEY=VALUE',
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
class SuiteOptions:
    """Many attacks, and the images that they act on."""

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
class SampleOptions:
    """Which images, and which random draws."""

    max_images: int | None = option('use the first N images only', least=1)
    seed: int = option("of the attacks' random draws (default: 0)", default=0)


@dataclass(frozen=True)
class PredictorOptions:
    """Of a model of whole images."""

    predictor_options: list[tuple[str, str]] = option(
        "an option of the model's adapter, for example padding=1.1; several, "
        'each with its own --predictor-option',
        '--predictor-option',
        action='append',
        type=key_value,
        default=[],
        metavar='KEY=VALUE',
    )


@dataclass(frozen=True)
class DataOptions:
    """The data of a model of whole images."""

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


@dataclass(frozen=True)
class StoredRunOptions(SampleOptions):
    """A run whose predictions are stored."""

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
