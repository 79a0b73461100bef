"""Commands that are killed at random moments, and started again.

``OCCLUSION_KILLS=20 pytest tests/test_cli/test_kills.py -m slow -s`` kills
each command 20 times and prints a table; without the variable, the benchmark
is killed once.
"""

import contextlib
import json
import os
import random
import shutil
import signal
import time

import cv2
import numpy as np
import pytest
import torch

from mmpose_occlusion.benchmark.data import load_runs
from tests.test_benchmark.small import assert_same

MANY = os.environ.get('OCCLUSION_KILLS')
KILLS = int(MANY or 1)
SIGNALS = signal.SIGKILL, signal.SIGTERM, signal.SIGINT

COMMANDS = {
    'train': [
        *('train', '{config}', '--work-dir', 'out', '--no-validate'),
        *('--resume', '--exact-resume', '--cfg-options'),
        *('train_cfg.max_epochs=3', 'randomness.seed=0'),
        'default_hooks.checkpoint.max_keep_ckpts=1',
    ],
    'test': [
        *('test', '{config}', '{checkpoint}', '--work-dir', 'logs'),
        *('--out', 'out/metrics.json'),
    ],
    'benchmark': [
        *('benchmark', '{config}', '{checkpoint}', '--out', 'out'),
        *('--attack', 'keypoint:nose:black', '--batch-size', '2'),
        *('--num-workers', '1'),
    ],
    'report': ['report', '{store}', '--out', 'out'],
    'browse': [
        *('browse', '{config}', '--split', 'test', '--out', 'out'),
        *('--attack', 'keypoint:nose:black'),
    ],
    'export': [
        *('export', '{people}', '{images}', '--out', 'out'),
        *('--attack', 'keypoint:nose:black'),
    ],
}


def start(main, argv, folder):
    """A forked process that runs a command in a folder."""
    child = os.fork()
    if not child:
        os.setpgid(0, 0)
        os.chdir(folder)
        os.environ['OMP_NUM_THREADS'] = '1'
        torch.set_num_threads(1)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        status = 70
        try:
            with (
                open('printed.txt', 'w') as printed,
                contextlib.redirect_stdout(printed),
                contextlib.redirect_stderr(printed),
            ):
                status = main(argv)
        finally:
            os._exit(status)
    with contextlib.suppress(OSError):
        os.setpgid(child, child)
    return child


def finished(folder):
    """Relative name -> content of each file of a result, without those that
    hold times; checks that each can be read."""
    found = {}
    for path in sorted((folder / 'out').rglob('*')):
        name = str(path.relative_to(folder))
        if not path.is_file() or '/.' in f'/{name}':
            continue
        if {'vis_data', 'logs'} & set(path.parts):
            continue
        if path.suffix == '.pth':
            state = torch.load(path, weights_only=False)
            data = {k: v.tolist() for k, v in state['state_dict'].items()}
        elif path.suffix in ('.png', '.jpg'):
            image = cv2.imread(str(path))
            assert image is not None, f'{name} is incomplete'
            data = image.tobytes()
        elif path.suffix == '.npz':
            with np.load(path, allow_pickle=False) as file:
                data = {k: v.tolist() for k, v in file.items()}
        elif path.suffix == '.csv':
            data = path.read_text()
        elif path.suffix == '.json':
            json.loads(path.read_text())
            data = None  # times
        elif path.suffix == '.html':
            assert path.read_text().rstrip().endswith('</html>'), name
            data = None
        else:
            continue
        found[name] = data
    return found


@pytest.mark.slow
@pytest.mark.parametrize('name', COMMANDS if MANY else ['benchmark'])
def test_killed_and_started_again(
    name, config, checkpoint, synthetic_people, tool, tmp_path
):
    """No incomplete file has its final name, and the second run's files are
    those of an undisturbed one."""
    values = dict(
        config=config,
        checkpoint=checkpoint,
        people=synthetic_people / 'annotations/person_keypoints_val.json',
        images=synthetic_people / 'val',
        store=tmp_path / 'store',
    )
    if name == 'report':
        argv = [word.format(**values) for word in COMMANDS['benchmark'][1:]]
        argv[argv.index('out')] = str(values['store'])
        assert tool('benchmark').main(argv) == 0
    command, *argv = (word.format(**values) for word in COMMANDS[name])
    main = tool(command).main

    def run(folder, seconds=None, number=signal.SIGKILL):
        """Exit status; killed after a time, its negative signal."""
        folder.mkdir(exist_ok=True)
        child = start(main, argv, folder)
        if seconds is not None:
            time.sleep(seconds)
            os.killpg(child, number)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    begin = time.monotonic()
    whole = tmp_path / 'whole'
    assert run(whole) == 0, (whole / 'printed.txt').read_text()
    length = time.monotonic() - begin
    expected = finished(whole)
    assert expected
    seed = random.randrange(2**32)
    rng = random.Random(seed)
    early = 0
    for turn in range(KILLS):
        folder = tmp_path / f'killed{turn}'
        number = SIGNALS[turn % 3]
        seconds = rng.uniform(0, length)
        early += run(folder, seconds, number) != 0
        where = f'{number.name} after {seconds:.2f} s (seed {seed})'
        finished(folder)  # whatever is there can be read
        status = run(folder)
        printed = (folder / 'printed.txt').read_text()
        if not (name == 'train' and 'has finished' in printed):
            assert status == 0, f'{where}: {printed}'
        found = finished(folder)
        if name == 'train':  # an old checkpoint may stay
            last = 'out/epoch_3.pth'
            assert found[last] == expected[last], where
        elif name == 'benchmark':
            runs = (load_runs(each / 'out') for each in (folder, whole))
            for one, two in zip(*runs, strict=True):
                assert_same(one, two)
            assert set(found) >= {k for k in expected if '/store/' not in k}
        else:
            assert found == expected, where
        shutil.rmtree(folder)
    print(f'\n| {name} | {KILLS} | {early} | 0 | {KILLS} |')
