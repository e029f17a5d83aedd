"""Whether everything that an answer and a vote need is in order.

`ready` is what a load balancer asks every few seconds, `checks` what a person
(or `python -m medilite doctor`) asks once.
"""
