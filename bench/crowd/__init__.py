"""A load test of the app: many visitors at once who send what browsers send, with every result checked."""
