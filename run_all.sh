#!/usr/bin/env bash
# Documents in, report out: makes the environments if they are not there and runs the four notebooks in order.
#   ./run_all.sh                              the sample documents with parameters/smoke.yaml: no key, no GPU, no model hub
#   ./run_all.sh -p parameters/X.yaml …       any other experiment;   ./run_all.sh --help   lists the options and every parameter
set -euo pipefail
export RAFT_CALLED_FROM=$PWD # -p FILE is looked for here first
cd "$(dirname "${BASH_SOURCE[0]}")"
unset PYTHONDONTWRITEBYTECODE # otherwise each of the many processes compiles every package again
environments=(main vllm)
for argument in "$@"; do # looking costs one environment, serving needs both
    case $argument in --help | -h | --plan | --stop | --teardown) environments=(main) ;; esac
done
exec ./bootstrap.sh "${environments[@]}" -- .venv/bin/python -m lib.run.cli "$@"
