"""The report by its command, after the benchmark by its."""

import json
import shutil

import pytest

ATTACKS = ['--attack', 'keypoint:nose:black:24', '--attack', 'part:head:black']


@pytest.fixture(scope='module')
def benchmark(config, checkpoint, tool, tmp_path_factory):
    """The folder of a benchmark, in which it has left its own report."""
    out = tmp_path_factory.mktemp('benchmark')
    argv = [config, checkpoint, *ATTACKS, '--num-workers', '0']
    assert tool('benchmark').main([*argv, '--out', str(out)]) == 0
    return out


def numbers_of(folder):
    numbers = json.loads((folder / 'report.json').read_text())
    numbers.pop('run')
    return numbers


def test_the_same_report_from_the_store_alone(
    benchmark, tool, tmp_path, capsys
):
    copy = tmp_path / 'copy'
    shutil.copytree(benchmark / 'store', copy / 'store')
    assert tool('report').main([str(copy)]) == 0
    assert f'Wrote {copy / "index.html"}' in capsys.readouterr().out
    assert numbers_of(copy) == numbers_of(benchmark)
    for page in (copy / 'index.html', benchmark / 'index.html'):
        text = page.read_text()
        assert 'Worst cases' in text
        assert text.count('data:image/jpeg') >= 2


def test_tables_of_a_paper_alone(benchmark, tool, tmp_path, capsys):
    out, table = tmp_path / 'out', tmp_path / 'table.tex'
    argv = [str(benchmark), '--out', str(out), '--draws', '20']
    assert tool('report').main([*argv, '--latex', str(table), '--csv']) == 0
    said = capsys.readouterr().out
    assert f'Wrote {out}: CSV files\nWrote {table}\n' in said
    assert {p.suffix for p in out.iterdir()} == {'.csv'}
    assert r'\bottomrule' in table.read_text()
    assert tool('report').main([*argv, '--json']) == 0
    assert [p.name for p in out.iterdir()] == ['report.json']


def test_models_get_the_names_that_are_asked_for(benchmark, tool, tmp_path):
    argv = [str(benchmark)] * 2 + ['--out', str(tmp_path), '--draws', '5']
    argv += ['--json', '--name', 'ours']
    assert tool('report').main(argv) == 2
    assert tool('report').main([*argv, '--name', 'theirs']) == 0
    models = numbers_of(tmp_path)['models']
    assert [model['model'] for model in models] == ['ours', 'theirs']


def test_folders_side_by_side(benchmark, tool, tmp_path):
    out = tmp_path / 'both'
    argv = [str(benchmark), str(benchmark), '--out', str(out)]
    argv += ['--draws', '20', '--cases', '1']
    assert tool('report').main(argv) == 0
    numbers = numbers_of(out)
    comparison = numbers['comparison']
    assert comparison['baseline'].endswith(f' ({benchmark.name})')
    assert len(comparison['differences']) == 3
    for row in comparison['differences']:
        ends = row['score']['AP']
        assert ends['value'] in (0, None)
    assert 'Models side by side' in (out / 'index.html').read_text()


def test_refused(tool, tmp_path, capsys):
    report = tool('report')
    assert report.main([str(tmp_path)]) == 2
    assert 'holds no benchmark' in capsys.readouterr().err
    with pytest.raises(SystemExit, match='2'):
        report.main([str(tmp_path), '--draws', '-1'])
    assert '"-1" is not a whole number from 0' in capsys.readouterr().err
