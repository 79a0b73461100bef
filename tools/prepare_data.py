"""Look at the data on disk, and convert MPII's release.

    python tools/prepare_data.py check data
    python tools/prepare_data.py check data CONFIG [CONFIG ...]

says what is there below the folder `data`, what is missing or damaged, and
which configs can run: those named, or all of this project's. COCO and MPII
are found in MMPose's layout and in that of the reference code, images also
in a zip archive. The exit status is 0 if all named configs can run wholly;
without names, if one can run wholly and nothing that is there is damaged.

    python tools/prepare_data.py options CONFIG

prints the --cfg-options with which tools other than this project's own,
which find the data by themselves, read them where they lie:

    python TRAIN.py CONFIG $(python tools/prepare_data.py options CONFIG)

    python tools/prepare_data.py mpii mpii_human_pose_v1_u12_1.mat \\
        data/mpii/annotations [--val NAMES]

writes mpii_trainval.json and mpii_test.json out of MPII's release. MPII says
nothing of which training images to validate on: with NAMES, a text file of
image names or an annotation file such as valid.json, it also writes
mpii_train.json, mpii_val.json and mpii_gt_val.mat.
"""

import argparse
import sys
from pathlib import Path

import _cli


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=_cli.HelpFormatter
    )
    commands = parser.add_subparsers(required=True, metavar='COMMAND')
    check = commands.add_parser('check', help='what is there, what can run')
    check.add_argument(
        'folder', nargs='?', default='data', help='default: %(default)s'
    )
    check.add_argument(
        'configs',
        nargs='*',
        metavar='CONFIG',
        help="config files, or MMPose's own as mmpose::PATH (default: all "
        'below configs/)',
    )
    check.set_defaults(work=check_data)
    options = commands.add_parser(
        'options', help='print --cfg-options for other tools'
    )
    options.add_argument('config', metavar='CONFIG')
    _cli.add_cfg_options(options)
    options.set_defaults(work=print_options)
    mpii = commands.add_parser('mpii', help="convert MPII's release")
    mpii.add_argument('mat', metavar='MAT', help="MPII's release")
    mpii.add_argument('out', metavar='OUT', help='folder of the JSON files')
    mpii.add_argument(
        '--val',
        metavar='NAMES',
        help='file with the names of the images to validate on',
    )
    mpii.set_defaults(work=convert_mpii)
    return parser.parse_args(argv)


def check_data(args: argparse.Namespace) -> None:
    """Print the tables and set the exit status."""
    from mmpose_occlusion.datasets.inventory import MISSING, OK
    from mmpose_occlusion.engine.data_check import Checker, report

    configs = args.configs or _own_configs()
    checker = Checker(args.folder, lambda text: print(text, file=sys.stderr))
    checked = checker.check(configs)
    print(report(checked))
    able = [checked.runs_wholly(name) for name in configs]
    good = all(able)
    if not args.configs:
        states = {finding.state for finding in checked.findings.values()}
        good = any(able) and states <= {OK, MISSING}
    args.status = 0 if good else 1


def _own_configs() -> list[str]:
    """This project's configs, by their paths from here where they are."""
    paths = sorted((_cli.ROOT / 'configs').rglob('*.py'))
    here = Path.cwd()
    return [
        str(path.relative_to(here) if path.is_relative_to(here) else path)
        for path in paths
        if '_base_' not in path.parts
    ]


def print_options(args: argparse.Namespace) -> None:
    """Print the options, or nothing where the config needs none."""
    import shlex

    from mmpose_occlusion.engine.config import load_config
    from mmpose_occlusion.engine.data_files import find_data

    cfg = load_config(args.config, args.cfg_options, find_data=False)
    changes, moved = find_data(cfg)
    imported = (cfg.get('custom_imports') or {}).get('imports', [])
    zipped = [p for p in moved.values() if p.startswith('zip://')]
    if zipped and 'mmpose_occlusion' not in imported:
        print(
            f'{zipped[0]} can be read by configs that say custom_imports = '
            "dict(imports=['mmpose_occlusion']), which this one does not",
            file=sys.stderr,
        )
    if changes:
        pairs = (shlex.quote(f'{key}={changes[key]}') for key in changes)
        print('--cfg-options', *pairs)


def convert_mpii(args: argparse.Namespace) -> None:
    """Write MPII's annotation files."""
    from mmpose_occlusion.datasets.mpii_mat import (
        read_release,
        read_split,
        write_annotations,
    )
    from mmpose_occlusion.errors import UsageError

    for path in filter(None, (args.mat, args.val)):
        if not Path(path).is_file():
            raise UsageError(f'file "{path}" does not exist')
    try:
        val_images = read_split(args.val) if args.val else ()
        print(f'reading {args.mat} (a minute for the whole release)')
        people = list(read_release(args.mat))
        written = write_annotations(people, args.out, val_images)
    except (ValueError, FileExistsError) as error:
        raise UsageError(str(error)) from error
    for name, count in written.items():
        print(f'{Path(args.out) / name}: {count:,} people')


def main(argv: list[str] | None = None) -> int:
    """Run the tool; returns the exit status."""
    args = parse_args(argv)
    args.status = 0
    return _cli.run(args.work, args) or args.status


if __name__ == '__main__':
    sys.exit(main())
