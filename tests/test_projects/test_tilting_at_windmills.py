"""The reference's experiments, and the script that runs one."""

from pathlib import Path

import deviations
import experiments
import pytest
import run

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / 'projects/tilting_at_windmills'


def test_all_nineteen_have_a_config_of_their_own():
    configs = {e.config for e in experiments.EXPERIMENTS}
    assert len(configs) == len(experiments.EXPERIMENTS) == 19
    assert [c for c in configs if not (ROOT / c).is_file()] == []


@pytest.mark.parametrize(
    'experiment', experiments.EXPERIMENTS, ids=lambda e: e.reference
)
def test_a_config_names_its_experiment(experiment):
    text = (ROOT / experiment.config).read_text()
    assert f'The reference calls it {experiment.reference}.' in text


def test_the_readme_has_the_table():
    assert experiments.markdown() in (FOLDER / 'README.md').read_text()


def test_an_unknown_experiment_lists_all(capsys):
    assert run.main(['coco/hrnet/cutmix']) == 2
    error = capsys.readouterr().err
    assert 'there is no experiment "coco/hrnet/cutmix"' in error
    assert 'mpii/hrnet/cutmix_05_noremove' in error


def test_missing_data_is_one_sentence(tmp_path, capsys):
    options = [f'train_dataloader.dataset.data_root={tmp_path}']
    arguments = ['coco/resnet/res_50', '--cfg-options', *options]
    assert run.main(arguments) == 2
    error = capsys.readouterr().err
    assert 'train_dataloader.dataset.ann_file' in error
    assert 'does not exist' in error


def test_deviations(synthetic_people, capsys):
    """Corrected rules paint every attempt and cover all of its joints."""
    assert deviations.main(['--data', str(synthetic_people)]) == 0
    rows = capsys.readouterr().out.splitlines()[-4:]
    cells = [row.split(' | ') for row in rows]
    assert [c[1] for c in cells] == ['reference', 'corrected'] * 2
    assert cells[1][2:] == ['100.0%', '113', '100.0%', '0.00 |']
    assert cells[3][2] == cells[3][4] == '100.0%'
    assert float(cells[2][4][:-1]) < 80
