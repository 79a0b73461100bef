"""Link, check and convert the data of the experiments.

    python projects/tilting_at_windmills/prepare_data.py link data [INTO]

links COCO and MPII in the reference's layout (coco/images/train2017,
mpii/annot/train.json, ...) to the names that MMPose's configs read, in the
same folder or in the folder INTO.

    python projects/tilting_at_windmills/prepare_data.py check data [CONFIGS]

says what is below the folder, what is missing or damaged, and which configs
can run: those named, or all of this project's. The exit status is 0 if all
named configs can run completely; without names, if one can and no file
is damaged.

    python projects/tilting_at_windmills/prepare_data.py mpii \\
        mpii_human_pose_v1_u12_1.mat data/mpii/annotations [--val NAMES]

writes mpii_trainval.json and mpii_test.json from MPII's release. MPII does
not say which training images to validate on: with NAMES, a text file of
image names or an annotation file such as valid.json, it also writes
mpii_train.json, mpii_val.json and mpii_gt_val.mat.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / 'tools'))

import _cli


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=_cli.HelpFormatter
    )
    commands = parser.add_subparsers(required=True, metavar='COMMAND')
    link = commands.add_parser('link', help="link to MMPose's names")
    link.add_argument('folder', nargs='?', default='data')
    link.add_argument('into', nargs='?', help='default: the same folder')
    link.set_defaults(work=link_data)
    check = commands.add_parser('check', help='what exists, what can run')
    check.add_argument('folder', nargs='?', default='data')
    check.add_argument(
        'configs',
        nargs='*',
        metavar='CONFIG',
        help="config files, or MMPose's own as mmpose::PATH (default: all "
        'below configs/)',
    )
    check.set_defaults(work=check_data)
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


def link_data(args: argparse.Namespace) -> None:
    """Make the links and print them."""
    from data_layout import link

    from mmpose_occlusion.errors import UsageError

    if not Path(args.folder).is_dir():
        raise UsageError(
            f'"{args.folder}" is not a folder: name the one that holds coco/ '
            'and mpii/'
        )
    for target, source in link(args.folder, args.into or args.folder).items():
        print(f'{target} -> {source}')


def check_data(args: argparse.Namespace) -> None:
    """Print the tables and set the exit status."""
    from data_check import MISSING, OK, DataCheck, report

    configs = args.configs or own_configs()
    check = DataCheck(args.folder)
    for config in configs:
        check.add(config)
    print(report(check))
    able = [check.runs_wholly(config) for config in configs]
    good = all(able)
    if not args.configs:
        states = {finding.state for finding in check.findings.values()}
        good = any(able) and states <= {OK, MISSING}
    args.status = 0 if good else 1


def own_configs() -> list[str]:
    """This project's configs, relative to the working folder if inside."""
    here = Path.cwd()
    folder = _cli.ROOT / 'configs/body_2d_keypoint'
    return [
        str(path.relative_to(here) if path.is_relative_to(here) else path)
        for path in sorted(folder.rglob('*.py'))
    ]


def convert_mpii(args: argparse.Namespace) -> None:
    """Write MPII's annotation files."""
    from mpii_release import read_release, read_split, write_annotations

    from mmpose_occlusion.errors import UsageError

    for path in filter(None, (args.mat, args.val)):
        if not Path(path).is_file():
            raise UsageError(f'file "{path}" does not exist')
    val_images = read_split(args.val) if args.val else ()
    print(f'reading {args.mat} (a minute for the whole release)')
    people = list(read_release(args.mat))
    written = write_annotations(people, args.out, val_images)
    for name, count in written.items():
        print(f'{Path(args.out) / name}: {count:,} people')


def main(argv: list[str] | None = None) -> int:
    """Run the tool; returns the exit status."""
    args = parse_args(argv)
    args.status = 0
    return _cli.run(args.work, args) or args.status


if __name__ == '__main__':
    sys.exit(main())
