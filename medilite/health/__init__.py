"""Checks of everything that an answer and a vote need.

`ready` is what a load balancer asks every few seconds, `checks` what a person
(or `python -m medilite doctor`) asks once.
"""
