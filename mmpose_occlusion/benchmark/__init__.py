"""The sweep: a model under many attacks in one pass over the data."""
