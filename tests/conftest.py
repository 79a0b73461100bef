"""What all tests share."""

from tests.synthetic_fixtures import synthetic_people  # noqa: F401
