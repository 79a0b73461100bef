"""The report and the gallery in a browser: clicks, keys, sizes of screens."""

import os
import shutil

import pytest

from mmpose_occlusion.visualization import gallery
from tests.test_benchmark.test_report import report  # noqa: F401
from tests.test_visualization.test_drawings import (
    DISC,
    NOTHING,
    crops,
    style,  # noqa: F401
)

NAMES = ('chromium', 'chromium-browser', 'google-chrome')
HEAD = {**DISC, 'kind': 'part', 'target': 'head', 'fill': 'blur'}


@pytest.fixture(scope='module')
def browser():
    """One Chromium for the module: Playwright's loop must not outlive it."""
    driver = pytest.importorskip('playwright.sync_api')
    path = os.environ.get('CHROMIUM') or next(
        filter(None, map(shutil.which, NAMES)), None
    )
    if not path:
        pytest.skip(f'none of {", ".join(NAMES)} is installed')
    with driver.sync_playwright() as playwright:
        found = playwright.chromium.launch(
            executable_path=path, args=['--no-sandbox']
        )
        yield found
        found.close()


@pytest.fixture
def visit(browser):
    """Opens a file in a window; at the end its console must be empty."""
    contexts, said = [], []

    def open_page(path, width=1400, **settings):
        view = dict(width=width, height=900)
        contexts.append(browser.new_context(viewport=view, **settings))
        page = contexts[-1].new_page()
        page.on('console', lambda message: said.append(message.text))
        page.on('pageerror', lambda error: said.append(str(error)))
        page.goto(path.as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert said == []


@pytest.fixture
def album(style, tmp_path):  # noqa: F811
    """Crops under paint of 2, 2 and 4 per cent, and an unchanged one."""
    eye = {**DISC, 'targets': [[0, 'left_eye']], 'pixels': 130}
    shown = [
        crops(title=f'crop {i}', records=[record])
        for i, record in enumerate(
            (
                {**DISC, 'pixels': 62},
                {**HEAD, 'pixels': 62, 'bystanders': [[0, 'left_eye']]},
                eye,
                NOTHING,
            )
        )
    ]
    path = tmp_path / 'gallery.html'
    path.write_text(gallery(shown, style, 'Heading'))
    return path


def titles(page):
    return page.locator('article:visible h2').all_inner_texts()


def test_filters_of_the_gallery(visit, album):
    page = visit(album)
    assert len(titles(page)) == 4
    page.locator('#joint').select_option('left_eye')
    assert titles(page) == ['crop 1', 'crop 2']
    page.get_by_label('fill').select_option('blur')
    assert titles(page) == ['crop 1']
    page.get_by_label('fill').select_option('')
    slider = page.get_by_label('painted, at least')
    slider.focus()
    for _ in range(3):
        page.keyboard.press('ArrowRight')
    assert titles(page) == ['crop 2']
    assert page.locator('output').inner_text() == '3 %, 1 of 4 crops'
    assert slider.get_attribute('aria-valuetext') == '3 per cent'
    page.keyboard.press('Home')
    page.locator('#joint').select_option('')
    page.get_by_label('only changed crops').check()
    assert len(titles(page)) == 3


def test_clean_against_occluded(visit, album):
    page = visit(album)
    clean, occluded = page.locator('article >> nth=0').locator('img').all()
    own = occluded.get_attribute('src')
    assert own != clean.get_attribute('src')
    page.locator('figure >> nth=1').hover()
    assert occluded.get_attribute('src') == clean.get_attribute('src')
    assert occluded.get_attribute('alt') == 'clean crop'
    page.mouse.move(0, 0)
    assert occluded.get_attribute('src') == own
    page.keyboard.down('c')
    assert page.locator('article.clean').count() == 4
    page.keyboard.up('c')
    assert page.locator('article.clean').count() == 0


def test_arrow_keys_move_over_the_crops_that_are_shown(visit, album):
    page = visit(album, width=1000)  # two columns
    focus = 'document.activeElement.getAttribute("aria-label")'
    for key, wanted in [
        ('ArrowRight', 0), ('ArrowRight', 1), ('ArrowDown', 3),
        ('ArrowLeft', 2), ('ArrowUp', 0), ('ArrowUp', 0),
    ]:  # fmt: skip
        page.keyboard.press(key)
        assert page.evaluate(focus) == f'crop {wanted}', key


def test_the_gallery_on_a_phone_and_printed(visit, album):
    page = visit(album, width=390, has_touch=True, color_scheme='dark')
    assert page.evaluate('document.documentElement.scrollWidth') == 390
    figure = page.locator('figure >> nth=1')
    figure.tap()
    assert page.locator('article.clean').count() == 1
    figure.tap()
    assert page.locator('article.clean').count() == 0
    color = 'getComputedStyle(document.body).backgroundColor'
    dark = page.evaluate(color)
    page.emulate_media(media='print')
    assert dark != page.evaluate(color) == 'rgb(255, 255, 255)'
    assert not page.get_by_label('fill').is_visible()


def rows(page, table):
    cells = page.locator(table).locator('tbody tr > :nth-child(2)')
    return [float(text.split()[0]) for text in cells.all_inner_texts()]


def test_tables_of_the_report_are_sorted(visit, report):  # noqa: F811
    page = visit(report)
    table = '#m0-nature table >> nth=0'
    head = page.locator(table).locator('thead button >> nth=1')
    before = rows(page, table)
    for state in ('descending', 'ascending'):
        head.click()
        found = rows(page, table)
        assert found == sorted(before, reverse=state == 'descending')
        cell = page.locator(table).locator('th[aria-sort]')
        assert cell.get_attribute('aria-sort') == state


@pytest.mark.parametrize('clipboard', [True, False])
def test_a_number_is_cited(visit, report, clipboard):  # noqa: F811
    allowed = ['clipboard-read', 'clipboard-write']
    page = visit(report, permissions=allowed)
    if not clipboard:
        page.evaluate('void (navigator.clipboard.writeText = null)')
    page.locator('#m1-summary .tiles button').first.click()
    copied = page.get_by_role('status')
    text = page.evaluate('navigator.clipboard.readText()')
    assert text == copied.inner_text()
    assert text == (
        'other on people: AP without occlusion 1.000 [1.000, 1.000] (boxes: '
        'annotated · input: 96x128 · sigmas: COCO · people: 8 in 4 images · '
        'suites: paper · 95 % bootstrap intervals over images, 10 draws, '
        'seed 0)'
    )
    page.keyboard.press('Escape')
    assert not copied.is_visible()
    row = page.locator('#m0-attacks tbody tr', has_text='left_wrist').first
    row.get_by_role('button').click()
    assert 'ΔAP [95 %] −0.' in copied.inner_text()
    assert copied.inner_text().startswith('made-up on people: attack Keyp:')


def test_figures_are_saved(visit, report):  # noqa: F811
    page = visit(report)
    with page.expect_download() as saved:
        page.get_by_role(
            'link', name='save as SVG: Change of AP with'
        ).first.click()
    assert saved.value.suggested_filename == 'm0-costs-1.svg'
    assert '<svg' in saved.value.path().read_text()


@pytest.mark.parametrize('media', ['screen', 'print'])
def test_the_report_on_a_phone_and_printed(visit, report, media):  # noqa: F811
    page = visit(report, width=390, color_scheme='dark')
    page.evaluate(
        'document.querySelectorAll("details").forEach(d => d.open = true)'
    )
    page.emulate_media(media=media)
    for link in page.locator('nav a').all():
        target = link.get_attribute('href')
        assert page.locator(target).count() == 1
    color = page.evaluate('getComputedStyle(document.body).backgroundColor')
    if media == 'print':
        assert color == 'rgb(255, 255, 255)'
        assert not page.locator('nav, .save, .cite').first.is_visible()
        return
    assert color == 'rgb(21, 23, 27)'
    assert page.evaluate('document.documentElement.scrollWidth') == 390
    for box in page.locator('.scroll').all():
        assert box.get_attribute('aria-label')
    widths = page.locator('.panels img').evaluate_all(
        'all => all.map(image => image.getBoundingClientRect().right)'
    )
    assert max(widths) <= 390
    # the first column stays in place
    left = """document.querySelector('#m0-attacks tr:nth-child(2) th')
        .getBoundingClientRect().left"""
    before = page.evaluate(left)
    page.evaluate(
        "document.querySelector('#m0-attacks .scroll').scrollLeft = 99"
    )
    assert page.evaluate(left) == before


def test_a_page_without_contents_is_as_wide(visit, report):  # noqa: F811
    """As that of the worst places."""
    page = visit(report)
    width = "document.querySelector('main').getBoundingClientRect().width"
    before = page.evaluate(width)
    page.evaluate("document.querySelector('nav').remove()")
    assert page.evaluate(width) == before == 1120
