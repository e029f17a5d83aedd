"""The whole recipe of a profile: its runs, their order and their results."""
