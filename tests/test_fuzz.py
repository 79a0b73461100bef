"""Random damage to what users write: each is read, or refused in a sentence.

OCCLUSION_FUZZ=N makes N cases of each kind.
"""

import copy
import json
import os
import random

import pytest

from mmpose_occlusion.benchmark.annotation_file import read_annotations
from mmpose_occlusion.benchmark.checked_files import read_detections
from mmpose_occlusion.benchmark.data import load_runs
from mmpose_occlusion.benchmark.report import results_file
from mmpose_occlusion.benchmark.report.formatting import csv_text
from mmpose_occlusion.benchmark.suite import load_suites
from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.occlusion import parse_attack
from mmpose_occlusion.skeleton import Skeleton, joint_names
from tests.broken_files import coco_people

CASES = int(os.environ.get('OCCLUSION_FUZZ', 300))
COCO = Skeleton(joint_names('coco'))

WORDS = [
    *('keypoint', 'part', '*', 'random', 'random_all', 'nose', 'head', ''),
    *('black', 'blur', '10%', '24', '-1', 'nan', 'inf', '1e999', '0%', '101%'),
    *('on_person', 'decoy', 'offset=', 'offset=nan', 'offset=1e9', 'target'),
    *('uncovered', ',', ':', '\\', '%', ' ', '\0', 'é', '9' * 400, '1e-320%'),
]
ODD = [
    *(None, True, False, 0, -1, 1, 3, 2**60, 10**400, 1e308),
    *(float('nan'), float('inf'), '', '1', 'x', '\0', 'é' * 300),
    *([], {}, [[]], [None], {'a': 1}, [1, 2, 3, 4]),
]

PEOPLE = coco_people(segmentation=[[1, 1, 5, 5, 9, 1]])
BOXES = [dict(image_id=1, category_id=1, bbox=[1, 2, 20, 20], score=0.5)] * 2
SUITE = dict(
    description='d',
    attacks=[
        'keypoint:nose:black',
        dict(type='PartOcclusion', target='head'),
        dict(
            name='n {target}',
            attack=['part:head:blur', 'keypoint:nose'],
            targets=['nose'],
            severity=0.1,
        ),
    ],
)
NUMBER = dict(value=0.5, low=0.4, high=0.6)
RESULTS = dict(
    format=1,
    results=[
        dict(
            **dict(model='m', data='d', measure='AP', suite='s'),
            **dict(checksum='c', clean=NUMBER, mpc=NUMBER, rpc=NUMBER),
            protocol='p',
        )
    ],
)
RUN = dict(
    **dict(format=2, key='k', edges=[0, 1], people='p.npz'),
    **dict(model='m', data='d'),
)


def places(value, path=()):
    yield path
    entries = ()
    if isinstance(value, dict):
        entries = value.items()
    elif isinstance(value, list):
        entries = list(enumerate(value))[:25]
    for key, inner in entries:
        yield from places(inner, (*path, key))


def damaged(value, rng):
    """A copy of which one to three values are removed or replaced."""
    value = copy.deepcopy(value)
    for _ in range(rng.randrange(1, 4)):
        *path, last = rng.choice(list(places(value))) or ('',)
        inner = value
        for key in path:
            inner = inner[key]
        odd = copy.deepcopy(rng.choice(ODD))
        if last == '':
            value = odd if rng.random() < 0.1 else value
        elif rng.random() < 0.25:
            del inner[last]
        else:
            inner[last] = odd
    return value


def read_people(path):
    from mmpose_occlusion.engine.data_files import corrected

    found = read_annotations(path)
    for image in found.images.values():
        image['width'] = image['width'] or 5
        image['height'] = image['height'] or 5
    corrected(found)


def read_boxes(path):
    people = path.with_name('people.json')
    people.write_text(json.dumps(PEOPLE))
    read_detections(path, read_annotations(people))


def read_results(path):
    found = results_file.read_results(str(path))
    for table in (results_file.markdown, results_file.latex, csv_text):
        table(found)


KINDS = dict(
    people=(PEOPLE, read_people),
    boxes=(BOXES, read_boxes),
    suite=(SUITE, lambda path: load_suites([str(path)], [], COCO)),
    results=(RESULTS, read_results),
    run=(RUN, lambda path: load_runs(path.parents[2])),
)


@pytest.mark.parametrize('kind', KINDS)
def test_files(kind, tmp_path):
    good, read = KINDS[kind]
    rng = random.Random(kind)
    folder = tmp_path / 'store' / 'k'
    folder.mkdir(parents=True)
    path = folder / ('run.json' if kind == 'run' else 'x.json')
    refused = []
    for _ in range(CASES):
        path.write_text(json.dumps(damaged(good, rng)))
        try:
            read(path)
        except UsageError as error:
            refused.append(str(error))
        except Exception as error:
            raise AssertionError(path.read_text()) from error
    assert len(refused) > CASES / 10
    assert not [text for text in refused if '\n' in text]


def test_attacks():
    rng = random.Random(0)
    good = 0
    for _ in range(CASES):
        text = ''.join(
            rng.choice(WORDS) + rng.choice([':', ':', ',', ''])
            for _ in range(rng.randrange(9))
        )
        if rng.random() < 0.5:
            text = f'keypoint:nose:black:{text}'
        try:
            attack = parse_attack(text)
            attack.check(COCO)
            for each in attack.expand(COCO):
                each.occlusion()
        except ValueError:
            continue
        except Exception as error:
            raise AssertionError(text) from error
        assert parse_attack(str(attack)) == attack
        good += 1
    assert good
