"""Speed and memory, each figure beside a reference that is measured in the same run.

`python -m bench [NAME ...] [--scale small|full] [--json]`. A benchmark is a module with `measure(scale) -> [Figure]`; it
runs in a process of its own, on servers of its own, and leaves nothing behind. What does the work runs in a further
process (see `bench.worker`), so that its peak memory is its own. Rounds of ours and of the reference alternate, and the
median counts: a machine that is busy with other things slows both, and the ratio stays.
"""
