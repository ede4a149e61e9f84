#!/bin/sh
# Real engines, each in an environment of its own below the folder given: `sh install.sh .venv-engines python3`.
# An engine that does not install is not a failure: the last line that pip said is kept, and its tests are skipped with it.
set -u
folder=$1
python=$2
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$folder"

# environment, file of requirements, what pip may not leave behind
install() {
    place=$folder/$1
    wanted=$here/requirements-$1.txt
    if cmp -s "$wanted" "$place/.installed"; then return; fi
    rm -f "$place/.failed"
    if {
        "$python" -m venv "$place" &&
            "$place/bin/python" -m pip install --quiet --disable-pip-version-check -r "$wanted" &&
            { [ -z "$2" ] || "$place/bin/python" -m pip uninstall --quiet --yes $2; }
    } >"$folder/$1.log" 2>&1; then
        cp "$wanted" "$place/.installed"
        echo "$1: installed"
    else
        mkdir -p "$place"
        grep -v '^ *$' "$folder/$1.log" | grep -i 'error' | tail -n 1 >"$place/.failed"
        echo "$1: not installed: $(cat "$place/.failed") ($folder/$1.log)"
    fi
}

# Only what a server of a tiny model needs is built, and hardly optimised: 3.5 CPU minutes instead of 6.
export CMAKE_BUILD_PARALLEL_LEVEL=2
export CMAKE_ARGS="-DGGML_NATIVE=OFF -DGGML_OPENMP=OFF -DLLAVA_BUILD=OFF -DLLAMA_BUILD_TESTS=OFF \
-DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_TOOLS=OFF -DLLAMA_BUILD_SERVER=OFF -DLLAMA_CURL=OFF \
-DCMAKE_C_FLAGS_RELEASE=-O1 -DCMAKE_CXX_FLAGS_RELEASE=-O0"

install llama "" &
# the wheels of the three that pip finds are for CUDA and break the import of torch for CPU
install vllm "torchvision torchaudio torchcodec"
wait
