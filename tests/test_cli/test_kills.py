"""Commands that are killed at random moments or fill the disk, started again.

``OCCLUSION_KILLS=20 pytest tests/test_cli/test_kills.py -m slow -s`` kills
each command 20 times, fills the disk once, and prints tables; without the
variable, those of ``SHORT`` and ``FULL_DISK`` do it once.
"""

import contextlib
import json
import os
import random
import re
import resource
import shutil
import signal
import tarfile
import time

import convert_checkpoint
import cv2
import numpy as np
import prepare_data
import pytest
import torch
from scipy.io import loadmat

from mmpose_occlusion.benchmark.data import load_runs
from mmpose_occlusion.benchmark.file_exchange import export_images
from tests.test_benchmark.small import assert_same
from tests.test_benchmark.test_file_exchange import Pixels, another_program
from tests.test_benchmark.test_results_file import write_report
from tests.test_checkpoints.reference_models import SimpleBaseline, randomised
from tests.test_projects.test_mpii_release import write_release

MANY = os.environ.get('OCCLUSION_KILLS')
KILLS = int(MANY or 1)
SIGNALS = (
    (signal.SIGKILL,),
    (signal.SIGTERM,),
    (signal.SIGINT,),
    (signal.SIGINT, signal.SIGINT),
)
SHORT = 'benchmark', 'image', 'video', 'worst'
FULL_DISK = 'benchmark', 'export'

NOSE = ('--attack', 'keypoint:nose:black')
DATA = ('--annotations', '{people}', '--images', '{images}')
PREDICTOR = 'tests.test_cli.test_kills:pixels'
pixels = Pixels(needs_boxes=True)

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
        *(*NOSE, '--batch-size', '2', '--num-workers', '1'),
    ],
    'report': ['report', '{store}', '--out', 'out'],
    'browse': [
        *('browse', '{config}', '--split', 'test', '--out', 'out', *NOSE),
    ],
    'export': ['export', '{people}', '{images}', '--out', 'out', *NOSE],
    'tar': ['export', '{people}', '{images}', '--out', 'out', *NOSE, '--tar'],
    'import': ['import', '{exported}', '{results}', '--out', 'out'],
    'image': [
        *('image', '{photo}', '--keypoints', '{pose}', *NOSE),
        *('--out', 'out/x.png', '--overwrite'),
    ],
    'folder': [
        *('image', '{images}', '--keypoints', '{people}', *NOSE),
        *('--out', 'out/images'),
    ],
    'video': [
        *('image', '{video}', '--predictor', PREDICTOR, *NOSE),
        *('--out', 'out/x.mp4', '--overwrite'),
    ],
    'worst': [
        *('worst', PREDICTOR, *DATA, '--out', 'out', '--candidates', '4'),
        *('--rounds', '1', '--draws', '50', '--max-images', '4'),
    ],
    'zoo': ['zoo', '--zoo', '{zoo}', *DATA, *NOSE, '--out', 'out'],
    'table': ['table', '{table}', '--results', 'out/results.json'],
    'check': [
        *('check', '{people}', '{images}', '--config', '{config}'),
    ],
    'convert': ['convert', '{reference}', 'out/converted.pth'],
    'link': ['prepare', 'link', '{data}', 'out'],
    'mpii': ['prepare', 'mpii', '{release}', 'out', '--val', '{names}'],
}
MAINS = {
    'convert': convert_checkpoint.main,
    'prepare': prepare_data.main,
}


def start(main, argv, folder, limit=None):
    """A forked process that runs a command in a folder; a limit of bytes for
    each file stands for a full disk."""
    child = os.fork()
    if not child:
        os.setpgid(0, 0)
        os.chdir(folder)
        os.environ['OMP_NUM_THREADS'] = '1'
        torch.set_num_threads(1)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if limit:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
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


TIMES = re.compile(
    r'\d{4}-\d\d-\d\d[T ][\d:]+|"(seconds|time|forward_passes)": [^,]+'
    r'|killed\d+|whole|<code>[\d.]+</code>'
)


def content(path):
    """What a file holds, without times; an incomplete one is an error."""
    if path.suffix == '.pth':
        state = torch.load(path, weights_only=False)
        return {k: v.tolist() for k, v in state['state_dict'].items()}
    if path.suffix in ('.png', '.jpg'):
        data = path.read_bytes()
        assert data.endswith((b'IEND\xaeB`\x82', b'\xff\xd9')), 'cut short'
        return cv2.imread(str(path)).tobytes()
    if path.suffix == '.npz':
        with np.load(path, allow_pickle=False) as file:
            return {k: repr(v.tolist()) for k, v in file.items()}
    if path.suffix == '.mat':
        return {k: v.tolist() for k, v in loadmat(path).items() if k[0] != '_'}
    if path.suffix == '.mp4':
        reader, frames = cv2.VideoCapture(str(path)), []
        while (frame := reader.read())[0]:
            frames.append(frame[1].tobytes())
        assert frames
        return frames
    if path.suffix == '.tar':
        with tarfile.open(path) as archive:
            names = archive.getnames()
            return [archive.extractfile(name).read() for name in names]
    text = path.read_text()
    if path.suffix == '.json':
        json.loads(text)
    if path.suffix == '.html':
        assert text.rstrip().endswith('</html>')
    return TIMES.sub('', text)


def finished(folder):
    """Relative name -> content of each file of a result, or of the target of
    a link."""
    found = {}
    for path in sorted((folder / 'out').rglob('*')):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = str(path.resolve())
        elif (
            path.is_file()
            and '/.' not in name
            and not {'vis_data', 'logs'} & set(path.parts)
            and path.suffix not in ('.py', '.log')
        ):
            try:
                found[name] = content(path)
            except Exception as error:
                raise AssertionError(f'{name}: {error}') from error
    return found


@pytest.fixture(scope='module')
def inputs(
    config, checkpoint, synthetic_people, reference_folder, tmp_path_factory
):
    """What the commands read: words of :data:`COMMANDS` -> paths."""
    folder = tmp_path_factory.mktemp('inputs')
    names = dict(
        photo='photo.png',
        pose='pose.json',
        video='video.mp4',
        exported='exported',
        results='exported/results',
        zoo='zoo.yml',
        table='report.json',
        reference='reference.pth',
        release='release.mat',
        names='names.txt',
        store='store',
    )
    found = {key: folder / name for key, name in names.items()}
    found |= dict(
        config=config,
        checkpoint=checkpoint,
        people=synthetic_people / 'annotations/person_keypoints_val.json',
        images=synthetic_people / 'val',
        data=reference_folder / 'data',
    )
    rng = np.random.default_rng(0)
    cv2.imwrite(
        str(found['photo']), rng.integers(0, 256, (1500, 2000, 3), np.uint8)
    )
    pose = [[100 * k + 50, 700, 2] for k in range(17)]
    found['pose'].write_text(json.dumps(pose))
    writer = cv2.VideoWriter(
        str(found['video']),
        cv2.VideoWriter.fourcc(*'mp4v'),
        25.0,
        (320, 240),
    )
    for _ in range(40):
        writer.write(rng.integers(0, 256, (240, 320, 3), np.uint8))
    writer.release()
    export_images(
        found['people'],
        found['images'],
        found['exported'],
        attacks=['keypoint:nose:black'],
    )
    another_program(found['exported'], pixels)
    model = dict(model=PREDICTOR)
    models = [dict(model, name='one'), dict(model, name='two')]
    found['zoo'].write_text(json.dumps(models))
    write_report(folder)
    reference = randomised(SimpleBaseline, 18, 17, (16, 16, 16))
    torch.save(reference.state_dict(), found['reference'])
    write_release(found['release'])
    found['names'].write_text('0001.jpg')
    return found


@pytest.fixture
def run(name, inputs, tool):
    """Run a command in a folder; returns its exit status. It is killed after
    a number of seconds, or no file may have more bytes than a limit."""
    if name == 'report' and not inputs['store'].exists():
        argv = [word.format(**inputs) for word in COMMANDS['benchmark'][1:]]
        argv[argv.index('out')] = str(inputs['store'])
        assert tool('benchmark').main(argv) == 0
    command, *argv = (word.format(**inputs) for word in COMMANDS[name])
    main = MAINS.get(command) or tool(command).main

    def run(folder, seconds=None, signals=(), limit=None):
        (folder / 'out').mkdir(parents=True, exist_ok=True)
        child = start(main, argv, folder, limit)
        if seconds is not None:
            time.sleep(seconds)
            for number in signals:
                os.killpg(child, number)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    return run


@pytest.fixture(scope='module')
def wholes():
    """Command -> folder of an undisturbed run, and its seconds."""
    return {}


@pytest.fixture
def whole(name, run, wholes, tmp_path_factory):
    if name not in wholes:
        begin, folder = time.monotonic(), tmp_path_factory.mktemp('whole')
        assert run(folder) == 0, (folder / 'printed.txt').read_text()
        wholes[name] = folder, time.monotonic() - begin
    return wholes[name]


def assert_equal_results(name, folder, whole, where):
    """The files of a command that was run again are those of an undisturbed
    one."""
    expected, found = finished(whole), finished(folder)
    if name == 'train':  # an old checkpoint may stay
        found = {k: found[k] for k in expected if '_3.pth' in k}
    for path in whole.rglob('run.json'):
        store = path.parents[2]
        runs = load_runs(folder / store.relative_to(whole)), load_runs(store)
        for one, two in zip(*runs, strict=True):
            assert_same(one, two)
    for file, data in expected.items():
        if '/store/' not in file and (name != 'train' or file in found):
            assert found[file] == data, f'{where}: {file}'


@pytest.mark.slow
@pytest.mark.parametrize('name', COMMANDS if MANY else SHORT)
def test_killed_and_started_again(name, run, whole, tmp_path):
    """No incomplete file has its final name, and the second run's files are
    those of an undisturbed one."""
    whole, length = whole
    expected = finished(whole)
    assert expected or name == 'check'
    seed = random.randrange(2**32)
    rng = random.Random(seed)
    early = 0
    for turn in range(KILLS):
        folder = tmp_path / f'killed{turn}'
        signals = SIGNALS[turn % len(SIGNALS)]
        seconds = rng.uniform(0, length)
        early += run(folder, seconds, signals) != 0
        where = f'{signals} after {seconds:.2f} s (seed {seed})'
        found = finished(folder)  # whatever is there can be read
        status = run(folder)
        printed = (folder / 'printed.txt').read_text()
        if name != 'train' or 'has finished' not in printed:
            # a complete export is not replaced
            assert status == 0 or found == expected, f'{where}: {printed}'
        assert_equal_results(name, folder, whole, where)
        shutil.rmtree(folder)
    print(f'\n| {name} | {KILLS} | {early} | 0 | {KILLS} |')


@pytest.mark.slow
@pytest.mark.parametrize(
    'name', sorted({*COMMANDS} - {'check', 'link'}) if MANY else FULL_DISK
)
def test_full_disk_and_started_again(name, run, whole, tmp_path):
    """One sentence, no incomplete file, and the same command goes on."""
    (whole, _), folder = whole, tmp_path / 'full'
    sizes = [
        path.stat().st_size
        for path in (whole / 'out').rglob('*')
        if path.is_file() and path.suffix not in ('.log', '.py')
    ]
    limit = max(sizes) // 2
    assert run(folder, limit=limit) != 0
    printed = (folder / 'printed.txt').read_text()
    assert 'Traceback' not in printed
    (sentence,) = re.findall('^error: .*', printed, re.MULTILINE)
    finished(folder)
    assert run(folder) == 0, (folder / 'printed.txt').read_text()
    assert_equal_results(name, folder, whole, sentence)
    print(f'\n| {name} | {limit} | {sentence} |')
