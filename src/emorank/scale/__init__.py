"""Many recordings: the listening stage in the processes of a machine or of a Ray cluster, and one writer."""
