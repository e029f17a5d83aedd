"""Evaluation: answers are generated, scored, compared and put on a leaderboard; stages share only files."""
