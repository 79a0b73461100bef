"""The loop: bit-identical predictions, and no forward pass too many."""

import contextlib
import errno
import json
import os
import signal
import time

import numpy as np
import pytest
import torch
from filelock import FileLock
from mmengine.dataset import pseudo_collate
from mmpose.datasets.transforms import LoadImage
from mmpose.registry import DATASETS, MODELS

from mmpose_occlusion import files
from mmpose_occlusion.benchmark import work
from mmpose_occlusion.benchmark.data import load_runs
from mmpose_occlusion.benchmark.store import RunStore
from mmpose_occlusion.benchmark.work import LOCK
from mmpose_occlusion.cli.run import explain
from mmpose_occlusion.engine.pipelines import insert_attacks
from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.files import TEMPORARY
from mmpose_occlusion.occlusion import parse_attack
from mmpose_occlusion.predictors.mmpose_crops import (
    CropAttack,
    CropBlocks,
    inputs_of,
)
from mmpose_occlusion.predictors.mmpose_loop import (
    OcclusionBenchmarkLoop,
)

from .planted import PlantedModel
from .small import ATTACKS, Counting, assert_same, config, loop, network, run

pytestmark = pytest.mark.usefixtures('scope')


@pytest.fixture(autouse=True)
def one_batch_at_a_time():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope='module')
def cfg(synthetic_people):
    return config(synthetic_people)


@pytest.fixture(scope='module')
def model():
    return network()


@pytest.fixture(scope='module')
def expected(cfg, model, tmp_path_factory):
    """One process, no workers, one batch at a time."""
    out = tmp_path_factory.mktemp('expected')
    return run(cfg, model, out)[0]


def test_workers_and_threads_change_no_bit(cfg, model, expected, tmp_path):
    torch.set_num_threads(3)
    found, _ = run(cfg, model, tmp_path, num_workers=2)
    assert_same(found, expected)
    # and the network's answers do depend on the pictures
    nose = expected.attacks[0]
    moved = nose.predictions.keypoints != expected.clean.keypoints
    assert moved.any(axis=(1, 2)).sum() > nose.changed.sum() / 2 > 1
    assert len(np.unique(expected.clean.keypoints[:, 0], axis=0)) > 5


def test_workers_change_no_bit_on_every_device(cfg, device, tmp_path):
    model = network().to(device)
    found = [
        run(cfg, model, tmp_path / str(number), num_workers=number)[0]
        for number in (0, 2)
    ]
    assert_same(*found)


def test_predictions_are_those_of_an_ordinary_test(cfg, model, expected):
    """MMPose's own pipeline and step, with the attack in the pipeline."""
    dataset = cfg.test_dataloader.dataset.to_dict()
    for attack in [None, *expected.attacks]:
        configs = [parse_attack(attack.name).to_config()] if attack else []
        pipeline = insert_attacks(dataset['pipeline'], configs, seed=0)
        plain = DATASETS.build(dict(dataset, pipeline=pipeline))
        with torch.no_grad():
            samples = model.test_step(
                pseudo_collate([plain[i] for i in range(len(plain))])
            )
        want = [s.pred_instances.keypoints[0] for s in samples]
        found = attack.predictions if attack else expected.clean
        assert found.keypoints == pytest.approx(np.array(want), abs=1e-2)
        if attack:
            records = [s.metainfo['occlusions'][0] for s in samples]
            assert attack.pixels.tolist() == [r['pixels'] for r in records]
            names = expected.joints.names
            for key in ('targets', 'bystanders'):
                assert [
                    np.flatnonzero(row).tolist() for row in vars(attack)[key]
                ] == [
                    sorted(names.index(joint) for _, joint in r[key])
                    for r in records
                ]
            assert attack.targets.any()


def test_visibility_outputs_are_kept(synthetic_people, tmp_path):
    cfg = config(synthetic_people)
    cfg.model.head = dict(
        type='VisPredictHead',
        pose_cfg=cfg.model.head,
        loss=dict(type='BCELoss', use_target_weight=True, use_sigmoid=True),
    )
    torch.manual_seed(0)
    model = MODELS.build(cfg.model.to_dict()).eval()
    found, _ = run(cfg, model, tmp_path, ATTACKS[:1])
    plain = DATASETS.build(cfg.test_dataloader.dataset.to_dict())
    with torch.no_grad():
        samples = model.test_step(
            pseudo_collate([plain[i] for i in range(len(plain))])
        )
    want = [s.pred_instances.keypoints_visible[0] for s in samples]
    seen = found.clean.visibility
    assert seen == pytest.approx(np.array(want), abs=1e-5)
    assert len(np.unique(seen)) > 17
    nose = found.attacks[0]
    changed = nose.predictions.visibility != seen
    assert changed.any(axis=1).tolist() == nose.changed.tolist()


def test_centres_of_discs_are_stored(cfg, model, tmp_path):
    disc = 'keypoint:nose:black:20%'
    attacks = (disc, f'{disc}:offset=0.5', f'{disc}:decoy', 'part:head:black')
    found, _ = run(cfg, model, tmp_path, attacks)
    nose = found.boxes.truth[:, 0]
    height = found.boxes.boxes[:, 3] - found.boxes.boxes[:, 1]
    centred, offset, decoy, part = found.attacks
    assert part.centres is None
    # radii, within half a pixel of a crop of 64 rows
    for attack, low, high in (
        (centred, 0, 0),
        (offset, 0, 0.5),
        (decoy, 1, 3),
    ):
        assert np.isfinite(attack.centres[attack.changed]).all()
        assert np.isnan(attack.centres[~attack.changed]).all()
        away = np.linalg.norm(attack.centres - nose, axis=1) / (height / 10)
        away = away[attack.changed]
        assert len(away)
        assert (away >= low - 0.15).all()
        assert (away <= high + 0.15).all()


def test_crops_are_those_of_the_ordinary_pipeline(cfg, model, tmp_path):
    made = loop(cfg, model, tmp_path)
    dataset = cfg.test_dataloader.dataset.to_dict()
    attacks = {a.key: CropAttack(a.config, 0) for a in made.attacks}
    todo = [work.Work(made.blocks[0], tuple(attacks))]
    crops = CropBlocks(made.crops, attacks, made.skeleton, todo)[0]
    for key, spec in zip(attacks, ATTACKS, strict=True):
        pipeline = insert_attacks(
            dataset['pipeline'], [parse_attack(spec).to_config()], seed=0
        )
        plain = DATASETS.build(dict(dataset, pipeline=pipeline))
        for row, crop in enumerate(crops):
            (inputs,) = inputs_of([crop], key)
            assert torch.equal(inputs, plain[row]['inputs'])


def test_weights_outside_of_the_model(synthetic_people, tmp_path):
    """A file that the config names, and an identity that a module states."""
    cfg = config(synthetic_people)
    weights = tmp_path / 'model.onnx'
    cfg.model.data_preprocessor.weights_file = str(weights)
    model, out = network(), tmp_path / 'out'
    passes = []
    for content, said in ('a', None), ('a', None), ('b', None), ('b', 'v2'):
        weights.write_text(content)
        if said:
            model.head.occlusion_identity = lambda said=said: said
        passes.append(run(cfg, model, out, ATTACKS[:1])[1])
    assert passes == [passes[0], 0, passes[0], passes[0]]
    assert len(list(out.glob('store/*/run.json'))) == 3


def test_each_image_is_read_once(cfg, model, tmp_path, monkeypatch):
    read = []
    load = LoadImage.transform

    def count(self, results):
        if 'img' not in results:
            read.append(results['img_path'])
        return load(self, results)

    monkeypatch.setattr(LoadImage, 'transform', count)
    found, _ = run(cfg, model, tmp_path)
    assert len(read) == len(set(read)) == len(set(found.boxes.image_ids))
    assert len(found.boxes) > len(read)


def test_only_changed_crops_go_through_the_network(cfg, model, tmp_path):
    counting = Counting(model)
    found, passes = run(cfg, counting, tmp_path)
    changed = sum(int(attack.changed.sum()) for attack in found.attacks)
    assert sum(counting.batches) == passes == len(found.boxes) + changed
    assert changed < len(ATTACKS) * len(found.boxes)
    assert max(counting.batches) <= 4
    for attack in found.attacks:
        same = ~attack.changed
        assert np.array_equal(
            attack.predictions.keypoints[same], found.clean.keypoints[same]
        )
        assert not attack.hidden[same].any()
        assert not attack.pixels[same].any()


def test_more_attacks_compute_the_new_ones_alone(
    cfg, model, expected, tmp_path
):
    counting = Counting(model)
    first, _ = run(cfg, counting, tmp_path, ATTACKS[2:3])
    counting.batches.clear()
    found, passes = run(cfg, counting, tmp_path)
    assert_same(found, expected)
    new = [a for a in found.attacks if a.name not in ATTACKS[2:3]]
    assert sum(counting.batches) == sum(a.changed.sum() for a in new)
    assert passes == sum(counting.batches)
    # once more, by other workers: nothing
    again, passes = run(cfg, counting, tmp_path, num_workers=1)
    assert passes == 0
    assert_same(again, expected)
    # what is asked for is what one gets; what is there stays there
    assert [a.name for a in first.attacks] == list(ATTACKS[2:3])
    (stored,) = load_runs(tmp_path)
    assert {a.name for a in stored.attacks} == set(ATTACKS)


def test_another_way_to_write_an_attack_is_the_same(cfg, model, tmp_path):
    run(cfg, model, tmp_path, ('keypoint:nose:black',))
    found, passes = run(cfg, model, tmp_path, ('keypoint:nose:black:20%',))
    assert passes == 0
    assert [a.name for a in found.attacks] == ['keypoint:nose:black']


def test_another_batch_size_has_the_same_patches(
    cfg, model, expected, tmp_path
):
    found, _ = run(cfg, model, tmp_path, batch_size=4)
    other, _ = run(cfg, model, tmp_path, batch_size=7)
    assert len(load_runs(tmp_path)) == 2
    for one, two in zip(found.attacks, other.attacks, strict=True):
        for name in ('changed', 'targets', 'bystanders', 'pixels'):
            assert np.array_equal(getattr(one, name), getattr(two, name))
        # heat maps agree to 1e-6, and their maxima are in the same place
        assert one.predictions.keypoints == pytest.approx(
            two.predictions.keypoints, abs=1e-2
        )
    assert_same(found, expected)


def test_killed_and_resumed(cfg, model, expected, tmp_path, monkeypatch):
    """Killed while it writes its third shard, after which another one is
    cut short and a third damaged."""
    writes = []
    write = RunStore.write

    def write_or_die(self, *args):
        writes.append(args)
        if len(writes) == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        write(self, *args)

    child = os.fork()
    if not child:
        monkeypatch.setattr(RunStore, 'write', write_or_die)
        try:
            run(cfg, model, tmp_path)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    shards = sorted(tmp_path.glob('store/*/shards/*.npz'))
    assert len(shards) == 2
    with pytest.raises(UsageError, match='is complete: run its command again'):
        load_runs(tmp_path)
    shards[0].write_bytes(shards[0].read_bytes()[:-100])
    (shards[0].parent / f'{TEMPORARY}000002-dead.npz').write_bytes(b'half')

    made = loop(cfg, model, tmp_path)
    blocks = [block.people for block in made.blocks]
    found, passes = run(cfg, model, tmp_path)
    assert_same(found, expected)
    # the second block alone was kept
    second = slice(blocks[0], blocks[0] + blocks[1])
    kept = blocks[1] + sum(a.changed[second].sum() for a in found.attacks)
    everything = len(found.boxes) + sum(a.changed.sum() for a in found.attacks)
    assert passes == everything - kept
    assert not list(tmp_path.glob(f'store/*/shards/{TEMPORARY}*'))


def test_interrupted_once_and_twice(
    cfg, model, expected, tmp_path, monkeypatch, capsys
):
    """Ctrl-C once stores the batch that is computed; twice stops at once."""
    handler = signal.getsignal(signal.SIGINT)
    result = OcclusionBenchmarkLoop.result

    def interrupted(times):
        left = iter(range(times))

        def call(self, *arguments):
            for _ in left:
                os.kill(os.getpid(), signal.SIGINT)
                while signal.getsignal(signal.SIGINT) is not handler:
                    time.sleep(0.01)
            return result(self, *arguments)

        return call

    for times in (1, 2):
        monkeypatch.setattr(
            OcclusionBenchmarkLoop, 'result', interrupted(times)
        )
        with pytest.raises(KeyboardInterrupt):
            run(cfg, model, tmp_path / str(times))
        assert signal.getsignal(signal.SIGINT) is handler
        assert 'Stopping after this batch' in capsys.readouterr().err
        if times == 1:
            assert len([*tmp_path.glob('1/store/*/shards/*.npz')]) == 1
    monkeypatch.setattr(OcclusionBenchmarkLoop, 'result', result)
    assert_same(run(cfg, model, tmp_path / '1')[0], expected)


def test_a_full_disk(cfg, model, expected, tmp_path, monkeypatch):
    """The sentence says what is stored; the same command goes on."""
    made = iter(range(100))
    sync = os.fsync

    def full(file):
        if next(made) == 6:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(file)

    with monkeypatch.context() as patch:
        patch.setattr(os, 'fsync', full)
        with pytest.raises(OSError, match='No space') as caught:
            run(cfg, model, tmp_path)
    status, sentence = explain(caught.value)
    assert status == 1
    assert sentence.startswith(f'No space left on device "{tmp_path}/store/')
    assert sentence.endswith(
        'what is finished is stored, and the same command goes on from there'
    )
    assert list(tmp_path.glob('store/*/shards/*.npz'))
    assert not list(tmp_path.rglob(f'{TEMPORARY}*'))
    assert_same(run(cfg, model, tmp_path)[0], expected)


def test_slow_blocks_are_stored_in_parts_and_anew(
    cfg, model, expected, tmp_path, monkeypatch
):
    monkeypatch.setattr(work, 'FLUSH_SECONDS', -1.0)
    found, first = run(cfg, model, tmp_path)
    assert_same(found, expected)
    shards = list(tmp_path.glob('store/*/shards/*.npz'))
    blocks = len(loop(cfg, model, tmp_path).blocks)
    assert len(shards) == blocks * (1 + len(ATTACKS))
    # without resuming
    found, passes = run(cfg, model, tmp_path, resume=False)
    assert passes == first > 0
    assert_same(found, expected)


def test_two_at_once_are_refused(cfg, model, tmp_path):
    ready = os.pipe()
    child = os.fork()
    if not child:
        held = FileLock(tmp_path / LOCK)
        held.acquire()
        worker = os.fork()
        if not worker:
            time.sleep(600)
            os._exit(0)
        os.write(ready[1], f'{worker}'.encode())
        time.sleep(600)
        os._exit(int(not held.is_locked))
    worker = int(os.read(ready[0], 20))
    try:
        with pytest.raises(UsageError, match=f'works in folder "{tmp_path}"'):
            run(cfg, model, tmp_path)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        # its worker has not inherited the lock
        assert run(cfg, model, tmp_path, ATTACKS[:1])[1] > 0
    finally:
        # after a command in this process, workers end with their parent
        with contextlib.suppress(ProcessLookupError):
            os.kill(worker, signal.SIGKILL)


def test_other_weights_another_seed_and_other_data_stand_beside(
    cfg, model, tmp_path, synthetic_people
):
    attacks = ('keypoint:random:black',)
    for made, options in (
        (model, {}),
        (network(seed=1), {}),
        (model, dict(seed=1)),
        (model, dict(max_images=3)),
    ):
        _, passes = run(cfg, made, tmp_path, attacks, **options)
        assert passes > 0
    flipless = config(synthetic_people)
    flipless.model.test_cfg.flip_test = False
    assert run(flipless, model, tmp_path, attacks)[1] > 0
    # what concerns the training alone is no other run
    trained = config(synthetic_people)
    trained.model.head.loss = dict(type='KeypointOHKMMSELoss')
    trained.model.backbone.init_cfg = None
    assert run(trained, model, tmp_path, attacks)[1] == 0
    runs = load_runs(tmp_path)
    assert len(runs) == 5
    assert sorted(r.seed for r in runs) == [0, 0, 0, 0, 1]


def test_max_images(cfg, model, expected, tmp_path):
    found, _ = run(cfg, model, tmp_path, max_images=3)
    ids = list(dict.fromkeys(expected.boxes.image_ids.tolist()))[:3]
    assert list(dict.fromkeys(found.boxes.image_ids.tolist())) == ids
    n = len(found.boxes)
    assert np.array_equal(found.boxes.truth, expected.boxes.truth[:n], True)
    assert {p['image_id'] for p in found.people} == set(ids)
    everybody = {p['image_id'] for p in expected.people}
    assert everybody > set(ids)


def test_dry_run(cfg, model, tmp_path, capsys):
    one, two = ATTACKS[:1], ATTACKS[:2]
    loop(cfg, model, tmp_path, one, dry_run=True).run()
    said = capsys.readouterr().out
    assert not list(tmp_path.iterdir())
    found, _ = run(cfg, model, tmp_path, one)
    people = len(found.boxes)
    assert f'At most {2 * people} predictions' in said
    capsys.readouterr()
    loop(cfg, model, tmp_path, two, dry_run=True).run()
    assert f'At most {people} predictions' in capsys.readouterr().out
    loop(cfg, model, tmp_path, one, dry_run=True).run()
    assert 'Nothing is to be computed' in capsys.readouterr().out


def test_detector_boxes(synthetic_people, model, tmp_path):
    cfg = config(synthetic_people, detected=True)
    found, _ = run(cfg, model, tmp_path)
    path = synthetic_people / 'person_detection_results/detections_val.json'
    detections = json.loads(path.read_text())
    boxes = found.boxes
    assert len(boxes) == len(detections)
    nobody = boxes.instance_ids == -1
    assert 0 < nobody.sum() < len(boxes)
    assert np.isnan(boxes.truth[nobody]).all()
    assert np.isnan(boxes.person_boxes[nobody]).all()
    assert not any(a.changed[nobody].any() for a in found.attacks)
    assert found.attacks[0].changed[~nobody].sum() > 3
    people = {p['id']: p for p in found.people}
    for row in np.flatnonzero(~nobody):
        person = people[boxes.instance_ids[row]]
        joints = np.reshape(person['keypoints'], (-1, 3))
        labelled = joints[:, 2] > 0
        assert boxes.truth[row][labelled] == pytest.approx(
            joints[labelled, :2]
        )
        assert np.isnan(boxes.truth[row][~labelled]).all()
        assert boxes.visible[row].tolist() == joints[:, 2].tolist()
        assert boxes.areas[row] == pytest.approx(person['area'])
    xywh = np.array([d['bbox'] for d in detections])
    scores = {round(d['score'], 6) for d in detections}
    assert {round(float(s), 6) for s in boxes.scores} <= scores
    widths = np.sort(boxes.boxes[:, 2] - boxes.boxes[:, 0])
    assert widths == pytest.approx(np.sort(xywh[:, 2]), abs=0.01)


def test_mpii(synthetic_people, tmp_path):
    cfg = config(synthetic_people, mpii=True)
    cfg.test_evaluator = dict(type='MpiiPCKAccuracy')
    found, _ = run(cfg, PlantedModel(), tmp_path, ('keypoint:head_top:black',))
    assert len(found.joints.names) == 16
    assert found.people == []
    assert (found.boxes.head_sizes > 0).all()
    assert set(np.unique(found.boxes.visible)) == {0, 2}
    assert found.evaluation['metric'] == 'MpiiPCKAccuracy'
    assert found.evaluation['thr'] == 0.5


def test_a_planted_fault_is_stored_and_nothing_else(cfg, tmp_path):
    def shift_the_wrist(answer, hidden):
        if 7 in hidden:  # left_elbow
            answer[0, 9] += (100, 0)

    found, _ = run(
        cfg,
        PlantedModel(shift_the_wrist),
        tmp_path,
        ('keypoint:left_elbow:black', 'keypoint:left_ankle:black'),
    )
    elbow, ankle = found.attacks
    moved = elbow.predictions.keypoints - found.clean.keypoints
    want = np.zeros_like(moved)
    want[elbow.changed, 9, 0] = 100
    assert moved == pytest.approx(want, abs=1e-3)
    assert elbow.changed.any()
    under = ankle.hidden[:, 7]
    assert (ankle.predictions.keypoints == found.clean.keypoints)[~under].all()


def test_evaluation_has_the_metrics_own_arguments(expected):
    assert expected.evaluation == dict(
        metric='CocoMetric',
        use_area=True,
        iou_type='keypoints',
        score_mode='bbox_keypoint',
        keypoint_score_thr=0.2,
        nms_mode='oks_nms',
        nms_thr=0.8,
        padding=1.25,
    )
    assert expected.crop_size == (48, 64)


def test_refused(cfg, model, tmp_path, synthetic_people):
    whole = config(synthetic_people)
    steps = whole.test_dataloader.dataset.pipeline
    whole.test_dataloader.dataset.pipeline = [
        s for s in steps if s.type != 'TopdownAffine'
    ]
    with pytest.raises(UsageError, match='no "TopdownAffine"'):
        loop(whole, model, tmp_path)
    with pytest.raises(UsageError, match='there is no attack'):
        loop(cfg, model, tmp_path, ())
    many = network()
    many.head.final_layer = torch.nn.Conv2d(16, 5, 1)
    many.test_cfg['flip_test'] = many.head.test_cfg['flip_test'] = False
    with pytest.raises(UsageError, match='the model predicts 5 joints'):
        run(cfg, many, tmp_path)
    with pytest.raises(UsageError, match='holds no benchmark'):
        load_runs(tmp_path / 'elsewhere')
    # a run that ended in an error does not hold the folder
    assert run(cfg, model, tmp_path, ATTACKS[:1])[1] > 0
    info = min(tmp_path.glob('store/*/run.json'))
    info.write_text(info.read_text().replace('"format": 2', '"format": 99'))
    with pytest.raises(UsageError, match='has format 99'):
        load_runs(tmp_path)


@pytest.mark.parametrize('detected', [False, True])
def test_donors_and_controls(synthetic_people, model, tmp_path, detected):
    """A patch of somebody else, and a control that fits nowhere."""
    cfg = config(synthetic_people, detected=detected)
    attacks = ['keypoint:random:donor:24', 'keypoint:nose:black:off_person']
    attacks.append('keypoint:nose:black:100:off_person')
    found, _ = run(cfg, model, tmp_path, attacks=attacks)
    donor, control, huge = found.attacks
    assert donor.changed.sum() > 4
    assert not donor.excluded.any()
    assert control.changed.sum() > 2
    assert not control.hidden.any()
    assert control.details == dict(
        severity=0.2, control='off_person', of='keypoint:nose:black'
    )
    assert huge.excluded.sum() > 2
    assert not huge.changed[huge.excluded].any()


def test_other_images_and_other_code_stand_beside(
    cfg, model, tmp_path, monkeypatch
):
    """Predictions are not used again for other pixels or other painting."""
    attacks = ('keypoint:nose:black',)
    _, first = run(cfg, model, tmp_path, attacks)
    monkeypatch.setattr(
        files, 'digest_of_sources', lambda: 'of another version'
    )
    _, passes = run(cfg, model, tmp_path, attacks)
    assert passes == first
    monkeypatch.undo()
    cache = next(tmp_path.glob('store/*.json'))
    known = json.loads(cache.read_text())
    known[min(known)][1] = 'other content'
    cache.write_text(json.dumps(known))
    _, passes = run(cfg, model, tmp_path, attacks)
    assert passes == first
    cache.unlink()
    _, passes = run(cfg, model, tmp_path, attacks)
    assert passes == 0
    assert len(load_runs(tmp_path)) == 3


def suite_of(tmp_path, *entries):
    """The file of a suite."""
    path = tmp_path / 'own.json'
    path.write_text(json.dumps(dict(attacks=entries)))
    return [str(path)]


def test_attacks_that_mmpose_cannot_build(cfg, model, tmp_path):
    own = suite_of(tmp_path, dict(type='Hide'))
    with pytest.raises(UsageError, match='no transform "Hide"'):
        loop(cfg, model, tmp_path, (), suites=own)
    own = suite_of(tmp_path, 'part:head:pink')
    with pytest.raises(UsageError, match="fill='pink' is unknown"):
        loop(cfg, model, tmp_path, (), suites=own)


def test_transforms_of_others_are_attacks(cfg, model, tmp_path):
    """Any transform that changes pixels; an attack with a scope counts as
    the attack."""
    named = dict(type='mmpose.KeypointOcclusion', target='*', fill='black')
    opaque = dict(type='mmpose.PhotometricDistortion')
    own = suite_of(tmp_path, named, dict(attack=opaque, name='colours'))
    found, _ = run(cfg, model, tmp_path, (), suites=own)
    *joints, colours = found.attacks
    assert [a.name for a in joints] == [
        f'keypoint:{name}:black' for name in found.joints.names
    ]
    assert joints[0].targets[:, 0].sum() > 2
    assert joints[0].config['type'] == 'KeypointOcclusion'
    assert colours.changed.sum() > 5
    assert not colours.hidden.any()
