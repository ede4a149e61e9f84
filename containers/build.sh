#!/usr/bin/env bash
# Build or check the container images.
#   build.sh FOLDER [NAME…]        build (all of them without NAME) and record; needs apptainer and the network
#   build.sh --check [NAME…]       parse the definitions and run their package steps under bubblewrap; needs an index of
#                                  PyPI. --root DIR: in another tree (debootstrap bookworm DIR); --parse-only: no steps
#   build.sh --compare FOLDER      every recorded image that lies there must be the recorded one
#   build.sh --record FILE         write down the digest of an image
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
digests=${BENCHFORGE_DIGESTS:-$here/digests.yml}

compare() { # folder: every recorded image that lies there must be the recorded one
    local folder=$1 bad=0 name digest found
    while read -r name digest; do
        [ -f "$folder/$name" ] || continue
        found=$(sha256sum "$folder/$name" | cut -d' ' -f1)
        if [ "$found" != "$digest" ]; then
            echo "$folder/$name is $found, recorded is $digest: rebuild it, or record it anew" >&2
            bad=1
        fi
    done < <(sed -n 's/^  \([^ ]*\.sif\): \([0-9a-f]\{64\}\)$/\1 \2/p' "$digests")
    return $bad
}

record() { # file: its line replaced or added
    local name digest
    name=$(basename "$1")
    digest=$(sha256sum "$1" | cut -d' ' -f1)
    sed -i -e 's/^images: {}$/images:/' -e "/^  $name: /d" "$digests"
    echo "  $name: $digest" >>"$digests"
}

if [ "${1:-}" = --check ]; then
    shift
    exec python3 "$here/check_definitions.py" "$@"
fi
if [ "${1:-}" = --compare ]; then
    compare "${2:?build.sh --compare FOLDER}"
    exit
fi
if [ "${1:-}" = --record ]; then
    record "${2:?build.sh --record FILE}"
    exit
fi

folder=${1:?build.sh FOLDER [NAME…]}
shift
command -v apptainer >/dev/null || { echo "apptainer is not on this machine: run this on a login node" >&2; exit 1; }
mkdir -p "$folder"
[ $# -gt 0 ] || { cd "$here" && set -- *.def; set -- "${@%.def}"; }
for name in "$@"; do
    apptainer build --force "$folder/$name.sif" "$here/$name.def"
    record "$folder/$name.sif"
done
