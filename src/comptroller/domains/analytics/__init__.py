"""Costs, series, baselines, anomalies."""
