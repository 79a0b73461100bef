"""Measure what the reference's defects change, on synthetic people.

    python projects/synthetic_people/make.py
    python projects/tilting_at_windmills/deviations.py

Hides every joint and part of every person once as the reference did
(``paper_exact=True``) and once as it should be, on 256×192 crops, and prints
a table in Markdown.
"""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / 'tools'))

import _cli  # noqa: E402


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=_cli.HelpFormatter
    )
    parser.add_argument(
        '--data',
        default='data/synthetic_people',
        metavar='DIR',
        help='folder of the synthetic people (default: %(default)s)',
    )
    return parser.parse_args(argv)


def measure(args: argparse.Namespace) -> None:
    """Go over the crops of the test set and print the table."""
    from mmengine.registry import init_default_scope
    from mmpose.datasets import CocoDataset

    from mmpose_occlusion.errors import UsageError
    from mmpose_occlusion.skeleton import Skeleton
    from mmpose_occlusion.transforms import KeypointOcclusion, PartOcclusion

    init_default_scope('mmpose')
    annotations = Path(args.data) / 'annotations/person_keypoints_val.json'
    if not annotations.is_file():
        raise UsageError(
            f'{annotations} does not exist: make the people with '
            f'python projects/synthetic_people/make.py --out {args.data}'
        )
    crops = CocoDataset(
        ann_file=str(annotations),
        data_prefix=dict(img=f'{args.data}/val/'),
        pipeline=[
            dict(type='LoadImage'),
            dict(type='GetBBoxCenterScale'),
            dict(type='TopdownAffine', input_size=(192, 256)),
        ],
    )
    skeleton = Skeleton.from_metainfo(crops.metainfo)
    joints = {name: [name] for name in skeleton.names}
    print('| hidden | rules | painted | px | covers its joints | removed |')
    print('|---|---|---:|---:|---:|---:|')
    for what, transform, targets, options in (
        ('one joint', KeypointOcclusion, joints, dict(size=6)),
        (
            'one part',
            PartOcclusion,
            skeleton.parts,
            dict(remove_keypoints=True),
        ),
    ):
        for rules in ('reference', 'corrected'):
            options |= dict(paper_exact=rules == 'reference', fill='black')
            attacks = {
                transform(name, **options): own
                for name, own in targets.items()
            }
            print(f'| {what} | {rules} {_row(attacks, crops, skeleton)}')


def _row(attacks: dict, crops, skeleton) -> str:
    """Cells of one kind of target under one set of rules, over all people.

    Args:
        attacks: Transform -> the target's own joints.
    """
    from mmpose_occlusion.occlusion import labelled_joints
    from mmpose_occlusion.occlusion.rules import (
        CorrectedRules,
        person_from_joints,
    )

    tried = painted = pixels = own = covered = removed = 0
    for crop in map(crops.__getitem__, range(len(crops))):
        shape = crop['img'].shape
        person = person_from_joints(
            CorrectedRules(),
            skeleton,
            crop['transformed_keypoints'][0],
            labelled_joints(crop['keypoints_visible'])[0],
            shape,
            shape[0],
        )
        for attack, joints in attacks.items():
            wanted = person.points.keys() & joints
            if not wanted:
                continue
            (record,) = attack(dict(crop))['occlusions']
            hidden = record['targets'] + record['bystanders']
            tried += 1
            painted += record['pixels'] > 0
            pixels += record['pixels']
            own += len(wanted)
            covered += len(wanted & {joint for _, joint in hidden})
            removed += len(record['removed'])
    return (
        f'| {painted / tried:.1%} | {pixels / max(painted, 1):,.0f} '
        f'| {covered / own:.1%} | {removed / tried:.2f} |'
    )


def main(argv: list[str] | None = None) -> int:
    """Run the tool; returns the exit status."""
    return _cli.run(measure, parse_args(argv))


if __name__ == '__main__':
    sys.exit(main())
