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
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / 'tools'))

import _cli

from mmpose_occlusion.errors import UsageError

NAMES: dict[str, tuple[str, ...]] = {
    'coco/annotations': (),
    'coco/person_detection_results': (),
    'coco/train2017': ('coco/images/train2017',),
    'coco/val2017': ('coco/images/val2017',),
    'coco/test2017': ('coco/images/test2017',),
    'mpii/images': (),
    'mpii/annotations/mpii_train.json': ('mpii/annot/train.json',),
    'mpii/annotations/mpii_val.json': ('mpii/annot/valid.json',),
    'mpii/annotations/mpii_trainval.json': ('mpii/annot/trainval.json',),
    'mpii/annotations/mpii_test.json': ('mpii/annot/test.json',),
    'mpii/annotations/mpii_gt_val.mat': (
        'mpii/annot/gt_valid.mat',
        'mpii/gt_valid.mat',
    ),
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
        if source is None or source == target or target.exists():
            continue
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            start = target.parent.resolve()
            real = source.parent.resolve() / source.name
            target.symlink_to(os.path.relpath(real, start))
        except OSError as error:
            raise UsageError(
                f'"{target}" cannot be linked to "{source}" '
                f'({error.strerror}): choose another folder for the links'
            ) from error
        made[target] = source
    return made


def link_data(args: argparse.Namespace) -> None:
    """Make the links and print them."""
    for target, source in link(args.folder, args.into or args.folder).items():
        print(f'{target} -> {source}')


def convert_mpii(args: argparse.Namespace) -> None:
    """Write MPII's annotation files."""
    from mpii_release import read_release, read_split, write_annotations

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
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar='COMMAND')
    links = commands.add_parser('link', help="link to MMPose's names")
    links.add_argument('folder', nargs='?', default='data')
    links.add_argument('into', nargs='?', help='default: the same folder')
    links.set_defaults(work=link_data)
    mpii = commands.add_parser('mpii', help="convert MPII's release")
    mpii.add_argument('mat', metavar='MAT', help="MPII's release")
    mpii.add_argument('out', metavar='OUT', help='folder of the JSON files')
    mpii.add_argument(
        '--val', metavar='NAMES', help='names of the images to validate on'
    )
    mpii.set_defaults(work=convert_mpii)
    args = parser.parse_args(argv)
    return _cli.run(args.work, args)


if __name__ == '__main__':
    sys.exit(main())
