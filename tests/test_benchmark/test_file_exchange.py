"""Predictions through files are those of the same model in this process."""

import json
import tarfile

import cv2
import numpy as np
import pytest

from mmpose_occlusion.benchmark.file_exchange import export_images
from mmpose_occlusion.benchmark.image_run import run_predictor
from mmpose_occlusion.cli import images
from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.predictors import Prediction
from mmpose_occlusion.skeleton import COCO_JOINTS

ATTACKS = ['keypoint:nose:noise:15%', 'keypoint:left_wrist:black:20%']


class Pixels:
    """Answers with numbers that every pixel has a part in."""

    name = 'pixels'
    keypoint_names = COCO_JOINTS

    def __init__(self, needs_boxes):
        self.needs_boxes = needs_boxes

    def identity(self):
        return self.name

    def __call__(self, images, boxes):
        out = []
        for image, some in zip(images, boxes, strict=True):
            if some is None:
                some = np.array([[0, 0, *image.shape[1::-1]], [3, 3, 40, 90]])
            rng = np.random.default_rng(int(image.sum()))
            xy = rng.uniform(some[:, None, :2], some[:, None, 2:],
                             (len(some), 17, 2))  # fmt: skip
            scores = rng.uniform(0, 1, (len(some), 17))
            persons = scores.mean(1) / 3
            out.append(
                Prediction(
                    xy,
                    scores,
                    person_scores=None if self.needs_boxes else persons,
                )
            )
        return out


@pytest.fixture
def files(synthetic_people):
    return (
        synthetic_people / 'annotations/person_keypoints_val.json',
        synthetic_people / 'val',
    )


def another_program(folder, predict):
    """Reads the manifest and PNGs, writes results."""
    manifest = json.loads((folder / 'manifest.json').read_text())
    (folder / 'results').mkdir()
    for attack in manifest['attacks']:
        results = []
        for image in manifest['images']:
            if image['attack'] != attack['name']:
                continue
            pixels = cv2.imread(str(folder / image['file_name']))[..., ::-1]
            boxes = image['boxes'] and np.array(image['boxes'])
            (found,) = predict([pixels], [boxes])
            for i, (xy, score) in enumerate(
                zip(found.keypoints, found.scores, strict=True)
            ):
                persons = found.person_scores
                results.append(
                    dict(
                        image_id=image['id'],
                        keypoints=np.c_[xy, score].ravel().tolist(),
                        score=1.0 if persons is None else float(persons[i]),
                    )
                )
        path = folder / 'results' / f'{attack["folder"]}.json'
        path.write_text(json.dumps(results))
    return folder / 'results'


@pytest.mark.parametrize('people', ['one', 'all'])
def test_round_trip(files, tmp_path, people, capsys):
    predict = Pixels(people == 'one')
    folder = tmp_path / 'files'
    argv = [*map(str, files), '--out', str(folder), '--people', people]
    argv += ['--attack', ATTACKS[0], '--attack', ATTACKS[1]]
    argv += ['--max-images', '4', '--seed', '3']
    assert images.main_export(argv) == 0
    results = another_program(folder, predict)
    argv = [str(folder), str(results), '--out', str(tmp_path / 'imported')]
    assert images.main_import([*argv, '--name', 'elsewhere']) == 0
    assert 'Wrote' in capsys.readouterr().out
    expected = run_predictor(
        predict, *files, out=tmp_path / 'here', attacks=ATTACKS, seed=3,
        max_images=4, people=people,
    )  # fmt: skip
    from mmpose_occlusion.benchmark.api import load_benchmark

    (found,) = load_benchmark(tmp_path / 'imported').runs
    assert found.model == 'elsewhere'
    assert all(attack.changed.any() for attack in expected.attacks)
    for ours, theirs in zip(
        [expected.clean, *(a.predictions for a in expected.attacks)],
        [found.clean, *(a.predictions for a in found.attacks)],
        strict=True,
    ):
        np.testing.assert_array_equal(ours.keypoints, theirs.keypoints)
        np.testing.assert_array_equal(ours.scores, theirs.scores)
        if people == 'all':
            np.testing.assert_array_equal(
                ours.person_scores, theirs.person_scores
            )


def test_one_tar_holds_the_same_files(files, tmp_path, capsys):
    argv = [*map(str, files), '--attack', ATTACKS[0], '--max-images', '2']
    argv += ['--out', str(tmp_path / 'tar'), '--tar']
    assert images.main_export(argv) == 0
    assert 'exporting' in capsys.readouterr().out
    export_images(*files, tmp_path / 'png', attacks=ATTACKS[:1], max_images=2)
    manifests = [tmp_path / kind / 'manifest.json' for kind in ('tar', 'png')]
    assert manifests[0].read_text() == manifests[1].read_text()
    assert len(list((tmp_path / 'tar').iterdir())) == 2
    with tarfile.open(tmp_path / 'tar' / 'images.tar') as archive:
        archive.extractall(tmp_path / 'from_tar', filter='data')
    written = list((tmp_path / 'png').rglob('*.png'))
    assert len(written) == len(json.loads(manifests[0].read_text())['images'])
    for path in written:
        copy = tmp_path / 'from_tar' / path.relative_to(tmp_path / 'png')
        assert copy.read_bytes() == path.read_bytes()


@pytest.mark.parametrize('tar', [False, True])
def test_an_interrupted_export_leaves_whole_files(files, tmp_path, tar):
    def stop(images):
        yield images[0]
        raise KeyboardInterrupt

    out = tmp_path / 'out'
    with pytest.raises(KeyboardInterrupt):
        export_images(*files, out, attacks=ATTACKS, tar=tar, progress=stop)
    images = list(out.rglob('*.png'))
    assert bool(images) != tar
    assert all(cv2.imread(str(path)) is not None for path in images)
    assert not (out / 'manifest.json').exists()
    assert not (out / 'images.tar').exists()
    export_images(*files, out, attacks=ATTACKS, tar=tar, max_images=1)
    assert (out / 'images.tar').exists() == tar


def test_what_is_missing_is_listed(files, tmp_path, capsys):
    folder = tmp_path / 'files'
    export_images(*files, folder, attacks=ATTACKS, max_images=2)
    with pytest.raises(UsageError, match='holds a manifest already'):
        export_images(*files, folder, attacks=ATTACKS)
    results = another_program(folder, Pixels(True))
    out = ['--out', str(tmp_path / 'out')]

    def refused():
        assert images.main_import([str(folder), str(results), *out]) == 2
        return capsys.readouterr().err

    (second,) = results.glob('0002*.json')
    text = second.read_text()
    second.unlink()
    assert f'1 results files are missing: {second.name}' in refused()
    entries = json.loads(text)
    second.write_text(json.dumps(entries[1:]))
    assert '1 predictions of images are missing: 0002_' in refused()
    assert '(0 of 1 people)' in refused()
    entries[0]['keypoints'].pop()
    second.write_text(json.dumps(entries))
    assert 'entry 0: needs an image_id' in refused()
    assert images.main_import([str(tmp_path), str(results), *out]) != 0
    second.write_text(text)
    manifest = json.loads((folder / 'manifest.json').read_text())
    manifest['arguments']['seed'] = 9
    (folder / 'manifest.json').write_text(json.dumps(manifest))
    assert 'is not one of the exported ones' in refused()
