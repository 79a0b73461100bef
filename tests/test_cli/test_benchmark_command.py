"""The benchmark by its command: in one process, killed, in three."""

import itertools
import json
import os
import re
import signal

import pytest

from mmpose_occlusion.benchmark.api import load_benchmark, run_benchmark
from mmpose_occlusion.benchmark.data import load_runs
from mmpose_occlusion.benchmark.store import RunStore
from mmpose_occlusion.cli.benchmark import main
from mmpose_occlusion.errors import UsageError
from tests.ranks import exit_code, run_ranks
from tests.test_benchmark.small import assert_same

ATTACKS = ['--attack', 'keypoint:nose:black', '--attack', 'part:head']
BATCH = ['--batch-size', '2', '--num-workers', '0']


@pytest.fixture
def arguments(config, checkpoint):
    return [config, checkpoint, *ATTACKS, *BATCH]


@pytest.fixture
def benchmark(tool, arguments):
    """Run the tool in this process."""

    def run(out, *more):
        argv = [*arguments, '--out', str(out), *more]
        return tool('benchmark').main(argv)

    return run


def benchmark_or_die(argv):
    """A benchmark that is killed before it writes its second block."""
    write, count = RunStore.write, itertools.count()

    def write_or_die(*arguments):
        if next(count):
            os.kill(os.getpid(), signal.SIGKILL)
        write(*arguments)

    RunStore.write = write_or_die
    main(argv)


@pytest.mark.slow
def test_killed_and_resumed_in_three_processes(benchmark, arguments, tmp_path):
    whole, broken = tmp_path / 'whole', tmp_path / 'broken'
    assert benchmark(whole) == 0
    (expected,) = load_runs(whole)
    assert [a.name for a in expected.attacks] == [
        'keypoint:nose:black',
        'part:head:blur',
    ]
    argv = [*arguments, '--out', str(broken)]
    assert exit_code(benchmark_or_die, argv) == -signal.SIGKILL
    assert len(list(broken.glob('store/*/shards/*.npz'))) == 1
    run_ranks(3, main, argv, tmp_path)
    (found,) = load_runs(broken)
    assert_same(found, expected)
    (kept, all_) = (run.run['forward_passes'] for run in (found, expected))
    assert 0 < kept == all_


@pytest.mark.slow
def test_a_map_is_refined_by_two_processes(
    config, checkpoint, tmp_path, capsys
):
    """A dry run counts what is missing, and the report is written once."""
    missing = r'At most ([\d,]+) predictions of a person are missing'

    def run(**more):
        found = run_benchmark(
            config,
            checkpoint,
            out=tmp_path,
            suites=['map-coarse'],
            batch_size=2,
            max_images=2,
            gt_boxes=True,
            num_workers=0,
            **more,
        )
        return found and found.runs[0]

    assert run(dry_run=True) is None
    (wanted,) = re.findall(missing, capsys.readouterr().out)
    assert not (tmp_path / 'store').exists()
    expected = run()
    crops = (1 + len(expected.attacks)) * len(expected.boxes)
    assert int(wanted.replace(',', '')) == crops
    assert run(dry_run=True) is None
    assert 'all is stored' in capsys.readouterr().out
    # too few people for a rise that is more than noise
    argv = [config, checkpoint, '--suite', 'map-coarse', '--batch-size', '2']
    argv += ['--max-images', '2', '--gt-boxes', '--out', str(tmp_path)]
    printed = run_ranks(2, main, [*argv, '--refine', '0.1'], tmp_path)
    assert printed.count('0 finer cells, ') == 1
    assert printed.count('Wrote ') == 1
    (found,) = load_runs(tmp_path)
    assert_same(found, expected)
    table = (tmp_path / 'map_joints.csv').read_text().splitlines()
    assert len(table) == 1 + len(expected.joints.names)


def test_the_call_in_python(config, checkpoint, tmp_path):
    """As the demo uses it, with another data set than the config's."""
    found = run_benchmark(
        config,
        checkpoint,
        out=tmp_path,
        data=dict(indices=3),
        attacks=['keypoint:nose:black:24'],
        num_workers=0,
    )
    (run,) = found.runs
    assert len(run.boxes) == 3
    assert [a.name for a in run.attacks] == ['keypoint:nose:black:24']
    roles = {row['role'] for row in found.rows()}
    assert roles <= {'target', 'bystander', 'visible'}
    page = found.report(tmp_path / 'page', draws=20)
    assert page == tmp_path / 'page' / 'index.html'
    assert_same(load_benchmark(tmp_path).runs[0], run)


def test_what_is_noted(benchmark, config, checkpoint, tmp_path, capsys):
    assert benchmark(tmp_path, '--max-images', '2') == 0
    said = capsys.readouterr().out
    assert f'Wrote {tmp_path / "index.html"}' in said
    (run,) = load_runs(tmp_path)
    assert run.run['command'].startswith('python ')
    assert run.run['config'] == config
    assert len(run.run['checkpoint_sha256']) == 64
    assert run.run['versions']['torch']
    assert run.model == 'tiny'
    assert len(set(run.boxes.image_ids)) == 2
    capsys.readouterr()
    assert benchmark(tmp_path, '--max-images', '2', '--dry-run') == 0
    assert 'Nothing is to be computed' in capsys.readouterr().out
    last = next(tmp_path.glob('store/*/last.json'))
    assert json.loads(last.read_text())['forward_passes'] > 0
    # nothing there is a program
    assert not list(tmp_path.rglob('store/**/*.py'))


@pytest.mark.parametrize(
    ('more', 'sentence'),
    [
        (['--suite', 'papper'], 'suite "papper" does not exist'),
        (['--attack', 'keypoint:tail'], "There is no joint 'tail'"),
        (
            ['--cfg-options', 'test_dataloader.dataset.ann_file=no.json'],
            'does not exist: put the data there',
        ),
    ],
)
def test_refused(benchmark, tmp_path, capsys, more, sentence):
    assert benchmark(tmp_path / 'out', *more) == 2
    error = capsys.readouterr().err
    assert error.startswith('error: ')
    assert sentence in error
    assert not (tmp_path / 'out' / 'store').exists()


@pytest.mark.parametrize(
    'more', [['--max-images', '0'], ['--batch-size', 'x'], ['--seed', '-1']]
)
def test_numbers_are_checked(benchmark, tmp_path, capsys, more):
    with pytest.raises(SystemExit):
        benchmark(tmp_path, *more)
    assert 'is not a whole number from' in capsys.readouterr().err


@pytest.mark.parametrize(
    'words',
    [
        *(['--annotations', 'a.json'], ['--detections', 'b.json']),
        *(['--images', 'folder'], ['--predictor-option', 'padding=1']),
        *(['--people', 'one'], ['--timeout', '9']),
    ],
)
def test_options_for_images_and_a_config(words):
    options = main.parse(['c.py', 'c.pth', '--out', 'out', *words])
    with pytest.raises(UsageError) as refused:
        main.work(options)
    assert str(refused.value) == (
        f'{words[0]} does not work for "c.py", which is a config of MMPose: '
        'leave it out'
    )


@pytest.mark.parametrize(
    'words',
    [
        *(['--gt-boxes'], ['--cfg-options', 'a=1'], ['--trust-checkpoint']),
        ['--launcher', 'pytorch'],
    ],
)
def test_options_of_configs_and_another_model(words):
    options = main.parse(['m.onnx', '--out', 'out', *words])
    with pytest.raises(UsageError) as refused:
        main.work(options)
    assert str(refused.value) == (
        f'{words[0]} does not work for "m.onnx", which is no config of '
        'MMPose: leave it out'
    )
