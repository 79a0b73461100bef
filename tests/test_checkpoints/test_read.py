"""Reading checkpoints: what is allowed, and what is not run."""

import logging
import os
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.logging import HistoryBuffer
from torch import nn

from mmpose_occlusion import checkpoints
from mmpose_occlusion.checkpoints import load_checkpoint_safely
from mmpose_occlusion.errors import UsageError


@pytest.fixture(
    params=[
        pytest.param(
            True,
            marks=pytest.mark.skipif(
                not checkpoints.CAN_ALLOW_NAMES, reason='PyTorch before 2.6'
            ),
            id='by-torch',
        ),
        pytest.param(False, id='by-pickle'),
    ]
)
def reader(request, monkeypatch):
    """Both readers: PyTorch's, and ours for versions before 2.6."""
    monkeypatch.setattr(checkpoints, 'CAN_ALLOW_NAMES', request.param)


WEIGHTS = {'conv1.weight': torch.arange(6.0).reshape(2, 3)}
META = {
    'perf': np.float64(0.765),
    'epoch': np.int64(210),
    'eta': np.float32(0.5),
    'done': np.bool_(True),
    'sigmas': np.array([0.026, 0.025], np.float32),
    'colors': np.array([[0, 255]], np.uint8),
    'cfg': ConfigDict(model=dict(depth=18), steps=[dict(by_epoch=True)]),
    'joints': {'left', 'right'},
    'seed': 1j,
}


@pytest.mark.usefixtures('reader')
@pytest.mark.parametrize('legacy', [False, True])
def test_numbers_and_configs_beside_weights(write, legacy):
    path = write(
        {'state_dict': OrderedDict(WEIGHTS), **META},
        _use_new_zipfile_serialization=not legacy,
    )

    loaded = load_checkpoint_safely(path)

    assert torch.equal(
        loaded['state_dict']['conv1.weight'], WEIGHTS['conv1.weight']
    )
    assert loaded['perf'] == 0.765
    assert type(loaded['perf']) is np.float64
    assert loaded['epoch'] == 210
    assert loaded['eta'].dtype == np.float32
    assert loaded['done']
    np.testing.assert_array_equal(loaded['sigmas'], META['sigmas'])
    assert loaded['sigmas'].dtype == np.float32
    assert loaded['colors'].tolist() == [[0, 255]]
    assert loaded['cfg']['model'] == {'depth': 18}
    assert type(loaded['cfg']) is dict
    assert loaded['cfg']['steps'][0] == {'by_epoch': True}
    assert loaded['joints'] == {'left', 'right'}
    assert loaded['seed'] == 1j


@pytest.mark.usefixtures('reader')
@pytest.mark.parametrize('core', ['numpy.core', 'numpy._core'])
def test_files_of_numpy_1_and_2(write, core):
    path = write({'perf': np.float64(0.7), 'a': np.ones(2), **WEIGHTS})
    _edit_pickle(
        path,
        lambda data: data.replace(b'cnumpy._core.', b'cnumpy.core.').replace(
            b'cnumpy.core.', f'c{core}.'.encode()
        ),
    )
    assert f'c{core}.multiarray\nscalar'.encode() in _pickle_of(path)

    loaded = load_checkpoint_safely(path)

    assert loaded['perf'] == 0.7
    assert loaded['a'].tolist() == [1, 1]


@pytest.fixture(scope='module')
def trained(tmp_path_factory) -> Path:
    """A checkpoint that MMEngine's runner wrote during a training."""
    return train(tmp_path_factory.mktemp('run'))


@pytest.mark.usefixtures('reader')
def test_a_training_checkpoint_of_mmengine(trained):
    data = _pickle_of(trained)
    # the point of it: these are not weights
    for name in (b'getattr', b'HistoryBuffer', b'scalar', b'_reconstruct'):
        assert name in data

    loaded = load_checkpoint_safely(trained)

    assert loaded['state_dict']['linear.weight'].shape == (1, 2)
    assert loaded['ema_state_dict']['steps'] == 3
    assert loaded['meta']['iter'] == 3
    assert loaded['meta']['dataset_meta']['sigmas'].tolist() == [0.5, 0.25]
    assert loaded['optimizer']['param_groups'][0]['lr'] == 0.125
    history = loaded['message_hub']['log_scalars']['train/loss']
    assert history._log_history.shape == (3,)
    assert not callable(getattr(history, 'mean', None))


class Evil:
    """Calls a function when it is unpickled."""

    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


RUN = 'import pathlib; pathlib.Path({!r}).touch()'


@pytest.mark.usefixtures('reader')
@pytest.mark.parametrize('legacy', [False, True])
@pytest.mark.parametrize(
    ('evil', 'reason'),
    [
        (
            lambda marker: Evil(os.system, f'touch {marker}'),
            f'names the Python object "{os.name}.system"',
        ),
        (
            lambda marker: Evil(exec, RUN.format(str(marker))),
            'names the Python object "exec"',
        ),
        (
            lambda marker: Evil(eval, f'open({str(marker)!r}, "w")'),
            'names the Python object "eval"',
        ),
        (
            lambda marker: Evil(Path, str(marker)),
            'names the Python object "pathlib.Path"',
        ),
        (lambda _: logging.Logger, 'names the Python object "logging.Logger"'),
    ],
)
def test_nothing_is_run(write, tmp_path, legacy, evil, reason):
    marker = tmp_path / 'marker'
    path = write(
        {'a': evil(marker), **WEIGHTS},
        _use_new_zipfile_serialization=not legacy,
    )

    with pytest.raises(UsageError) as caught:
        load_checkpoint_safely(path)

    # one reader drops "builtins"
    assert str(caught.value).replace('builtins.', '') == (
        f'checkpoint "{path}" {reason}, and reading it could run code: add '
        '--trust-checkpoint if you made the file yourself or trust its author'
    )
    assert not marker.exists()


RECONSTRUCT = np.empty(0).__reduce__()[0]
SCALAR = np.float64(0).__reduce__()[0]


class Forged(Evil):
    """An object whose state is forged."""

    def __init__(self, function, args, state):
        self.call = function, args, state


@pytest.mark.usefixtures('reader')
@pytest.mark.parametrize(
    ('value', 'reason'),
    [
        (np.array([{'a': 1}], dtype=object), "it holds data of type 'O8'"),
        (np.zeros(1, [('a', 'f4')]), "it holds data of type 'V4'"),
        (np.zeros(1, 'M8[s]'), "it holds data of type 'M8'"),
        (np.zeros(1, 'i4,O'), "it holds data of type 'V12'"),
    ],
)
def test_arrays_of_anything_but_numbers(write, value, reason):
    path = write({'a': value, **WEIGHTS})

    with pytest.raises(UsageError) as caught:
        load_checkpoint_safely(path)

    assert f'holds more than weights ({reason}' in str(caught.value)


@pytest.mark.usefixtures('reader')
@pytest.mark.parametrize(
    'value',
    [
        # a buffer, strides, more or less data than there are numbers
        Evil(np.ndarray, (9,), np.dtype('i8')),
        Evil(SCALAR, np.dtype('f8'), b'1234'),
        Evil(SCALAR, 'f8', b'12345678'),
        # numbers that would be pointers to objects
        Forged(RECONSTRUCT, (np.ndarray, (0,), b'b'), (1, (1,), 'O', 0, [])),
        Forged(
            RECONSTRUCT,
            (np.ndarray, (0,), b'b'),
            (1, (4,), np.dtype('i8'), False, b'12345678'),
        ),
    ],
)
def test_arrays_that_reach_beyond_their_data(write, value):
    with pytest.raises(UsageError, match='is damaged or incomplete'):
        load_checkpoint_safely(write({'a': value, **WEIGHTS}))


@pytest.mark.usefixtures('reader')
def test_forged_names_are_data(write):
    """Neither the real getattr, which MMEngine's own list of what is safe
    has, nor a dtype whose flags make pointers of numbers."""
    found = Evil(getattr, HistoryBuffer, '__init__')
    flags = (3, '<', None, None, None, -1, -1, 63)
    dtype = Forged(np.dtype, ('i8', False, True), flags)
    state = (1, (1,), dtype, False, b'12345678')
    array = Forged(RECONSTRUCT, (np.ndarray, (0,), b'b'), state)
    loaded = load_checkpoint_safely(write(dict(a=found, b=array)))
    assert loaded['a'] == '__init__'
    assert loaded['b'].tobytes() == b'12345678'
    assert loaded['b'].dtype == np.int64


@pytest.mark.usefixtures('reader')
@pytest.mark.parametrize(
    'array',
    [
        np.arange(6, dtype='>i2').reshape(2, 3),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.ones((0, 3), np.float16),
        np.array(3 + 1j),
        np.array([True, False]),
    ],
)
def test_arrays_of_numbers(write, array):
    loaded = load_checkpoint_safely(write({'a': array}))['a']

    assert loaded.dtype == array.dtype.newbyteorder('=')
    assert loaded.shape == array.shape
    np.testing.assert_array_equal(loaded, array)


@pytest.mark.usefixtures('reader')
def test_a_file_that_must_be_trusted(write, tmp_path):
    marker = tmp_path / 'marker'
    evil = Evil(exec, f'open({str(marker)!r}, "w").close()')
    path = write({'a': evil, **WEIGHTS})

    with pytest.raises(UsageError) as caught:
        load_checkpoint_safely(path)
    assert 'names the Python object' in str(caught.value)

    loaded = load_checkpoint_safely(path, trust=True)
    assert torch.equal(loaded['conv1.weight'], WEIGHTS['conv1.weight'])
    assert marker.exists()


def test_a_file_url_is_read_in_place(write, tmp_path, monkeypatch):
    monkeypatch.setenv('TORCH_HOME', str(tmp_path / 'home'))
    source = write(WEIGHTS, 'weights.pth')
    assert list(load_checkpoint_safely(source.as_uri())) == ['conv1.weight']
    assert not (tmp_path / 'home').exists()
    url = (tmp_path / 'none.pth').as_uri()
    with pytest.raises(UsageError, match='does not exist'):
        load_checkpoint_safely(url)


def test_the_home_folder(write, tmp_path, monkeypatch):
    monkeypatch.setenv('HOME', str(tmp_path))
    write(WEIGHTS, 'weights.pth')

    assert list(load_checkpoint_safely('~/weights.pth')) == ['conv1.weight']


@pytest.mark.parametrize(
    ('make', 'sentence'),
    [
        (
            lambda path: None,
            'does not exist or is no file: give a .pth file or its URL',
        ),
        (
            lambda path: path.mkdir(),
            'does not exist or is no file: give a .pth file or its URL',
        ),
        (
            lambda path: path.write_text('<!DOCTYPE html>'),
            "is no file of torch.save (it starts with b'<!DO'): it may be a "
            'text file, a web page or an archive, so unpack it or download it '
            'again',
        ),
        (
            lambda path: path.write_bytes(b''),
            "is no file of torch.save (it starts with b''): it may be a text "
            'file, a web page or an archive, so unpack it or download it '
            'again',
        ),
        (
            lambda path: torch.save([1, 2], path),
            'holds a list, not a dictionary of weights: give a file that '
            'torch.save wrote from a state dict',
        ),
    ],
)
def test_no_checkpoint(tmp_path, make, sentence):
    path = tmp_path / 'c.pth'
    make(path)

    with pytest.raises(UsageError) as caught:
        load_checkpoint_safely(path)

    assert str(caught.value) == f'checkpoint "{path}" {sentence}'


@pytest.mark.usefixtures('reader')
@pytest.mark.parametrize('legacy', [False, True])
@pytest.mark.parametrize('share', [0.1, 0.9])
def test_damaged_files(write, legacy, share):
    path = write(
        {'w': torch.ones(1000), **META},
        _use_new_zipfile_serialization=not legacy,
    )
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])

    with pytest.raises(UsageError) as caught:
        load_checkpoint_safely(path)

    sentence = str(caught.value)
    assert sentence.startswith(f'checkpoint "{path}" is damaged or incomplete')
    assert sentence.endswith('): download or copy it again')


def test_a_trusted_file_that_needs_what_is_not_here(write):
    path = write({'a': Evil(np.float64, 1), **WEIGHTS})
    _edit_pickle(path, lambda d: d.replace(b'cnumpy\n', b'cyacs0\n'))

    with pytest.raises(UsageError) as caught:
        load_checkpoint_safely(path, trust=True)

    assert str(caught.value) == (
        f'checkpoint "{path}" is damaged or incomplete '
        "(ModuleNotFoundError: No module named 'yacs0'): download or copy it "
        'again'
    )


def test_checksums(write):
    path = write(dict(state_dict=dict(weight=torch.ones(1000))))
    data = bytearray(path.read_bytes())
    data[data.index(b'\x00\x00\x80\x3f' * 9) + 6] ^= 1
    path.write_bytes(data)
    with pytest.raises(UsageError, match='is damaged'):
        load_checkpoint_safely(path)


def _pickle_of(path: Path) -> bytes:
    with zipfile.ZipFile(path) as archive:
        (name,) = [n for n in archive.namelist() if n.endswith('/data.pkl')]
        return archive.read(name)


def _edit_pickle(path: Path, edit) -> None:
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, 'w') as archive:
        for name, data in files.items():
            archive.writestr(
                name, edit(data) if name.endswith('/data.pkl') else data
            )


def train(folder: Path) -> Path:
    """Three steps of the smallest training that MMEngine does."""
    from mmengine.model import BaseModel
    from mmengine.runner import Runner

    class Smallest(BaseModel):
        def __init__(self):
            super().__init__()
            self.linear = nn.Linear(2, 1)

        def forward(self, inputs, data_samples=None, mode='tensor'):
            return {'loss': self.linear(inputs).square().mean()}

    class Data(torch.utils.data.Dataset):
        metainfo = {'sigmas': np.array([0.5, 0.25], np.float32)}

        def __len__(self):
            return 3

        def __getitem__(self, index):
            return dict(inputs=torch.full((2,), float(index)))

    runner = Runner(
        model=Smallest(),
        work_dir=str(folder),
        train_dataloader=dict(
            dataset=Data(),
            batch_size=1,
            sampler=dict(type='DefaultSampler'),
            collate_fn=dict(type='default_collate'),
        ),
        train_cfg=dict(by_epoch=True, max_epochs=1),
        optim_wrapper=dict(optimizer=dict(type='Adam', lr=0.125)),
        param_scheduler=dict(type='MultiStepLR', milestones=[5]),
        default_hooks=dict(checkpoint=dict(type='CheckpointHook')),
        custom_hooks=[dict(type='EMAHook')],
        default_scope='mmengine',
        experiment_name=folder.name,
    )
    runner.train()
    return folder / 'epoch_1.pth'
