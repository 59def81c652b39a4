#!/bin/sh
# Make the environment of the study: weaver-core with the CPU build of PyTorch. Usage: environment.sh FOLDER
set -eu
python3 -m venv "$1"
"$1/bin/pip" install -q torch==2.13.0 weaver-core==0.5.3 onnx==1.23.2 onnxruntime==1.31.1
# weaver-core has no tests of its command line on machines without a GPU; this one is enough to see that it starts.
"$1/bin/weaver" --help > "$1/weaver.help"
