"""MedQuAD in, splits out: readers, the study's filter and splits, the manifest and the report."""
