"""Which checkpoints the test tool takes, and how it reads them."""

import pickle
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import SimpleNamespace as Part

import numpy as np
import pytest
import torch
from mmengine.runner import Runner
from reference_checkpoints import differences

from mmpose_occlusion.checkpoints import load_checkpoint_safely, local_file
from mmpose_occlusion.errors import UsageError
from tests.test_checkpoints.conftest import given  # noqa: F401
from tests.test_checkpoints.mmpose_side import hrnet
from tests.test_checkpoints.test_read import Evil


@pytest.fixture
def runners(monkeypatch):
    """The runners that would have tested something."""
    found = []

    def test(self):
        found.append(self)
        return {}

    monkeypatch.setattr(Runner, 'test', test)
    return found


@pytest.fixture
def test(tool, tmp_path):
    """Test a checkpoint; gives the exit status."""

    def run(config, checkpoint, *arguments):
        argv = [str(config), str(checkpoint), '--work-dir', str(tmp_path)]
        return tool('test').main([*argv, *arguments])

    return run


def child(tmp_path, config, text):
    path = tmp_path / 'child.py'
    path.write_text(f'_base_ = {str(config)!r}\n{text}\n')
    return path


def test_a_reference_file(given, config, test, runners, tmp_path):  # noqa: F811
    """The stored input gives the stored output."""
    source = given / 'pose_hrnet_w8_64x64.pth'
    backbone, head = hrnet(8, 17)
    text = (
        f'model = dict(backbone=dict(_delete_=True, **{backbone!r}),'
        f' head=dict(_delete_=True, **{head!r}, decoder={{{{_base_.codec}}}}))'
    )
    assert test(child(tmp_path, config, text), source) == 0
    (runner,) = runners
    model = runner.model.eval()
    stored = np.load(given / 'pose_hrnet_w8_64x64.npz')
    with torch.no_grad():
        x = model.backbone(torch.from_numpy(stored['x']))
        y = model.head(x).numpy()
    np.testing.assert_allclose(y, stored['y'], atol=1e-4 * stored['y'].max())
    log = max(tmp_path.glob('*/*.log')).read_text()
    assert ' of the reference, bare state dict, to MMPose' in log
    assert 'WARNING' not in log.partition('Loaded checkpoint')[2]


def test_a_file_url_is_read_in_place(config, checkpoint, test, runners):
    assert test(config, Path(checkpoint).as_uri()) == 0
    state = torch.load(checkpoint, weights_only=False)['state_dict']
    assert torch.equal(
        runners[0].model.head.final_layer.weight,
        state['head.final_layer.weight'],
    )


def test_downloads_of_one_name_are_kept_apart(tmp_path, monkeypatch):
    """By their whole address, of which the last part is often the same; of
    several processes, one downloads."""
    monkeypatch.setattr(torch.hub, '_hub_dir', str(tmp_path / 'hub'))
    folders = [tmp_path / name for name in ('run1', 'run2')]
    for number, folder in enumerate(folders):
        folder.mkdir()
        torch.save(
            {'state_dict': {'w': torch.full((1,), number)}},
            folder / 'best.pth',
        )
    asked = []

    class Handler(SimpleHTTPRequestHandler):
        def log_request(self, *_):
            asked.append(self.path)

    handler = partial(Handler, directory=str(tmp_path))
    with ThreadingHTTPServer(('127.0.0.1', 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        root = f'http://127.0.0.1:{server.server_port}'
        for number in (0, 1, 0):
            url = f'{root}/run{number + 1}/best.pth'
            with ThreadPoolExecutor(3) as pool:
                assert len(set(pool.map(local_file, [url] * 3))) == 1
            state = load_checkpoint_safely(url)
            assert state['state_dict']['w'].item() == number
        assert asked == ['/run1/best.pth', '/run2/best.pth']
        with pytest.raises(UsageError, match='cannot be downloaded'):
            load_checkpoint_safely(f'{root}/run3/best.pth')
        server.shutdown()


def test_other_storage(config, test, runners, capsys):
    assert test(config, 's3://bucket/a.pth') == 2
    assert capsys.readouterr().err == (
        'error: checkpoint "s3://bucket/a.pth" does not exist or is '
        'no file: give a .pth file or its URL\n'
    )


def test_another_model(config, checkpoint, test, runners, capsys):
    options = ['--cfg-options', 'model.backbone.depth=34']
    assert test(config, checkpoint, *options) == 2
    error = capsys.readouterr().err
    assert ' does not match the model of the config: Missing key(s)' in error
    assert '"backbone.layer1.2.conv1.weight", ' in error
    assert 'Unexpected' not in error
    assert not runners
    options = ['--cfg-options', 'model.head.deconv_out_channels=None']
    options.append('model.head.deconv_kernel_sizes=None')
    assert test(config, checkpoint, *options) == 2
    error = capsys.readouterr().err
    assert 'Unexpected key(s) in state_dict: "head.deconv_l' in error


def test_trust(config, checkpoint, test, runners, tmp_path, capsys):
    state = torch.load(checkpoint, weights_only=False)['state_dict']
    marker = tmp_path / 'marker'
    evil = Evil(exec, f'open({str(marker)!r}, "w").close()')
    path = tmp_path / 'own.pth'
    torch.save({'state_dict': state, 'mine': evil}, path)
    assert test(config, path) == 2
    error = capsys.readouterr().err
    assert 'and reading it could run code: add --trust-checkpoint' in error
    assert not marker.exists()
    assert test(config, path, '--trust-checkpoint') == 0
    assert marker.exists()


def test_hooks_that_copy_the_model(config, checkpoint, test, tmp_path):
    """EMAHook tests its copy, which must have the weights."""
    predicted = []

    for text in ('', 'custom_hooks = [dict(type="EMAHook")]'):
        dump = tmp_path / f'{len(predicted)}.pkl'
        path = child(tmp_path, config, text)
        assert test(path, checkpoint, '--dump', str(dump)) == 0
        samples = pickle.loads(dump.read_bytes())
        predicted.append(
            [sample['pred_instances']['keypoints'] for sample in samples]
        )
    np.testing.assert_array_equal(*predicted)


@pytest.mark.parametrize(
    ('size', 'said'), [('256x192', 1), ('64x64', 0), ('', 0)]
)
def test_crops_of_another_size(size, said):
    model = Part(head=Part(decoder=Part(input_size=(64, 64))))
    meta = dict(crop_size=size, channel_order='rgb')
    found = list(differences(model, meta))
    assert len(found) == said
    assert all(f'trained on crops of {size}' in text for text in found)
