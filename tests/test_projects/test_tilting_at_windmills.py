"""The reference's experiments, and the script that runs one."""

import re
from pathlib import Path

import run

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / 'projects/tilting_at_windmills'


def test_each_of_nineteen_is_named_in_one_config():
    configs = run.experiments()
    assert len(configs) == len(set(configs.values())) == 19
    named = [
        name
        for path in (ROOT / 'configs').rglob('*.py')
        for name in re.findall(r'calls it (\S+)\.', path.read_text())
    ]
    assert sorted(named) == sorted(configs)


def test_the_readme_has_the_table():
    text = (FOLDER / 'README.md').read_text()
    rows = re.findall(r'\| `(.+?)` \| \[(.+?)\]\((.+?)\) \|', text)
    assert {name: (FOLDER / link).resolve() for name, _, link in rows} == (
        run.experiments()
    )
    assert all(link.endswith(f'/{stem}.py') for _, stem, link in rows)


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


def test_a_finished_training_is_not_started_again(
    reference_folder, monkeypatch, tmp_path
):
    """The second call goes on with the benchmark."""
    monkeypatch.chdir(reference_folder)
    launched = []
    monkeypatch.setattr(run, 'launch', lambda *words: launched.append(words))
    argv = ['coco/resnet/res_50', '--work-dir', str(tmp_path)]
    assert run.main(argv) == 0
    (tmp_path / 'epoch_210.pth').touch()
    assert run.main(argv) == 0
    names = [name for name, *_ in launched]
    assert names == ['train', 'benchmark', 'benchmark']
    assert launched[-1][2] == tmp_path / 'epoch_210.pth'
