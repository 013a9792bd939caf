"""Retrieve, answer, judge, measure, compare, draw, report: from a model and an eval set to a verdict with intervals."""
