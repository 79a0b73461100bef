import pytest

from .planted_models import write_people


@pytest.fixture
def people(tmp_path):
    """Four images with two people each; the second has no left wrist."""
    return write_people(tmp_path)
