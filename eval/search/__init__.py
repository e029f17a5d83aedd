"""How well the library of passages is searched: `python -m eval.search`; see docs/sources.md."""
