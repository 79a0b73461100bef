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
    from mmpose_occlusion.transforms import (
        KeypointOcclusion,
        PartOcclusion,
    )

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
    kinds = {
        'one joint': (KeypointOcclusion, skeleton.names, dict(size=6)),
        'one part': (
            PartOcclusion,
            skeleton.parts,
            dict(remove_keypoints=True),
        ),
    }
    print('| hidden | rules | painted | px | covers its joints | removed |')
    print('|---|---|---:|---:|---:|---:|')
    for what, (transform, targets, options) in kinds.items():
        for paper_exact in (True, False):
            attacks = [
                transform(
                    target, fill='black', paper_exact=paper_exact, **options
                )
                for target in targets
            ]
            _print_row(what, paper_exact, attacks, crops, skeleton)


def _print_row(what, paper_exact, attacks, crops, skeleton) -> None:
    """One kind of target under one set of rules, over all people."""
    from mmpose_occlusion.occlusion import CorrectedRules, labelled_joints

    tried = painted = pixels = own = covered = removed = 0
    for index in range(len(crops)):
        crop = crops[index]
        available = CorrectedRules().available(
            skeleton.names,
            crop['transformed_keypoints'][0].tolist(),
            labelled_joints(crop['keypoints_visible'])[0].tolist(),
            crop['img'].shape,
        )
        for attack in attacks:
            wanted = {attack.target} & available.keys()
            if attack.kind == 'part':
                wanted = set(skeleton.parts[attack.target]) & available.keys()
            if not wanted:
                continue
            (record,) = attack(dict(crop))['occlusions']
            tried += 1
            painted += record['pixels'] > 0
            pixels += record['pixels']
            own += len(wanted)
            hidden = record['targets'] + record['bystanders']
            covered += len(wanted & {joint for _, joint in hidden})
            removed += len(record['removed'])
    rules = 'reference' if paper_exact else 'corrected'
    print(
        f'| {what} | {rules} | {painted / tried:.1%} '
        f'| {pixels / max(painted, 1):,.0f} | {covered / own:.1%} '
        f'| {removed / tried:.2f} |'
    )


def main(argv: list[str] | None = None) -> int:
    """Run the tool; returns the exit status."""
    return _cli.run(measure, parse_args(argv))


if __name__ == '__main__':
    sys.exit(main())
