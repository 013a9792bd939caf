"""Tuning the student: estimate, tokenise rows, train under a launcher, verify what was saved."""
