#!/usr/bin/env bash
# Builds and tests the npm packages and packs them into dist: mobilebert-rt and mobilebert-rt-model.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/test_js.sh
mkdir -p dist
npm pack --pack-destination dist ./js ./js/model
