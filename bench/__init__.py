"""Benchmarks: what is fast enough, measured as ratios in one run."""
