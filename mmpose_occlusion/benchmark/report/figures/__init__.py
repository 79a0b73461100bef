"""Charts of a report as SVG; they take plain values, no analysis."""
