"""Answers by OpenAI-compatible model servers."""
