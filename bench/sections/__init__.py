"""One module for each part of the benchmarks: NAME, TITLE, ROUNDS (1: measured once), TOGETHER (how many at a time),
cases(), measure(build, case), line(result) for the terminal, table(entries) for documents."""
