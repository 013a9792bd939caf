"""How the tiny student was made: invented text in, a committed model out (see data/student/README.md)."""
