"""Fields of records, for assertions."""


def under(record):
    """``[instance, joint]`` of all joints under the paint, in a fixed
    order."""
    return sorted(record['targets'] + record['bystanders'])


def named(record):
    """``KIND:NAME`` of a record's target."""
    return f'{record["kind"]}:{record["target"]}'
