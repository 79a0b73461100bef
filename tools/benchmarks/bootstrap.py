"""How long the bootstrap of one attack takes.

    OMP_NUM_THREADS=1 python tools/benchmarks/bootstrap.py

makes up a set of the size of COCO's val2017, with 2,346 images and 6,352
people, an attack on one joint, and prints the seconds of processor time that
the report takes for it.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """The sizes."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('--images', type=int, default=2346)
    parser.add_argument('--people', type=int, default=6352)
    parser.add_argument('--draws', type=int, default=1000)
    return parser.parse_args(argv)


def make_run(images: int, people: int):
    """A run of a model that errs by some pixels, and more under attack."""
    from mmpose_occlusion.benchmark.data import (
        Attacked,
        BenchmarkRun,
        Boxes,
        Joints,
        Predictions,
    )

    generator = np.random.default_rng(0)
    image = np.sort(
        np.concatenate(
            [
                np.arange(images),
                generator.integers(0, images, max(0, people - images)),
            ]
        )
    )
    count = len(image)
    corner = generator.uniform(0, 500, (count, 2))
    size = generator.uniform(40, 200, (count, 1)) * (1, 2)
    truth = (
        corner[:, None]
        + generator.uniform(size=(count, 17, 2)) * (size[:, None])
    )
    boxes = np.concatenate([corner, corner + size], axis=1)
    visible = generator.choice([0, 2], (count, 17), p=[0.3, 0.7])
    visible[:, 5] = 2
    spread = generator.gamma(2, 0.02, (count, 1, 1)) * size[:, None, 1:]
    scores = generator.uniform(0.3, 1, (count, 17)).astype(np.float32)

    def predict(factor: float) -> Predictions:
        noise = generator.normal(size=truth.shape) * spread * factor
        return Predictions((truth + noise).astype(np.float32), scores)

    changed = visible[:, 0] > 0
    targets = np.zeros((count, 17), bool)
    targets[:, 0] = changed
    clean, attacked = predict(1), predict(1.3)
    keypoints = np.where(
        changed[:, None, None], attacked.keypoints, clean.keypoints
    )
    xywh = np.concatenate([corner, size], axis=1)
    anns = [
        dict(
            id=i,
            image_id=int(image[i]),
            category_id=1,
            bbox=xywh[i].tolist(),
            area=float(np.prod(size[i]) * 0.6),
            iscrowd=0,
            keypoints=np.column_stack([truth[i], visible[i]]).ravel().tolist(),
        )
        for i in range(count)
    ]
    return BenchmarkRun(
        model='made-up',
        data='made-up',
        joints=Joints(
            names=['nose', *(f'joint {i}' for i in range(1, 17))],
            sigmas=np.full(17, 0.07),
            flip=np.arange(17),
            links=[],
            parts={},
        ),
        boxes=Boxes(
            image_ids=image,
            instance_ids=np.arange(count),
            boxes=boxes,
            scores=np.ones(count),
            truth=np.where(visible[..., None] > 0, truth, np.nan),
            visible=visible.astype(np.int8),
            areas=np.prod(size, axis=1) * 0.6,
            person_boxes=boxes,
            head_sizes=np.full(count, np.nan),
        ),
        people=anns,
        evaluation={},
        crop_size=(192, 256),
        clean=clean,
        attacks=[
            Attacked(
                name='keypoint:nose:black',
                suite='paper',
                config=dict(
                    type='KeypointOcclusion', target='nose', fill='black'
                ),
                details={},
                predictions=Predictions(keypoints, scores),
                changed=changed,
                excluded=np.zeros(count, bool),
                targets=targets,
                bystanders=np.zeros_like(targets),
                pixels=np.where(changed, 113, 0),
            )
        ],
    )


def main(argv: list[str] | None = None) -> None:
    """Time it and print JSON."""
    from mmpose_occlusion.benchmark.analysis.attack_costs import attack_cost
    from mmpose_occlusion.benchmark.analysis.run_measures import RunMeasures

    args = parse_args(argv)
    run = make_run(args.images, args.people)
    measures = RunMeasures(run, args.draws)
    attack = run.attacks[0]
    start = time.process_time()
    measures.clean(attack.changed)
    middle = time.process_time()
    measures.attacked(attack, attack.changed)
    end = time.process_time()
    found = attack_cost(measures, attack)
    done = time.process_time()
    print(
        json.dumps(
            dict(
                images=args.images,
                people=len(run.boxes),
                attacked=found.people,
                draws=args.draws,
                clean_s=round(middle - start, 2),
                attacked_s=round(end - middle, 2),
                joints_and_failures_s=round(done - end, 2),
                whole_attack_s=round(done - start, 2),
                AP_clean=round(found.clean['AP'].value, 3),
                AP_attacked=round(found.attacked['AP'].value, 3),
            ),
            indent=1,
        )
    )


if __name__ == '__main__':
    main()
