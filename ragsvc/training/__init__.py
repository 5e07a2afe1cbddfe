"""Training of the models that ragsvc runs: pairs of questions and passages in, a directory that opens by path out."""
