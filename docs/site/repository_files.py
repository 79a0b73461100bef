"""MkDocs hook: pages link to files of the repository as GitHub shows them.

A link from a page to a file outside ``docs/`` is a relative path, which works
in a checkout. The site gets a copy of each such file under ``repository/``;
a folder stands for its README or for a list of its files.
"""

import os
import re
from pathlib import Path

from mkdocs.structure.files import File, Files

DOCS = Path(__file__).resolve().parents[1]
ROOT = DOCS.parent
LINK = re.compile(r'(\]\()(?!\w+:|#)([^)#\s]+)(#[^)\s]*)?\)')
"""A relative link: ``](``, the path, the anchor."""


def on_files(files: Files, *, config) -> Files:
    """Add the files that pages link to, and those that these link to."""
    pages = [f.abs_src_path for f in files.documentation_pages()]
    waiting = [Path(p) for p in pages]
    while waiting:
        page = waiting.pop()
        for _, link, _ in LINK.findall(page.read_text(encoding='utf-8')):
            target = _target(page, link)
            uri = _uri(target)
            if not target.exists() or files.get_file_from_path(uri):
                continue
            if target.is_dir():
                names = sorted(p.name for p in target.iterdir())
                lines = [f'- {name}' for name in names if name[0] not in '._']
                text = '\n'.join([f'# {target.name}', '', *lines])
                files.append(File.generated(config, uri, content=text))
                continue
            path = str(target)
            files.append(File.generated(config, uri, abs_src_path=path))
            if target.suffix == '.md':
                waiting.append(target)
    return files


def on_page_markdown(markdown: str, *, page, **_) -> str:
    """Rewrite a page's relative links to the site's paths."""
    here = Path(page.file.abs_src_path or DOCS / 'none.md')
    folder = os.path.dirname(page.file.src_uri)

    def rewrite(match: re.Match) -> str:
        target = _target(here, match[2])
        if not target.exists():
            return match[0]  # MkDocs reports it
        path = os.path.relpath(_uri(target), folder or '.')
        return f'{match[1]}{path}{match[3] or ""})'

    return LINK.sub(rewrite, markdown)


def _target(page: Path, link: str) -> Path:
    """The file that a link of a page names; a folder's README."""
    target = Path(os.path.normpath(page.parent / link))
    readme = target / 'README.md'
    return readme if readme.is_file() else target


def _uri(target: Path) -> str:
    """A file's path in the sources of the site."""
    if target.is_relative_to(DOCS):
        return target.relative_to(DOCS).as_posix()
    path = Path('repository', os.path.relpath(target, ROOT))
    return f'{path.as_posix()}/index.md' if target.is_dir() else str(path)
