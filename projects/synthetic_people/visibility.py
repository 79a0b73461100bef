"""How well a model's visibility output tells hidden joints from visible ones.

    python tools/test.py CONFIG CHECKPOINT \\
        --attack keypoint:random:object:20% --dump predictions.pkl
    python projects/synthetic_people/visibility.py predictions.pkl

prints the AUROC of the visibility head's output and of the heatmap's score:
labelled joints under the paint against visible ones (v = 2, not under paint).
Give a file of your own: unpickling runs the code in it.
"""

import pickle
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from mmpose_occlusion.metrics.confidence import ScoredKeypoints
from mmpose_occlusion.skeleton import COCO_JOINTS


def main() -> None:
    """Print both figures."""
    if len(sys.argv) != 2:
        sys.exit(f'usage: {sys.argv[0]} predictions.pkl')
    parts = []
    for sample in pickle.loads(Path(sys.argv[1]).read_bytes()):
        guess = sample['pred_instances']
        visible = np.array(sample['raw_ann_info']['keypoints'][2::3]) == 2
        hidden = np.zeros(len(visible), bool)
        for record in sample['occlusions']:
            for _, name in record['targets'] + record['bystanders']:
                hidden[COCO_JOINTS.index(name)] = True
        rows = guess['keypoints_visible'], guess['keypoint_scores'], [hidden]
        parts.append([np.asarray(row)[0][visible | hidden] for row in rows])
    visible, scores, hidden = map(np.concatenate, zip(*parts, strict=True))
    print(f'{(~hidden).sum():,} visible and {hidden.sum():,} hidden joints')
    for name, values in (('visibility', visible), ('score', scores)):
        (auroc,) = ScoredKeypoints(values, ~hidden).auroc()
        print(f'AUROC of the {name}: {auroc:.3f}')


if __name__ == '__main__':
    main()
