#!/usr/bin/env bash
# Puts bugs into the pool's gate and demands that loom finds them: a lost wake-up, a dropped grant, an ordering that
# is too weak. Without loom: scripts/mutants.sh.
set -euo pipefail
exec "$(dirname "${BASH_SOURCE[0]}")/mutants.sh" -k loom "$@"
