"""The parts of `eval.judge`, one concern a file.

prompt    the judge's instructions and texts; versioned
verdicts  a judge's reply as scores or a verdict, or why it is neither
keys      several API keys used in turn, each resting when its server says so
client    one reply from a server, through all that a server can do wrong
asks      which asks an answers file makes, and what each would weigh
store     every reply on disk as soon as it is there; nothing is asked twice
asking    the loop that asks what is not yet in the store
summary   how many of how many were judged, and what came out
"""
