"""The forced-occlusion comparison over two runs on the same boxes."""

import numpy as np
import pytest
from mmengine.evaluator import Evaluator

from mmpose_occlusion.datasets.detection_matching import match_detections
from mmpose_occlusion.engine.pipelines import insert_attacks
from mmpose_occlusion.evaluation import ForcedOcclusionMetric
from mmpose_occlusion.evaluation.forced_occlusion import (
    load_predictions,
    save_predictions,
)
from tests.test_evaluation.runs import (
    build,
    photographs,
    samples,
    synthetic,
    truth,
)

SOME = dict(type='PartOcclusion', target='random', fill='black', prob=0.5)
NOSE = dict(type='KeypointOcclusion', target='nose', fill='black')


def attacked(cfg, attack):
    pipeline = insert_attacks(cfg['pipeline'], [attack])
    cfg = match_detections(dict(cfg, pipeline=pipeline))
    return build(cfg)


def run(dataset, found, **options):
    evaluator = Evaluator(dict(type='ForcedOcclusionMetric', **options))
    evaluator.dataset_meta = dataset.metainfo
    evaluator.metrics[0].process(None, found)
    result = evaluator.evaluate(len(found))
    return {key.removeprefix('occlusion/'): v for key, v in result.items()}


def compare(tmp_path, cfg, attack, clean, under_attack, **options):
    """Metrics of a model, given by its predictions in both runs."""
    dataset = build(match_detections(cfg))
    path = str(tmp_path / 'clean.npz')
    assert run(dataset, samples(dataset, clean), save=path) == {}
    dataset = attacked(cfg, attack)
    found = samples(dataset, under_attack)
    return dataset, run(dataset, found, clean=path, **options)


def hidden_joints(dataset):
    """Joints under paint of each record."""
    samples_ = [dataset[i]['data_samples'] for i in range(len(dataset))]
    return [
        [joint for _, joint in record['targets'] + record['bystanders']]
        for sample in samples_
        for record in sample.metainfo['occlusions']
        if record['pixels']
    ]


def test_three_models(synthetic_people, tmp_path):
    """Finds hidden joints, does not, loses visible ones as well."""
    cfg = synthetic(synthetic_people)
    index = build(cfg).metainfo['keypoint_name2id']

    def lost(sample):
        joints = truth(sample).copy()
        for record in sample['occlusions']:
            for _, joint in record['targets'] + record['bystanders']:
                joints[0, index[joint]] += 5000
        return joints

    dataset, blind = compare(tmp_path, cfg, SOME, truth, lost)
    hidden = hidden_joints(dataset)
    assert blind['people'] == len(hidden)
    assert 0 < len(hidden) < len(dataset)
    under_paint = blind['target_joints'] + blind['bystander_joints']
    assert under_paint == sum(map(len, hidden)) > 0
    assert blind['target_joints'] > 0
    assert blind['AP_clean'] == pytest.approx(1)
    assert blind['AP_forced'] == blind['AP_attacked'] < 0.9
    assert blind['OKS_forced'] == blind['OKS_attacked'] < 1
    assert blind['recovered'] == pytest.approx(0)
    assert blind['target_PCK_clean'] == 1
    assert blind['target_PCK_attacked'] == 0
    assert blind['visible_PCK_clean'] == blind['visible_PCK_attacked'] == 1
    _, keen = compare(tmp_path / 'a', cfg, SOME, truth, truth)
    assert keen['AP_attacked'] == pytest.approx(1)
    assert keen['AP_forced'] == blind['AP_forced']
    assert keen['recovered'] == pytest.approx(1)
    _, dead = compare(
        tmp_path / 'b', cfg, SOME, truth, lambda s: truth(s) + 5000
    )
    assert dead['AP_attacked'] == 0
    assert dead['recovered'] < -1
    assert dead['visible_PCK_attacked'] == 0


def test_people_who_were_not_attacked_do_not_count(synthetic_people, tmp_path):
    """Their predictions are wrong in both runs."""
    cfg = synthetic(synthetic_people)

    def wrong_on_others(sample):
        records = dataset[order[sample['id']]]['data_samples'].occlusions
        if records[0]['pixels']:
            return truth(sample)
        return truth(sample) + 30

    dataset = attacked(cfg, SOME)
    order = {dataset.get_data_info(i)['id']: i for i in range(len(dataset))}
    _, result = compare(tmp_path, cfg, SOME, wrong_on_others, wrong_on_others)
    assert 0 < result['people'] < len(dataset)
    assert result['target_PCK_clean'] == result['visible_PCK_clean'] == 1
    assert result['AP_clean'] == result['AP_attacked'] == pytest.approx(1)


def test_boxes_of_a_detector(real_data, tmp_path):
    """Twelve have joints, eleven of these a nose; 104 boxes are unmatched."""
    cfg = photographs(real_data, 'coco', detected=True)
    people = build(match_detections(cfg))

    def predict(sample):
        person = people.matched_person(sample['id'])
        return person.get('keypoints', np.full((1, 17, 2), -500.0))

    dataset, result = compare(tmp_path, cfg, NOSE, predict, predict)
    hidden = hidden_joints(dataset)
    assert result['people'] == len(hidden) == 11
    assert result['target_joints'] == 11  # the noses, and eyes beside them
    assert result['bystander_joints'] == sum(map(len, hidden)) - 11
    assert all('nose' in joints for joints in hidden)
    assert result['recovered'] == pytest.approx(1)
    assert result['AP_forced'] < result['AP_clean'] == result['AP_attacked']


def test_a_run_in_which_no_person_was_attacked(synthetic_people, tmp_path):
    dataset = build(synthetic(synthetic_people))
    path = str(tmp_path / 'clean.npz')
    run(dataset, samples(dataset, truth), save=path)
    never = dict(type='KeypointOcclusion', target='random', prob=0.0)
    dataset = attacked(synthetic(synthetic_people), never)
    assert run(dataset, samples(dataset, truth), clean=path) == {'people': 0}


@pytest.fixture
def one(synthetic_people, tmp_path):
    """A data set of one sample and its clean predictions."""
    cfg = dict(synthetic(synthetic_people), indices=1)
    dataset = build(cfg)
    path = str(tmp_path / 'clean.npz')
    run(dataset, samples(dataset, truth), save=path)
    return cfg, path


def test_a_run_without_attack_is_refused(one):
    cfg, path = one
    dataset = build(cfg)
    with pytest.raises(ValueError, match='no records of an attack'):
        run(dataset, samples(dataset, truth), clean=path)


def test_attacked_predictions_are_not_saved_as_clean(one, tmp_path):
    cfg, _ = one
    dataset = attacked(cfg, dict(type='PartOcclusion', target='corpus'))
    with pytest.raises(ValueError, match='was attacked; use clean=FILE'):
        run(dataset, samples(dataset, truth), save=str(tmp_path / 'b.npz'))


@pytest.mark.parametrize('change', ['id', 'box'])
def test_predictions_of_other_boxes_are_refused(one, change):
    cfg, path = one
    dataset = attacked(cfg, NOSE)
    found = samples(dataset, truth)
    if change == 'id':
        found[0]['id'] += 1000
    else:
        found[0]['pred_instances']['bboxes'] = (
            found[0]['pred_instances']['bboxes'] + 1
        )
    with pytest.raises(ValueError, match=r'clean\.npz has no prediction'):
        run(dataset, found, clean=path)


def test_models_without_crops_are_refused(one):
    cfg, path = one
    dataset = attacked(cfg, NOSE)
    found = samples(dataset, lambda s: np.repeat(truth(s), 2, axis=0))
    with pytest.raises(ValueError, match='top-down models'):
        run(dataset, found, clean=path)


@pytest.mark.parametrize('options', [{}, dict(clean='a', save='b')])
def test_one_of_two_files(options):
    with pytest.raises(ValueError, match='one of save=FILE'):
        ForcedOcclusionMetric(**options)


def prediction(seed):
    rng = np.random.default_rng(seed)
    return dict(
        keypoints=rng.normal(size=(17, 2)).astype(np.float32),
        keypoint_scores=rng.random(17, np.float32),
        bbox=rng.random(4, np.float32),
    )


def test_predictions_come_back(tmp_path):
    made = {('785', str(i)): prediction(i) for i in range(3)}
    made[('a/b', 'é')] = prediction(9)
    path = save_predictions(tmp_path / 'new' / 'clean.npz', made)
    found = load_predictions(path)
    assert found.keys() == made.keys()
    for key, entry in made.items():
        for name, value in entry.items():
            np.testing.assert_array_equal(found[key][name], value)


def test_predictions_are_not_overwritten(tmp_path):
    path = save_predictions(tmp_path / 'a.npz', {('1', '1'): prediction(0)})
    before = path.read_bytes()
    with pytest.raises(FileExistsError, match=r'a\.npz" exist already'):
        save_predictions(path, {})
    assert path.read_bytes() == before


@pytest.mark.parametrize('content', [b'', b'nonsense', 'pickle', 'other'])
def test_what_is_no_prediction_is_refused(tmp_path, content):
    path = tmp_path / 'a.npz'
    if content == 'pickle':
        np.savez(path, image=np.array([object()]))
    elif content == 'other':
        np.savez(path, image=np.array(['1']))
    else:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=r'a\.npz" holds no predictions'):
        load_predictions(path)
