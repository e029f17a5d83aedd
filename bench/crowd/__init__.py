"""A load test of the app: many visitors at once who speak to it as browsers do, and what became of every one."""
