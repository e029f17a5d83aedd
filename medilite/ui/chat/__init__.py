"""The tab Chat: one model at a time, several turns."""
