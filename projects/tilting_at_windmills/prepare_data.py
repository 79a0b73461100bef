"""Link, check and convert the data of the experiments.

    python projects/tilting_at_windmills/prepare_data.py link data [INTO]

links COCO and MPII in the reference's layout (coco/images/train2017,
mpii/annot/train.json, ...) to the names that MMPose's configs read, in the
same folder or in the folder INTO.

    python projects/tilting_at_windmills/prepare_data.py check data [CONFIGS]

says which configs can run with the data in the folder, and what the others
lack: those named, or all of this project's. The exit status is 0 if all named
configs can run completely; without names, if one can.

    python projects/tilting_at_windmills/prepare_data.py mpii \\
        mpii_human_pose_v1_u12_1.mat data/mpii/annotations [--val NAMES]

writes mpii_trainval.json and mpii_test.json from MPII's release. MPII does
not say which training images to validate on: with NAMES, a text file of
image names or an annotation file such as valid.json, it also writes
mpii_train.json, mpii_val.json and mpii_gt_val.mat.
"""

import argparse
import json
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

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
    check = commands.add_parser('check', help='which configs can run')
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

    for target, source in link(args.folder, args.into or args.folder).items():
        print(f'{target} -> {source}')


def own_configs() -> list[str]:
    """This project's configs."""
    folder = _cli.ROOT / 'configs/body_2d_keypoint'
    return sorted(map(os.path.relpath, folder.rglob('*.py')))


def check_data(args: argparse.Namespace) -> None:
    """Print a table of configs and what they lack; set the exit status."""
    from mmpose_occlusion.engine.config import SPLITS, load_config
    from mmpose_occlusion.errors import UsageError

    if not Path(args.folder).is_dir():
        raise UsageError(
            f'"{args.folder}" is not a folder: name the one that holds coco/ '
            'and mpii/'
        )
    known: dict[tuple[str, ...], list[str]] = {}
    numbers: dict[str, str] = {}
    rows, able = [('config', *SPLITS, 'lacks')], []
    for config in args.configs or own_configs():
        try:
            cfg = load_config(config)
            splits = [s for s in SPLITS if cfg.get(f'{s}_dataloader')]
        except Exception as error:  # whatever a config's own code raises
            found = dict.fromkeys(SPLITS, (f'it cannot be read: {error}',))
        else:
            found = {s: faults(cfg, s, args.folder, known) for s in splits}
        words = {split: 'no' if found[split] else 'yes' for split in found}
        lacks = dict.fromkeys(text for each in found.values() for text in each)
        for text in lacks:
            numbers.setdefault(text, f'#{len(numbers) + 1}')
        names = ' '.join(numbers[text] for text in lacks)
        rows.append((config, *(words.get(s, '-') for s in SPLITS), names))
        able.append(not lacks)
    for text, number in numbers.items():
        print(f'{number} {text}')
    width = max(len(config) for config, *_ in rows)
    for config, *cells in rows:
        line = ' '.join(f'{cell:5}' for cell in cells)
        print(f'{config:{width}} {line}'.rstrip())
    args.status = int(not (all if args.configs else any)(able))


def faults(cfg, split: str, folder: str, known: dict) -> list[str]:
    """What keeps a split from running on the data in a folder, in sentences.

    Args:
        known: Earlier answers by the files that are read; extended.
    """
    from mmengine.config import Config

    from mmpose_occlusion.engine.data_files import data_files

    keys = f'{split}_dataloader', f'{split}_evaluator'
    text = json.dumps({key: cfg.get(key) for key in keys})
    cfg = Config(json.loads(text.replace('"data/', f'"{folder}/')))
    files = {f.key: os.path.normpath(f.path) for f in data_files(cfg, split)}
    answer = known.get(tuple(files.values()))
    if answer is None:
        answer = [
            _missing(path, folder)
            for path in dict.fromkeys(files.values())
            if not os.path.exists(path)
        ]
        answer = answer or list(_damages(cfg, split, files))
        known[tuple(files.values())] = answer
    return answer


def _missing(path: str, folder: str) -> str:
    from data_layout import find

    found = find(folder, os.path.relpath(path, folder))
    if found:
        return f'{path} is at {found}: run "prepare_data.py link"'
    made = '; "prepare_data.py mpii" makes it from MPII\'s release'
    return f'{path} does not exist{made if "/mpii_" in path else ""}'


def _damages(cfg, split: str, files: dict[str, str]):
    """Annotations that cannot be used, and images that are not there."""
    from mmpose_occlusion.engine.data_files import check_annotations

    with TemporaryDirectory() as cfg.work_dir:
        try:
            check_annotations(cfg, split)
        except ValueError as error:
            yield str(error)
            return
    for key, folder in files.items():
        owner, is_images, _ = key.partition('.data_prefix.')
        if not is_images or f'{owner}.ann_file' not in files:
            continue
        path = files[f'{owner}.ann_file']
        data = json.loads(Path(path).read_text(encoding='utf-8'))
        coco = isinstance(data, dict)
        name = 'file_name' if coco else 'image'
        try:
            names = {each[name] for each in (data['images'] if coco else data)}
        except (KeyError, TypeError):
            yield f'{path} is a list of entries without "{name}"'
            continue
        sizes = (Path(folder, each) for each in names)
        missing = [f for f in sizes if not f.is_file() or not f.stat().st_size]
        if missing:
            yield (
                f'{len(missing):,} of {len(names):,} images of {path} are '
                f'missing or empty, such as {min(missing)}'
            )


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
