"""Scenario suites, baseline planners, metrics and pictures."""
