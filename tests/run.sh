#!/usr/bin/env bash
# Makes the environments if they are not there, then lint, the default tests (seconds) and the smoke run (minutes).
#   TIER=default ./tests/run.sh     stops before the smoke run and needs only the main environment
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
if [ "${TIER:-}" = default ]; then ./bootstrap.sh main; else ./bootstrap.sh main vllm; fi
unset PYTHONDONTWRITEBYTECODE # otherwise each of the many processes compiles every package again
export PATH="$PWD/.venv/bin:$PATH" OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"
ruff check .
python -m pytest -n 3
if [ "${TIER:-}" != default ]; then python -m pytest -m smoke -rs; fi
