"""Tests, in the tree of what they test. A package, so that `tests.fakes` is this one and no installed namesake."""
