"""Options of commands: dataclasses, from which their arguments are made."""

import argparse
import functools
import inspect
from collections.abc import Callable
from dataclasses import Field, dataclass, field, fields
from typing import Annotated, Any, Literal, get_args, get_origin

from .run import robust_output, run


def option(text: str, *flags: str, **settings: Any) -> Any:
    """A field that is an option of a command, read as its type says.

    Args:
        text: Of the help.
        flags: ``--name`` by default.
        settings: Of argparse's ``add_argument``.
    """
    return field(metadata=dict(settings, help=text, flags=flags))


def position(text: str, metavar: str | None = None, **settings: Any) -> Any:
    """A field that is a positional argument."""
    return option(text, '', metavar=metavar, action='store', **settings)


def flags_of(each: Field) -> tuple[str, ...]:
    """Of an option; the name of a positional argument."""
    if each.metadata['flags'] == ('',):
        return (each.name,)
    return each.metadata['flags'] or (f'--{each.name.replace("_", "-")}',)


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


def whole_number(text: str, least: int = 0) -> int:
    """A type of arguments: whole numbers from ``least``."""
    if not text.isdecimal() or int(text) < least:
        raise argparse.ArgumentTypeError(
            f'"{text}" is not a whole number from {least} on'
        )
    return int(text)


File = Annotated[str, 'a file']
Folder = Annotated[str, 'a folder']
Count = Annotated[int, 'from 1']

_KINDS: dict[Any, dict[str, Any]] = {
    bool: dict(action='store_true'),
    int: dict(type=whole_number, metavar='N'),
    Count: dict(type=functools.partial(whole_number, least=1), metavar='N'),
    float: dict(type=float, metavar='S'),
    File: dict(metavar='FILE'),
    Folder: dict(metavar='DIR'),
    list[str]: dict(action='append', default=[]),
    dict[str, Any]: dict(action='append', default=[], metavar='KEY=VALUE'),
}
_KINDS |= {kind | None: settings for kind, settings in _KINDS.items()}


def _argument(each: Field) -> dict[str, Any]:
    """What argparse is told of a field."""
    settings = _KINDS.get(each.type, {}) | each.metadata
    del settings['flags']
    if get_origin(each.type) is Literal:
        settings['choices'] = get_args(each.type)
    if settings.get('action') == 'append':
        settings['help'] += '; can be repeated'
    elif settings.get('default') and '(default' not in settings['help']:
        settings['help'] += ' (default: %(default)s)'
    if flags_of(each)[0].startswith('-'):
        settings.setdefault('dest', each.name)
        given = settings.keys() & {'action', 'default', 'required'}
        if each.type in (str, File, Folder) and not given:
            settings['required'] = True
    return settings


@dataclass(frozen=True)
class Command:
    """A console command: work that is given a dataclass of options.

    Args:
        options: The dataclass.
        program: Name of the command.
        mmpose: See :func:`.run.run`.
        work: Its docstring is the help's description.
    """

    options: Any
    program: str
    mmpose: bool | None
    work: Callable[[Any], object]

    def parser(self) -> argparse.ArgumentParser:
        """Of its command line."""
        robust_output()
        parser = argparse.ArgumentParser(
            prog=self.program,
            description=inspect.getdoc(self.work),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        parser.add_argument(
            '--traceback',
            action='store_true',
            help='show where an error was raised, before its sentence',
        )
        for each in fields(self.options):
            parser.add_argument(*flags_of(each), **_argument(each))
        return parser

    def parse(self, argv: list[str] | None = None) -> Any:
        """The options of a command line."""
        found = vars(self.parser().parse_args(argv))
        del found['traceback']
        for each in fields(self.options):
            if each.type == dict[str, Any]:
                found[each.name] = dict(found[each.name])
        return self.options(**found)

    def __call__(self, argv: list[str] | None = None) -> int:
        """Run the command; returns the exit status."""
        return run(self.work, self.parse(argv), self.mmpose)


def command(
    options: type, program: str, mmpose: bool | None = False
) -> Callable[[Callable[[Any], object]], Command]:
    """Makes a :class:`Command` of a function of options."""
    return functools.partial(Command, options, program, mmpose)


CONFIG_HELP = "config file, or one of MMPose's own as mmpose::PATH"
BOX_HELP = "use annotated bboxes instead of a detector's"
ATTACK_HELP = (
    'an occlusion as KIND:NAME[:FILL[:SIZE][:PLACE]], for example '
    'keypoint:nose:black, keypoint:left_eye,right_eye:mean, part:head:noise, '
    'keypoint:nose:black:24 (radius in pixels of a crop 256 high), '
    'keypoint:nose:black:20%% (diameter, of the height of the bbox) or '
    'keypoint:nose:black:24:off_person (the same area elsewhere)'
)
PEOPLE_HELP = 'COCO-style file of people with keypoints'
IMAGES_HELP = 'folder that the file names in it are below'


@dataclass(frozen=True)
class SkipOption:
    skip_unreadable: bool = option('leave out images that cannot be read')


@dataclass(frozen=True)
class CfgOptions:
    cfg_options: dict[str, Any] = option(
        'override settings of the config, for example '
        'model.backbone.depth=18 or key="[a,b]" (no blanks)',
        action='extend',
        nargs='+',
        type=config_pair,
    )


@dataclass(frozen=True)
class ConfigOptions(CfgOptions, SkipOption):
    config: str = position(CONFIG_HELP)


@dataclass(frozen=True)
class AttackOptions:
    gt_boxes: bool = option(BOX_HELP)
    attack: list[str] = option(
        f'{ATTACK_HELP}; several act on the same crop in this order',
        metavar='SPEC',
    )


@dataclass(frozen=True)
class SampleOptions:
    max_images: Count | None = option('use the first N images only')
    seed: int = option("of the attacks' random draws (default: 0)", default=0)


@dataclass(frozen=True)
class SuiteOptions(SampleOptions):
    suites: list[str] = option(
        'a list of attacks: its name (paper, ...) or a .json file of your own '
        '(default: occlusion-1.0, without --attack)',
        '--suite',
        metavar='NAME',
    )
    attacks: list[str] = option(
        f"{ATTACK_HELP}, or 'keypoint:*:black:10%%', which is each joint by "
        'itself',
        '--attack',
        metavar='SPEC',
    )


@dataclass(frozen=True)
class PredictorOptions:
    predictor_options: dict[str, Any] = option(
        "an option of the model's adapter, for example padding=1.1",
        '--predictor-option',
        type=pair,
    )


@dataclass(frozen=True)
class DataOptions:
    annotations: File | None = option(PEOPLE_HELP)
    images: Folder | None = option(IMAGES_HELP)
    detections: File | None = option(
        "a detector's COCO results, whose bboxes replace the annotated ones"
    )


@dataclass(frozen=True)
class ImageModelOptions(PredictorOptions, DataOptions):
    timeout: float | None = option(
        'seconds that a call of a model of whole images may take'
    )


@dataclass(frozen=True)
class RunOptions:
    out: Folder = option('folder of the results')
    num_workers: int | None = option(
        'processes that make crops, or predict whole images',
        '--workers',
        '--num-workers',
    )


@dataclass(frozen=True)
class StoredRunOptions(SampleOptions, SkipOption, RunOptions):
    dry_run: bool = option('only print how many predictions are missing')
    resume: bool = option(
        "delete this run's predictions in DIR, which are used otherwise",
        '--no-resume',
        action='store_false',
    )
    batch_size: Count | None = option(
        'maximum number of crops in a forward pass (default: 32 on a CPU, 64 '
        'elsewhere), or of whole images in a call (16)'
    )


@dataclass(frozen=True)
class CheckpointOptions:
    trust_checkpoint: bool = option(
        'unpickle a checkpoint, which runs any code in it: for your own files'
    )
    launcher: Literal['none', 'pytorch', 'slurm', 'mpi'] = option(
        'what started this process (see tools/dist_*.sh)', default='none'
    )
    local_rank: int = option(
        argparse.SUPPRESS, '--local_rank', '--local-rank', default=0
    )
