"""Tables of models, and the checks of submitted results."""

import csv
import io
import json

import pytest

from mmpose_occlusion.benchmark.report.results_file import check_result
from mmpose_occlusion.benchmark.suite import checksum
from mmpose_occlusion.cli.report import main_table
from mmpose_occlusion.errors import UsageError


def estimate(value):
    return dict(value=value, low=value - 0.1, high=value + 0.1)


@pytest.fixture
def report(tmp_path):
    return write_report(tmp_path)


def write_report(folder):
    """A report.json of two models, as far as the table reads it."""
    summary = dict(
        suite='severity', measure='AP', curves=1, severities=[0.1],
        clean=estimate(0.5), mpc=estimate(0.25), rpc=estimate(0.5), halves=[],
    )  # fmt: skip
    models = [
        dict(
            model=name,
            data='coco/val',
            people=1234,
            images=500,
            suites=dict(severity=checksum('severity'), attacks=''),
            conditions=dict(boxes='annotated', suites='severity (...)'),
            summaries=[summary],
        )
        for name in ('model_a', 'b & c')
    ]
    (folder / 'report.json').write_text(json.dumps(dict(models=models)))
    return folder


def printed(capsys, *argv):
    assert main_table(list(map(str, argv))) == 0
    return capsys.readouterr().out


def test_formats(report, tmp_path, capsys):
    text = printed(capsys, report)
    assert text.splitlines() == [
        f'coco/val, suite severity ({checksum("severity")})',
        '',
        '| model | people | clean AP | mPC | rPC |',
        '| --- | ---: | ---: | ---: | ---: |',
        *(
            f'| {name} | 1,234 | 0.500 [0.400, 0.600] | '
            '0.250 [0.150, 0.350] | 0.500 [0.400, 0.600] |'
            for name in ('model_a', 'b & c')
        ),
        '',
        '- all: boxes: annotated',
    ]
    results = tmp_path / 'results.json'
    tex = printed(capsys, report, '--format', 'latex', '--results', results)
    assert r'model\_a & 1,234 & 0.500 [0.400, 0.600] & ' in tex
    assert r'b \& c & ' in tex
    table = printed(capsys, results, '--format', 'csv')
    first, second = csv.DictReader(io.StringIO(table))
    assert (first['mpc'], first['mpc_low']) == ('0.25', '0.15')
    assert second['checksum'] == checksum('severity')
    assert printed(capsys, results) == text


@pytest.mark.parametrize(
    ('change', 'words'),
    [
        (dict(checksum='0' * 16), 'they are other attacks'),
        (dict(mpc=dict(value=0.5, low=0.6, high=0.7)), 'low <= value'),
        (dict(mpc=dict(value='much')), 'should be numbers'),
        (dict(people='many'), 'no "people" of type int'),
        (dict(protocol=None), 'no "protocol" of type str'),
    ],
)
def test_the_checker_refuses(report, tmp_path, capsys, change, words):
    results = tmp_path / 'results.json'
    printed(capsys, report, '--results', results)
    content = json.loads(results.read_text())
    check_result(content['results'][1])
    content['results'][1].update(change)
    with pytest.raises(UsageError, match=words):
        check_result(content['results'][1])
    results.write_text(json.dumps(content))
    assert main_table([str(results)]) == 2
    error = capsys.readouterr().err
    assert 'result 1' in error
    assert words in error


def test_reports_without_severities(report, capsys):
    content = json.loads((report / 'report.json').read_text())
    for model in content['models']:
        model['summaries'] = []
    (report / 'report.json').write_text(json.dumps(content))
    assert main_table([str(report)]) == 2
    assert 'no suite of attacks of several sizes' in capsys.readouterr().err
    (report / 'report.json').write_text('[]')
    assert main_table([str(report)]) == 2
    assert 'neither a report nor a results file' in capsys.readouterr().err
