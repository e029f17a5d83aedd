"""How fast answers come, beside what others would use instead: `python -m bench.speed`.

`workloads` says who asks what and when, `peers` who answers, each in a process
of its own (`worker`), so that threads and memory are its own. All peers are
loaded, then take turns, run by run, each run with other questions but the same
for all. `report` makes medians, ranges and ratios of the runs.
"""
