"""The report of an evaluation: one HTML file, made for reading."""

from rl_planner.evaluation.report.writer import write_report

__all__ = ['write_report']
