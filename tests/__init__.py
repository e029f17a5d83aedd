"""Tests, in the tree of what they test. A package, so that `tests.support` is this one and no installed namesake."""
