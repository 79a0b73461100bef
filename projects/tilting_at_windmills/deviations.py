"""What the reference's defects change, on synthetic people."""

import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / 'tools'))

import _cli  # noqa: E402
from _cli import option  # noqa: E402


@dataclass(frozen=True)
class DataOption:
    """Whose occlusions are measured."""

    data: str = option(
        'folder of the synthetic people',
        default='data/synthetic_people',
        metavar='DIR',
    )


@_cli.command(DataOption, 'deviations.py', True)
def main(options: DataOption) -> None:
    """Measure what the reference's defects change, on synthetic people.

        python projects/synthetic_people/make.py
        python projects/tilting_at_windmills/deviations.py

    Hides every joint and part of every person once as the reference did
    (``paper_exact=True``) and once as it should be, on 256×192 crops, and
    prints a table in Markdown.
    """
    from mmengine.registry import init_default_scope
    from mmpose.datasets import CocoDataset

    from mmpose_occlusion.occlusion import labelled_joints
    from mmpose_occlusion.occlusion.rules import (
        CorrectedRules,
        person_from_joints,
    )
    from mmpose_occlusion.skeleton import Skeleton
    from mmpose_occlusion.transforms import KeypointOcclusion, PartOcclusion

    init_default_scope('mmpose')
    crops = CocoDataset(
        ann_file=f'{options.data}/annotations/person_keypoints_val.json',
        data_prefix=dict(img=f'{options.data}/val/'),
        pipeline=[
            dict(type='LoadImage'),
            dict(type='GetBBoxCenterScale'),
            dict(type='TopdownAffine', input_size=(192, 256)),
        ],
    )
    skeleton = Skeleton.from_metainfo(crops.metainfo)

    def row(attacks: list[tuple]) -> str:
        """Cells over all people; attacks with the target's own joints."""
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
            for attack, joints in attacks:
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

    print('| hidden | rules | painted | px | covers its joints | removed |')
    print('|---|---|---:|---:|---:|---:|')
    joints = {name: [name] for name in skeleton.names}
    discs, remove = dict(size=6), dict(remove_keypoints=True)
    for what, transform, targets, more in (
        ('one joint', KeypointOcclusion, joints, discs),
        ('one part', PartOcclusion, skeleton.parts, remove),
    ):
        for rules in ('reference', 'corrected'):
            exact = dict(more, paper_exact=rules == 'reference', fill='black')
            attacks = [(transform(n, **exact), j) for n, j in targets.items()]
            print(f'| {what} | {rules} {row(attacks)}')


if __name__ == '__main__':
    sys.exit(main())
