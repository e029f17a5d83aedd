"""The tab Lab: why answers differ. `tab` has what all views share, and each view a file of its own."""
