"""pip inside the environment, deaf to settings that would bend the lock."""

import os
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping

PAGE_SECONDS = 5
QUICK = ['--timeout', str(PAGE_SECONDS), '--retries', '0']
"""For what may not be there: a page that is down costs seconds."""

_BENDING = (
    'PYTHONDONTWRITEBYTECODE',
    'PYTHONHOME',
    'PYTHONPATH',
    'PIP_BUILD_CONSTRAINT',
    'PIP_DRY_RUN',
    'PIP_IGNORE_INSTALLED',
    'PIP_NO_BINARY',
    'PIP_ONLY_BINARY',
    'PIP_PRE',
    'PIP_PREFIX',
    'PIP_PYTHON',
    'PIP_REQUIREMENT',
    'PIP_REQUIRE_HASHES',
    'PIP_ROOT',
    'PIP_TARGET',
)


def pip_environment(
    environ: Mapping[str, str], temporary: str
) -> dict[str, str]:
    """The variables for pip.

    Indexes, certificates, proxies and folders of wheels stay as the user has
    set them. Constraints, target folders and the like do not: the lock
    decides what is installed, and the environment where. Constraints may
    also stand in a configuration file, which an empty file outranks.

    Args:
        environ: the user's variables.
        temporary: the folder for downloads on their way.
    """
    env = {key: value for key, value in environ.items() if key not in _BENDING}
    env.update(
        PIP_CONSTRAINT=os.devnull,
        PIP_DISABLE_PIP_VERSION_CHECK='1',
        PIP_NO_INPUT='1',
        PIP_PROGRESS_BAR='off',
        PIP_REQUIRE_VIRTUALENV='0',
        PIP_ROOT_USER_ACTION='ignore',
        PIP_USER='0',
        PYTHONNOUSERSITE='1',
        PYTHONUNBUFFERED='1',
        TMPDIR=temporary,
    )
    return env


def answers(url: str) -> bool:
    """Whether a page's server can be reached within seconds.

    An error that a server sends is an answer, and certificates are pip's
    business: it may know authorities that this Python does not.
    """
    try:
        urllib.request.urlopen(url, timeout=PAGE_SECONDS).close()
    except urllib.error.HTTPError:
        return True
    except urllib.error.URLError as error:
        return isinstance(error.reason, ssl.SSLError)
    except OSError:
        return False
    return True


def live_links(
    links: str, answers: Callable[[str], bool] = answers
) -> tuple[str, list[str]]:
    """``PIP_FIND_LINKS`` without the pages that do not answer.

    pip would ask such a page again for every package, with its own long
    time-out and retries.

    Returns:
        The places that are left, and those that are not.
    """
    dead = [
        link
        for link in links.split()
        if link.startswith(('http://', 'https://')) and not answers(link)
    ]
    live = [link for link in links.split() if link not in dead]
    return ' '.join(live), dead
