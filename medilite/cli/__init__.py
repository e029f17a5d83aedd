"""The commands of `python -m medilite`: one file each, and `terminal` for what they share.

A command takes the parsed options and returns an exit code. Results go to
stdout, progress to stderr. They raise MediLiteError, which `__main__` turns
into a message.
"""
