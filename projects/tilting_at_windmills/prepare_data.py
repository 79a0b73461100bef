"""Link and convert the data of the experiments.

    python projects/tilting_at_windmills/prepare_data.py link data [INTO]

links COCO and MPII in the reference's layout (coco/images/train2017,
mpii/annot/train.json, ...) to the names that MMPose's configs read, for all
tools, in the same folder or in the folder INTO.

    python projects/tilting_at_windmills/prepare_data.py mpii \\
        mpii_human_pose_v1_u12_1.mat data/mpii/annotations [--val NAMES]

writes mpii_trainval.json and mpii_test.json from MPII's release. MPII does
not say which training images to validate on: with NAMES, a text file of
image names or an annotation file such as valid.json, it also writes
mpii_train.json, mpii_val.json and mpii_gt_val.mat.
"""

import argparse
import os
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / 'tools'))

import _cli

from mmpose_occlusion.errors import UsageError

NAMES: dict[str, list[str]] = {
    'coco/annotations': [],
    'coco/person_detection_results': [],
    'coco/train2017': ['coco/images/train2017'],
    'coco/val2017': ['coco/images/val2017'],
    'coco/test2017': ['coco/images/test2017'],
    'mpii/images': [],
    'mpii/annotations/mpii_train.json': ['mpii/annot/train.json'],
    'mpii/annotations/mpii_val.json': ['mpii/annot/valid.json'],
    'mpii/annotations/mpii_trainval.json': ['mpii/annot/trainval.json'],
    'mpii/annotations/mpii_test.json': ['mpii/annot/test.json'],
    'mpii/annotations/mpii_gt_val.mat': [
        'mpii/annot/gt_valid.mat',
        'mpii/gt_valid.mat',
    ],
}
"""MMPose's name below the data folder -> the reference's."""


def link(folder: str | Path, into: str | Path) -> dict[Path, Path]:
    """Link what lies in a data folder, in either layout, to MMPose's names.

    Args:
        folder: The data folder.
        into: The folder of the links; may be the same.

    Returns:
        Link -> what it leads to. Names that exist already are left alone.
    """
    if not Path(folder).is_dir():
        raise UsageError(
            f'"{folder}" is not a folder: name the one that holds coco/ and '
            'mpii/'
        )
    made = {}
    for name, others in NAMES.items():
        found = [Path(folder, n) for n in (name, *others)]
        source = next((path for path in found if path.exists()), None)
        target = Path(into) / name
        if source is None or target.exists():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        real = source.parent.resolve() / source.name
        target.symlink_to(os.path.relpath(real, target.parent.resolve()))
        made[target] = source
    return made


def prepare(args: argparse.Namespace) -> None:
    """Do what a command line says."""
    if args.command == 'link':
        made = link(args.folder, args.into or args.folder)
        for target, source in made.items():
            print(f'{target} -> {source}')
        return
    from mpii_release import read_release, write_annotations

    text = Path(args.val).read_text() if args.val else ''
    names = set(re.findall(r'[^"\s]+\.jpg', text))
    if args.val and not names:
        raise UsageError(f'"{args.val}" names no images (.jpg)')
    print(f'reading {args.mat} (a minute for the whole release)')
    people = list(read_release(args.mat))
    for name, count in write_annotations(people, args.out, names).items():
        print(f'{Path(args.out) / name}: {count:,} people')


def main(argv: list[str] | None = None) -> int:
    """Run the tool; returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(
        required=True, dest='command', metavar='COMMAND'
    )
    links = commands.add_parser('link', help="link to MMPose's names")
    links.add_argument('folder', nargs='?', default='data')
    links.add_argument('into', nargs='?', help='default: the same folder')
    mpii = commands.add_parser('mpii', help="convert MPII's release")
    mpii.add_argument('mat', metavar='MAT', help="MPII's release")
    mpii.add_argument('out', metavar='OUT', help='folder of the JSON files')
    mpii.add_argument(
        '--val', metavar='NAMES', help='names of the images to validate on'
    )
    return _cli.run(prepare, parser.parse_args(argv))


if __name__ == '__main__':
    sys.exit(main())
