"""Training with the tool: in one process, in several, resumed, and refused."""

import importlib
import math
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from mmpose_occlusion.engine.config import load_config
from tests.narrow import arguments, few, narrowing
from tests.ranks import run_ranks

from .conftest import ROOT, log_of

COCO = 'configs/body_2d_keypoint/topdown_heatmap/coco'


def test_one_epoch(trained, device):
    log = log_of(trained)
    assert f'CUDA available: {device == "cuda"}' in log
    assert 'Epoch(train) [1][1/2]' in log
    assert 'eta: ' in log
    assert 'loss: ' in log
    assert 'coco/AP: ' in log
    assert (trained / 'epoch_1.pth').is_file()


def test_resume(config, trained, tool, tmp_path, capsys):
    shutil.copy(trained / 'epoch_1.pth', tmp_path)
    (tmp_path / 'last_checkpoint').write_text(str(tmp_path / 'epoch_1.pth'))
    argv = [config, '--work-dir', str(tmp_path), '--resume', '--no-validate']
    options = ['--cfg-options', 'train_cfg.max_epochs=2']
    assert tool('train').main(argv + options) == 0
    assert 'safely' not in capsys.readouterr().out
    log = log_of(tmp_path)
    assert 'resumed epoch: 1, iter: 2' in log
    assert 'Epoch(train) [1]' not in log
    assert 'Epoch(train) [2][2/2]' in log
    assert 'Epoch(val)' not in log
    state = torch.load(tmp_path / 'epoch_2.pth', weights_only=False)
    assert state['meta']['iter'] == 4


@pytest.mark.parametrize(
    ('last', 'said'),
    [
        (None, 'names no checkpoint, so'),
        ('', 'names no checkpoint, so'),
        ('/elsewhere/epoch_9.pth', "names '/elsewhere/epoch_9.pth', so"),
        ('{folder}/epoch_3.pth', 'epoch_3.pth" is damaged or incomplete'),
    ],
)
def test_last_checkpoint_is_of_no_use(
    last, said, config, trained, tool, tmp_path
):
    """The newest checkpoint that can be read is taken, which is said."""
    data = (trained / 'epoch_1.pth').read_bytes()
    for name in ('epoch_1', 'epoch_2'):
        (tmp_path / f'{name}.pth').write_bytes(data)
    (tmp_path / 'epoch_3.pth').write_bytes(data[:5000])
    if last is not None:
        text = last.format(folder=tmp_path)
        (tmp_path / 'last_checkpoint').write_text(text)
    module = tool('train')
    argv = [config, '--work-dir', str(tmp_path), '--resume']
    cfg = load_config(config)
    train_config = sys.modules.get('_train_config') or importlib.import_module(
        '_train_config'
    )
    lines = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train_config, 'print_log', lambda t, *_: lines.append(t))
        train_config.configure_training(cfg, module.parse_args(argv))
        train_config.read_start(cfg)
    assert cfg.load_from == str(tmp_path / 'epoch_2.pth')
    text = '\n'.join(lines)
    assert said in text
    assert f'resumes from "{tmp_path}/epoch_2.pth", the newest' in text


def test_resume_of_a_file_that_holds_code(config, tool, tmp_path, capsys):
    """It is refused, and not run; trusted, it is read."""

    class Code:
        def __reduce__(self):
            return os.makedirs, (str(tmp_path / 'ran'), 0o700, True)

    path = tmp_path / 'epoch_1.pth'
    torch.save({'state_dict': {}, 'code': Code()}, path)
    argv = [config, '--work-dir', str(tmp_path), '--no-validate', '--resume']
    for named in ([], [str(path)]):
        assert tool('train').main([*argv, *named]) == 2
        error = capsys.readouterr().err
        assert f'error: checkpoint "{path}" names the Python object' in error
        assert 'add --trust-checkpoint if you made the file' in error
        assert not (tmp_path / 'ran').exists()
    assert tool('train').main([*argv, '--trust-checkpoint']) == 2
    assert 'is of another model' in capsys.readouterr().err
    assert (tmp_path / 'ran').exists()


@pytest.mark.parametrize('flag', ['--resume', 'load_from'])
def test_the_checkpoint_of_another_model(
    flag, config, trained, tool, tmp_path, capsys
):
    path = str(trained / 'epoch_1.pth')
    argv = [config, '--work-dir', str(tmp_path), '--no-validate']
    argv += [flag, path] if flag == '--resume' else []
    argv += ['--cfg-options', 'model.backbone.depth=50']
    if flag == 'load_from':
        other = {'encoder.weight': torch.zeros(2)}
        path = str(tmp_path / 'other.pth')
        torch.save({'state_dict': other}, path)
        argv += [f'load_from={path}']
    assert tool('train').main(argv) == 2
    error = capsys.readouterr().err
    assert error.startswith(f'error: checkpoint "{path}" is of another model')
    assert error.count('\n') == 1


def test_resume_of_a_finished_training(config, trained, tool, capsys):
    argv = [config, '--work-dir', str(trained), '--resume', '--no-validate']
    before = (trained / 'epoch_1.pth').read_bytes()
    argv += ['--cfg-options', 'train_cfg.max_epochs=1']
    assert tool('train').main(argv) == 2
    error = capsys.readouterr().err
    assert 'epoch_1.pth" has finished (epoch 1 of 1): raise' in error
    assert (trained / 'epoch_1.pth').read_bytes() == before


@pytest.mark.slow
def test_exact_resume_in_two_processes(config, tool, tmp_path):
    """A training resumed after an epoch ends bit for bit as one that was
    not interrupted."""
    options = ['--cfg-options', 'train_cfg.max_epochs=2', 'randomness.seed=3']
    whole, resumed = tmp_path / 'whole', tmp_path / 'resumed'
    for work_dir in (whole, resumed):
        argv = [config, '--work-dir', str(work_dir), '--no-validate']
        argv += ['--exact-resume', *options]
        if work_dir == resumed:
            argv += ['--resume', str(whole / 'epoch_1.pth')]
        run_ranks(2, tool('train').main, argv, tmp_path)
    assert 'Epoch(train) [1]' not in log_of(resumed)
    expected, found = (
        torch.load(work_dir / 'epoch_2.pth', weights_only=False)['state_dict']
        for work_dir in (whole, resumed)
    )
    for key, value in expected.items():
        assert torch.equal(value, found[key]), key


FAMILIES = {
    'ResNet': f'{COCO}/td-hm_res50_part-mean-8xb64-210e_coco-256x192.py',
    'contrastive': f'{COCO}/td-hm_hrnet-w32_contrastive-8xb64-210e_'
    'coco-256x192.py',
}


def two_steps(config, work_dir, processes):
    """Arguments of a training on two samples in each process."""
    cfg = load_config(str(ROOT / config))
    options = {
        **narrowing(cfg.model),
        **few(cfg, 'train', samples=2 * processes, batch_size=1),
        'train_cfg.max_epochs': 1,
        'default_hooks.logger.interval': 1,
    }
    argv = ['--work-dir', str(work_dir), '--no-validate']
    return [*argv, *arguments(options)]


def check_two_steps(work_dir, processes):
    log = log_of(work_dir)
    assert 'Distributed training: True' in log
    assert f'GPU number: {processes}' in log
    losses = re.findall(r'Epoch\(train\) \[1\]\[\d/2\].* loss: (\S+)', log)
    assert len(losses) == 2
    assert all(0 < float(loss) < math.inf for loss in losses)
    assert (work_dir / 'epoch_1.pth').is_file()


@pytest.mark.slow
@pytest.mark.parametrize('family', FAMILIES)
def test_several_processes_on_the_cpu(
    family, tool, reference_folder, monkeypatch, tmp_path
):
    monkeypatch.chdir(reference_folder)
    count = 3 if family == 'ResNet' else 2
    argv = two_steps(FAMILIES[family], tmp_path, count)
    argv = [str(ROOT / FAMILIES[family]), *argv]
    printed = run_ranks(count, tool('train').main, argv, tmp_path)
    check_two_steps(tmp_path, count)
    assert 'SyncBN of the model are BN' not in printed


@pytest.mark.slow
def test_script_on_the_cpu(config, tmp_path):
    """It starts processes, and finds a port and a number of threads; imports
    print nothing."""
    options = ['model.backbone.norm_cfg.type=SyncBN']
    options.append('train_dataloader.batch_size=4')
    environment = dict(os.environ, PYTHON=sys.executable)
    environment.pop('OMP_NUM_THREADS', None)
    environment['CUDA_VISIBLE_DEVICES'] = '-1'
    done = subprocess.run(
        ['bash', str(ROOT / 'tools' / 'dist_train.sh'), config, '2']
        + ['--work-dir', str(tmp_path), '--no-validate']
        + ['--cfg-options', *options],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    check_two_steps(tmp_path, processes=2)
    assert 'SyncBN of the model are BN' in done.stdout + done.stderr
    assert re.match(r'[\d/]+ [\d:]+ - mmengine - INFO', done.stdout)
    warned = re.findall(r'(\w+)\.py:\d+: \w*Warning', done.stderr)
    while_running = {'setup_env', 'distributed', 'common_transforms'}
    assert set(warned) <= while_running, done.stderr


@pytest.mark.parametrize(
    ('options', 'sentence'),
    [
        (
            ['train_dataloader.dataset.ann_file=no.json'],
            'train_dataloader.dataset.ann_file: file "{root}/no.json" does '
            'not exist: put the data there, or set '
            '--cfg-options train_dataloader.dataset.data_root=FOLDER '
            'train_dataloader.dataset.ann_file=PATH_BELOW_IT',
        ),
        (
            ['val_dataloader.dataset.data_prefix.img=nowhere/'],
            'val_dataloader.dataset.data_prefix.img: folder "{root}/nowhere" '
            'does not exist: put the data there, or set '
            '--cfg-options val_dataloader.dataset.data_root=FOLDER '
            'val_dataloader.dataset.data_prefix.img=PATH_BELOW_IT',
        ),
        (
            ['val_dataloader.dataset.bbox_file=no.json'],
            'val_dataloader.dataset.bbox_file: file "no.json" does not exist: '
            'put the data there, or set --cfg-options '
            'val_dataloader.dataset.bbox_file=None, which takes the '
            'annotations of the data set',
        ),
        (
            ['val_evaluator.ann_file=no.json'],
            'val_evaluator.ann_file: file "no.json" does not exist: put the '
            'data there, or set --cfg-options val_evaluator.ann_file=None, '
            'which takes the annotations of the data set',
        ),
        (
            ['model.head.out_channels.x=3'],
            '--cfg-options model.head.out_channels.x does not fit config '
            '"{config}": ',
        ),
        (
            ['load_from=no.pth'],
            'checkpoint "no.pth" does not exist or is no file: give a .pth '
            'file or its URL',
        ),
    ],
)
def test_refusals(
    options, sentence, config, synthetic_people, tool, capsys, tmp_path
):
    argv = [config, '--work-dir', str(tmp_path), '--cfg-options', *options]
    assert tool('train').main(argv) == 2
    error = capsys.readouterr().err
    expected = sentence.format(root=synthetic_people, config=config)
    assert error.startswith(f'error: {expected}')
    assert error.count('\n') == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ('arguments', 'sentence'),
    [
        (
            ['--resume', 'no.pth'],
            'checkpoint "no.pth" does not exist or is no file: give a .pth '
            'file or its URL',
        ),
        (
            ['--launcher', 'mpi'],
            '--launcher mpi needs the environment variables '
            'OMPI_COMM_WORLD_RANK, OMPI_COMM_WORLD_SIZE, '
            'OMPI_COMM_WORLD_LOCAL_RANK, which the launcher sets: start with '
            'tools/dist_*.sh or tools/slurm_*.sh, or leave --launcher out',
        ),
    ],
)
def test_refused_arguments(arguments, sentence, config, tool, capsys):
    assert tool('train').main([config, *arguments]) == 2
    expected = sentence.format(config=config)
    assert capsys.readouterr().err == f'error: {expected}\n'


def test_missing_config(tool, capsys):
    assert tool('train').main(['no.py']) == 2
    assert capsys.readouterr().err == (
        'error: config file "no.py" does not exist: give the path of one, or '
        'PACKAGE::PATH for one of a package\n'
    )


@pytest.mark.parametrize(
    'address', ['http://127.0.0.1:9/weights.pth', 'no.pth']
)
def test_pretrained_weights(address, config, tool, capsys, tmp_path):
    """No network, or no file: the sentence names the override."""
    child = tmp_path / 'child.py'
    child.write_text(
        f'_base_ = {config!r}\n'
        'model = dict(backbone=dict(init_cfg=dict('
        f'_delete_=True, type="Pretrained", checkpoint={address!r})))\n'
    )
    argv = [str(child), '--work-dir', str(tmp_path / 'run')]
    assert tool('train').main(argv) == 2
    error = capsys.readouterr().err
    sentence = error[error.index('error: ') :]
    assert sentence.startswith(
        f'error: the weights model.backbone.init_cfg starts from, "{address}"'
        ', cannot be read ('
    )
    assert sentence.endswith(
        '): start without them by --cfg-options model.backbone.init_cfg=None, '
        'or name a file on disk by --cfg-options '
        'model.backbone.init_cfg.checkpoint=FILE\n'
    )
    assert sentence.count('\n') == 1


def test_module_that_cannot_be_imported(config, tool, capsys, tmp_path):
    child = tmp_path / 'child.py'
    child.write_text(
        f'_base_ = {config!r}\n'
        'custom_imports = dict(imports=["no_such_module"])\n'
    )
    assert tool('train').main([str(child)]) == 2
    assert capsys.readouterr().err == (
        f'error: config "{child}" needs a module that cannot be imported: '
        "No module named 'no_such_module'\n"
    )


def test_one_sentence_from_many_processes(tmp_path):
    done = subprocess.run(
        ['bash', str(ROOT / 'tools' / 'dist_train.sh'), 'no.py', '2'],
        env=dict(os.environ, PYTHON=sys.executable),
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert done.returncode == 2
    assert done.stderr.startswith('error: config file "no.py" does not exist')
    assert done.stderr.count('\n') == 1


@pytest.mark.parametrize(
    ('script', 'arguments', 'words'),
    [
        ('dist_train.sh', [], 'usage: bash tools/dist_train.sh CONFIG N'),
        ('dist_train.sh', ['c.py', '0'], 'error: "0" is not a number of'),
        ('dist_train.sh', ['c.py', '--x'], 'error: "--x" is not a number of'),
        ('dist_test.sh', ['c.py', 'x.pth'], 'usage: bash tools/dist_test.sh'),
        ('slurm_train.sh', ['part', 'job'], 'usage: [GPUS=8] bash tools/slu'),
        ('slurm_test.sh', ['part', 'job'], 'usage: [GPUS=8] bash tools/slu'),
    ],
)
def test_scripts_say_how_they_are_used(script, arguments, words):
    done = subprocess.run(
        ['bash', str(ROOT / 'tools' / script), *arguments],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stderr.startswith(words)
    assert done.stderr.count('\n') == 1


ECHO = '#!/bin/sh\nprintf "%s\\n" "$@"\n'
"""A program that prints its arguments."""


@pytest.mark.parametrize(
    ('script', 'command'),
    [
        ('train', [f'{ROOT}/tools/train.py', 'c.py']),
        ('test', [f'{ROOT}/tools/test.py', 'c.py', 'x.pth']),
        (
            'benchmark',
            ['-m', 'mmpose_occlusion.cli.benchmark', 'c.py', 'x.pth'],
        ),
    ],
)
def test_command_of_each_process(script, command, tmp_path):
    python = tmp_path / 'python'
    python.write_text(ECHO)
    python.chmod(0o755)
    start = command.index('c.py')
    tool, inputs = command[:start], command[start:]
    done = subprocess.run(
        ['bash', str(ROOT / 'tools' / f'dist_{script}.sh'), *inputs, '4']
        + ['--out', 'a dir'],
        env=dict(os.environ, PYTHON=str(python)),
        capture_output=True,
        text=True,
        check=True,
    )
    launcher, *words = done.stdout.splitlines()
    assert launcher == str(ROOT / 'tools' / '_torchrun.py')
    assert words == [
        *('--standalone', '--nproc-per-node', '4', *tool),
        *('--launcher', 'pytorch', *inputs, '--out', 'a dir'),
    ]


def test_slurm_command(tmp_path):
    srun = tmp_path / 'srun'
    srun.write_text(ECHO)
    srun.chmod(0o755)
    environment = dict(
        os.environ,
        PATH=f'{tmp_path}:{os.environ["PATH"]}',
        PYTHON='python3',
        GPUS='4',
        SRUN_ARGS='--quiet --mem 8G',
    )
    done = subprocess.run(
        ['bash', str(ROOT / 'tools' / 'slurm_train.sh')]
        + ['part', 'job', 'c.py', 'a dir', '--amp'],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    words = done.stdout.splitlines()
    assert words[:3] == ['-p', 'part', '--job-name=job']
    assert '--ntasks=4' in words
    assert '--gres=gpu:4' in words
    assert words[words.index('--mem') + 1] == '8G'
    tool = words.index(str(ROOT / 'tools' / 'train.py'))
    assert words[tool - 2 : tool] == ['python3', '-u']
    assert words[tool + 1 :] == [
        '--launcher',
        'slurm',
        'c.py',
        '--work-dir',
        'a dir',
        '--amp',
    ]


def test_interpreter_without_torch(tmp_path):
    """It says so, and how to name another."""
    blind = tmp_path / 'python'
    # -S leaves site-packages out, -E what the environment would add
    blind.write_text(f'#!/bin/sh\nexec {sys.executable} -E -S "$@"\n')
    blind.chmod(0o755)
    for tool in ('train.py', '_torchrun.py'):
        done = subprocess.run(
            [str(blind), str(ROOT / 'tools' / tool), 'c.py'],
            capture_output=True,
            text=True,
        )
        assert done.returncode == 1
        assert 'has no module "' in done.stderr
        assert 'make -s print-python' in done.stderr
        assert done.stderr.count('\n') == 1
        assert Path(done.stderr.split()[1]).name.startswith('python')
