"""Small broken files of every kind that commands read.

python -m tests.broken_files FOLDER
"""

import copy
import json
import sys
from pathlib import Path

from mmpose_occlusion.predictors.protocol import named_joints

NAMES = list(named_joints('coco'))


def predict(images, boxes):
    """A predictor, never reached: its data are broken."""
    raise AssertionError


def coco_people(**changes):
    """A good file of one person, whose annotation can be changed."""
    keypoints = [float(i) for k in range(17) for i in (k + 5, 2 * k + 5, 2)]
    person = dict(
        id=1,
        image_id=1,
        category_id=1,
        bbox=[2, 2, 30, 40],
        area=600,
        iscrowd=0,
        num_keypoints=17,
        keypoints=keypoints,
    )
    person = {k: v for k, v in {**person, **changes}.items() if v is not ...}
    return dict(
        images=[dict(id=1, file_name='a.png', width=50, height=50)],
        annotations=[person],
        categories=[dict(id=1, name='person', keypoints=list(NAMES))],
    )


def _changed(part, **changes):
    out = coco_people()
    entry = {**out[part][0], **changes}
    out[part][0] = {k: v for k, v in entry.items() if v is not ...}
    return out


def _twice(part):
    out = coco_people()
    out[part] *= 2
    return out


ANNOTATIONS = {
    'empty': '',
    'truncated': json.dumps(coco_people())[:200],
    'binary': b'\x89PNG\xff\xfe',
    'nested': '[' * 100_000,
    'list': [],
    'number': 3,
    'no_images': {**coco_people(), 'images': []},
    'images_null': {**coco_people(), 'images': None},
    'no_people': {**coco_people(), 'annotations': []},
    'people_null': {**coco_people(), 'annotations': [None]},
    'crowds': coco_people(iscrowd=1),
    'no_labels': coco_people(keypoints=[0.0] * 51, num_keypoints=0),
    'keypoints_missing': coco_people(keypoints=...),
    'keypoints_null': coco_people(keypoints=None),
    'keypoints_text': coco_people(keypoints='here'),
    'keypoints_pairs': coco_people(keypoints=[1.0] * 34),
    'keypoints_16': coco_people(keypoints=[1.0] * 48),
    'keypoints_5': coco_people(keypoints=[1.0] * 15),
    'keypoints_nested_text': coco_people(keypoints=[['a', 'b', 'c']] * 17),
    'keypoints_nan': coco_people(keypoints=[float('nan')] * 51),
    'unknown_image': coco_people(image_id=7),
    'image_id_list': coco_people(image_id=[1]),
    'image_without_name': _changed('images', file_name=...),
    'image_without_id': _changed('images', id=...),
    'two_people_of_one_id': _twice('annotations'),
    'two_images_of_one_id': _twice('images'),
    'name_twice': _changed('categories', keypoints=['nose'] * 17),
    'cvat_tracks': coco_people(keypoints=[], bbox=[0, 0, 0, 0]),
    'other_category': coco_people(category_id=9),
    'keypoints_huge': coco_people(keypoints=[10**400] * 51),
}
"""Annotation files that cannot be used."""

_BOX = dict(image_id=1, category_id=1, bbox=[1, 2, 20, 20], score=0.5)

DETECTIONS = {
    'empty': '',
    'truncated': json.dumps([_BOX])[:30],
    'dict': dict(annotations=[_BOX]),
    'no_boxes': [],
    'text': ['box'],
    'unknown_images': [dict(_BOX, image_id=5)],
    'image_null': [dict(_BOX, image_id=None)],
    'no_score': [{k: v for k, v in _BOX.items() if k != 'score'}],
    'score_null': [dict(_BOX, score=None)],
    'box_nan': [dict(_BOX, bbox=[1, 2, float('nan'), 4])],
    'box_empty': [dict(_BOX, bbox=[1, 2, 0, 4])],
    'box_huge': [dict(_BOX, bbox=[1, 2, 10**400, 4])],
    'score_huge': [dict(_BOX, score=10**400)],
    'box_null': [dict(_BOX, bbox=None)],
    'other_category': [dict(_BOX, category_id=18)],
}

CONFIGS = {
    'syntax.py': 'model = dict(',
    'raises.py': '1 / 0',
    'itself.py': "_base_ = ['itself.py']",
    'no_base.py': "_base_ = ['nowhere.py']",
    'empty.py': '',
    'binary.py': b'\x00\xff\xfe',
    'list.json': '[1, 2]',
    'number.yaml': '3',
    'null.json': 'null',
    'text.txt': 'model',
    'odd_types.py': (
        "test_dataloader = dict(dataset=dict(type='NoData'))\n"
        "model = dict(type='NoModel')"
    ),
}

SUITES = {
    'empty': '',
    'list': [],
    'no_attacks': {},
    'attacks_null': dict(attacks=None),
    'attack_number': dict(attacks=[3]),
    'attack_empty': dict(attacks=[[]]),
    'type_list': dict(attacks=[dict(type=[1], target='head')]),
    'target_number': dict(attacks=[dict(type='PartOcclusion', target=0.5)]),
    'unknown_joint': dict(attacks=['keypoint:tail:black']),
    'unknown_fill': dict(attacks=['keypoint:nose:plaid']),
    'unknown_key': dict(attacks=[dict(atack='keypoint:nose:black')]),
}

STORES = {
    'empty': '',
    'list': [],
    'other_format': dict(format=1),
    'no_edges': dict(format=2),
    'edges_text': dict(format=2, edges='abc', key='k', people='p.npz'),
    'people_outside': dict(format=2, edges=[0, 1], people='../../x.npz'),
}
"""``run.json`` of a benchmark's store."""


_RESULT = [dict(image_id=1, keypoints=[1.0] * 51, score=1.0)]

DOCUMENTS = {
    'empty': '',
    'truncated': '{"format": 1, "results"',
    'binary': b'\x89PNG\xff\xfe',
    'nested': '[' * 100_000,
    'list': [],
    'number': 3,
    'null': None,
    'number_list': [3],
    'no_fields': {},
    'other_format': dict(format=99),
    'only_format': dict(format=1),
    'results_null': dict(format=1, results=None),
    'results_number': dict(format=1, results=[3]),
    'models_null': dict(models=None),
    'models_number': dict(models=[3]),
    'models_empty': dict(models=[]),
    'people_null': dict(search=dict(size='10%', fill='black'), people=None),
    'people_text': dict(search=dict(size='10%', fill='black'), people='ab'),
    'search_number': dict(search=1, people=[]),
    'manifest_null': dict(
        format=1, keypoint_names=None, people='one', images=None, attacks=None
    ),
    'manifest_text': dict(
        format=1, keypoint_names='nose', people=1, images='x', attacks='y'
    ),
    'other_results': [dict(_RESULT[0], image_id=7)],
    'results_text': [dict(_RESULT[0], keypoints='here')],
    'results_short': [dict(_RESULT[0], keypoints=[1.0])],
    'score_text': [dict(_RESULT[0], score='much')],
    'keypoints_texts': [dict(_RESULT[0], keypoints=['x'] * 51)],
    'image_list': [dict(_RESULT[0], image_id=[1])],
}
"""No results, reports, manifests, places nor lists of models."""


def write_files(folder):
    """Write all of them: ``KIND/NAME``, and a good ``people.json``."""
    folder = Path(folder)
    kinds = dict(annotations=ANNOTATIONS, detections=DETECTIONS, suites=SUITES)
    files = {
        f'{kind}/{name}.json': content
        for kind, table in kinds.items()
        for name, content in table.items()
    }
    files |= {f'configs/{name}': text for name, text in CONFIGS.items()}
    for name, content in STORES.items():
        files[f'stores/{name}/store/key/run.json'] = content
    for name, content in DOCUMENTS.items():
        files[f'documents/{name}.json'] = content
        files[f'manifests/{name}/manifest.json'] = content
        # of the only attack of the good export
        files[f'results/{name}/0000_clean.json'] = content
    files['results.json'] = _RESULT
    files['export/manifest.json'] = dict(
        format=1,
        arguments={},
        people='one',
        keypoint_names=NAMES,
        attacks=[dict(name='clean', folder='0000_clean')],
        images=[
            dict(
                id=1,
                file_name='0000_clean/a.png',
                attack='clean',
                boxes=[[2, 2, 32, 42]],
                content='',
            )
        ],
    )
    files['zoo.yml'] = [dict(name='own', model='tests.broken_files:predict')]
    files['people.json'] = coco_people()
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        elif isinstance(content, str):
            path.write_text(content)
        else:
            path.write_text(json.dumps(copy.deepcopy(content)))
    return folder


if __name__ == '__main__':
    write_files(sys.argv[1])
