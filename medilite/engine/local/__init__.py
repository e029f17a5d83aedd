"""Answers on this machine: all models of the profile in one batch."""
