"""How fast answers come, compared with alternatives: `python -m bench.speed`.

`workloads` defines who asks what and when, `peers` who answers, each in a process (`worker`) with its own threads and
memory. All peers are loaded, then take turns, run by run; each run has other questions, the same for all. `report`
makes medians, ranges and ratios of the runs.
"""
