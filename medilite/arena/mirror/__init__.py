"""The votes' mirror: a copy in a dataset repository on the Hub, for when this machine's disk is lost.

A Space loses its disk whenever it restarts. So the stored data is also written, line by line, to append-only files of a
dataset repository, and restored from there into an empty or older store, nothing twice: a line names the vote's id,
which is its pair's.

lines    one line: what happened to a vote, or a text that votes have in common
journal  what the mirror lacks, read from the store, and lines taken into it
hub      the repository: read it, append to a file of this process's own
mirror   when what is done: restore, push, wait, try again
state    how far the mirror is, for display

The store itself is the backlog: triggers note changes in the same transaction, and a note is removed once the Hub has
the line.
"""
