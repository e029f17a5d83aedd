"""The votes' mirror: a dataset repository on the Hub that outlives this machine's disk.

A Space loses its disk whenever it restarts. So what the store may keep also
goes, line by line, into append-only files of a dataset repository, and comes
back from there into an empty or an older store, nothing twice: what a line says
of a vote stands under the vote's id, which is its pair's.

lines    one line: what happened to a vote, or a text that votes have in common
journal  what the mirror lacks, read from the store, and lines taken into it
hub      the repository: read it, append to a file of this process's own
mirror   when what is done: restore, push, wait, try again
state    how far the mirror is, for whoever shows it

The store itself is the backlog: triggers note there what has changed, in the
transaction that changes it, and a note goes once the Hub has the line.
"""
