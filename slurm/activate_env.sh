# Source this (bash, zsh): the facts of ~/.benchforge.env as variables of the shell. benchforge reads the file by
# itself; this is for people and for scripts of other tools.
if [ -f "$HOME/.benchforge.env" ]; then
    set -a
    # shellcheck disable=SC1091
    . "$HOME/.benchforge.env"
    set +a
    export HF_HOME="${BENCHFORGE_HF_HOME:-${HF_HOME:-}}"
else
    echo "there is no ~/.benchforge.env yet: benchforge probe" >&2
fi
