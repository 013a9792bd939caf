#!/bin/bash
# What: a run over several machines by Slurm: the notebooks on the first one, the training on all of them.
# Needs: this folder on a disk that all machines share, environments made (./bootstrap.sh), a parameter file with a launcher of several
#        machines. It starts no Ray: where the file sets serve_hosts, add -y serve_hosts '[]' -y pipeline_parallel 1 to serve on the
#        first machine alone. Not yet run by this project: see the README.
# Use:   sbatch --nodes=2 --gpus-per-node=8 parameters/launchers/slurm.sh parameters/FILE.yaml [further options of run_all.sh]
#SBATCH --ntasks-per-node=1
#SBATCH --exclusive
set -euo pipefail
parameters=${1:?expected a parameter file}
shift
mapfile -t hosts < <(scontrol show hostnames "$SLURM_JOB_NODELIST")
# The run's name as run_all.sh resolves it: --run over -y run over the file, quotes and comments apart.
run=$(sed -nE "s/^run: *[\"']?([A-Za-z0-9._-]+).*/\1/p" "$parameters")
given=("$@" "" "")
for ((i = 0; i < $#; i++)); do
    [[ ${given[i]} == -y && ${given[i + 1]} == run ]] && run=${given[i + 2]}
done
for ((i = 0; i < $#; i++)); do
    [[ ${given[i]} == --run ]] && run=${given[i + 1]}
    [[ ${given[i]} == --run=* ]] && run=${given[i]#--run=}
done
: "${run:?expected a run in the parameter file, or --run NAME}"
for ((rank = 1; rank < ${#hosts[@]}; rank++)); do
    srun --nodes=1 --ntasks=1 --nodelist="${hosts[$rank]}" .venv/bin/python -m lib.finetune.start "runs/$run" "$rank" &
done
trap 'kill $(jobs -p) 2>/dev/null || true' EXIT
list=$(printf '"%s", ' "${hosts[@]}")
./run_all.sh -p "$parameters" -y hosts "[${list%, }]" "$@"
