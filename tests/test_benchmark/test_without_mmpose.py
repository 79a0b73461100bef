"""The benchmark where MMPose and PyTorch are not installed."""

import json

from mmpose_occlusion.benchmark.api import load_benchmark
from tests.without_mmpose import python

from .small import config, network, run

CODE = """
import contextlib, io, json
import mmpose_occlusion.predictors
from mmpose_occlusion.benchmark.api import load_benchmark
from mmpose_occlusion.benchmark.suite import load_suites, shipped
from mmpose_occlusion.cli import benchmark, report
from mmpose_occlusion.skeleton import Skeleton

folder, out = sys.argv[1:]
skeleton = Skeleton(('nose', 'left_wrist'))
attacks = load_suites(shipped(), ['keypoint:nose:black:40'], skeleton)
rows = list(load_benchmark(folder).rows())
printed, error = io.StringIO(), io.StringIO()
with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(error):
    report_status = report.main([folder, '--out', out, '--draws', '20'])
    benchmark_status = benchmark.main(
        [f'{out}/config.py', 'x.pth', '--out', f'{out}/benchmark'])
print(json.dumps([
    len(attacks), rows, report_status, printed.getvalue(),
    benchmark_status, error.getvalue(),
]))
"""


def test_without_mmpose(scope, synthetic_people, tmp_path):
    """Suites and stored benchmarks are read, reports written, and a command
    that needs MMPose is refused in one sentence."""
    folder, out = tmp_path / 'stored', tmp_path / 'report'
    out.mkdir()
    (out / 'config.py').write_text('')
    attacks = ('keypoint:nose:black', 'part:head:mean')
    run(config(synthetic_people), network(), folder, attacks)
    suite, rows, report_status, printed, benchmark_status, error = json.loads(
        python(CODE, folder, out)
    )
    assert suite > 20
    assert rows == list(load_benchmark(folder).rows())
    assert {row['role'] for row in rows} >= {'target', 'visible'}
    assert report_status == 0
    assert 'Wrote' in printed
    assert (out / 'index.html').is_file()
    assert benchmark_status == 1
    assert error.startswith('error: ')
    assert error.count('\n') == 1
    assert 'has no module "torch", which this command needs' in error
