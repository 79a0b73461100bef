"""One crop, many attacks: each image is decoded and warped once."""

from collections.abc import Callable, Sequence
from typing import Any

from mmengine.config import Config
from mmengine.dataset import Compose
from mmpose.registry import DATASETS, TRANSFORMS
from torch.utils.data import Dataset

from mmpose_occlusion.attacks import (
    RECORD_KEY,
    attack_name,
    split_pipeline,
    with_occlusion_record,
)
from mmpose_occlusion.datasets.transforms.scene import annotated
from mmpose_occlusion.datasets.wrappers import match_detections
from mmpose_occlusion.occluders import labelled_joints

ATTACK_KEY = 'attack_index'
"""Key in a data sample's metainfo: -1 is the clean crop."""

CLEAN = -1


class AttackedCrops(Dataset):
    """A data set's crops, clean and under each attack that changes them.

    Args:
        crops: Data set whose pipeline ends with the crop.
        attacks: The occlusion transforms, each with its attack's name.
        finish: The rest of the pipeline; it packs the sample.
    """

    def __init__(
        self,
        crops: Dataset,
        attacks: Sequence[tuple[str, Callable[[dict], dict]]],
        finish: Callable[[dict], dict],
    ) -> None:
        self.crops = crops
        self.names = [name for name, _ in attacks]
        self.attacks = [attack for _, attack in attacks]
        self.finish = finish

    def __len__(self) -> int:
        return len(self.crops)

    def __getitem__(self, index: int) -> dict[str, Any]:
        """All views of one crop.

        Returns:
            ``views``: list of packed samples, the clean one first, each
            with its attack's index in its metainfo; ``records``: one list
            of records for every attack, whether it changed the crop or not;
            ``person``: who it is, see :func:`person_of`.
        """
        crop = self.crops[index]
        views = [self._pack(dict(crop), CLEAN)]
        records = []
        for number, attack in enumerate(self.attacks):
            attacked = attack(dict(crop))
            records.append(attacked[RECORD_KEY])
            if any(record['pixels'] for record in attacked[RECORD_KEY]):
                views.append(self._pack(attacked, number))
        return dict(views=views, records=records, person=person_of(crop))

    def _pack(self, results: dict, number: int) -> dict:
        packed = self.finish(results)
        packed['data_samples'].set_metainfo({ATTACK_KEY: number})
        return packed


def person_of(crop: dict) -> dict[str, Any]:
    """The annotation of the person in a crop.

    Returns:
        ``joints`` (K, 2) in image pixels, ``labelled`` (K,) bool and ``box``
        (4,) xyxy. In a detector's box they are those of its person; a box of
        nobody has no labelled joints, and its own box.
    """
    person = annotated(crop)
    source = crop if person is None else person
    labelled = labelled_joints(source['keypoints_visible'])[0]
    return dict(
        joints=source['keypoints'][0],
        labelled=labelled & (person is not None),
        box=source['bbox'][0],
    )


def build_crops(
    cfg: Config, attacks: Sequence[dict], seed: int = 0
) -> AttackedCrops:
    """The test crops of an MMPose config under attacks.

    Args:
        cfg: The config; its ``test_dataloader`` is used.
        attacks: Transform configs; one without a seed gets ``seed``.
        seed: Of what an attack leaves to chance.
    """
    dataset = cfg.test_dataloader.dataset.to_dict()
    before, after = split_pipeline(dataset['pipeline'])
    built = [
        (attack_name(a), TRANSFORMS.build(dict(dict(seed=seed), **a)))
        for a in attacks
    ]
    return AttackedCrops(
        DATASETS.build(match_detections(dict(dataset, pipeline=before))),
        built,
        Compose(with_occlusion_record(after)),
    )
