"""What the user has set for other work does not reach the walk.

A folder on PYTHONPATH, another kernel of Jupyter's, pip's --user, an account of AWS: these are
environment variables that help elsewhere, and here lead astray. What make starts is without them, thanks
to .settings.mk; this is for commands and lessons that are started in other ways.
"""

import os
import re
from functools import lru_cache

# Of what pip and uv are told stays where packages and Pythons come from, and how they are reached.
REACHING = (
    "INDEX|FIND_LINKS|OFFLINE|PROXY|CERT|TLS|HOST|KEYRING|TIMEOUT|RETRIES|CACHE|CONFIG"
    "|PYTHON_INSTALL|PYTHON_DOWNLOADS|PYTHON_PREFERENCE"
)
# PYTHONUTF8 helps on Windows; KERAS_HOME is a folder, as make sets one.
FOREIGN = re.compile(
    f"(PIP|UV)_(?!.*({REACHING}))|PYTHON(?!UTF8$)|KERAS_(?!HOME$)|TF_|SAM_|JUPYTERLAB_"
    "|JUPYTER_(CONFIG_PATH|PATH|PREFER_ENV_PATH)$|GIT_(DIR|WORK_TREE|INDEX_FILE)$"
)

# In place of an account of AWS: none, not even in files, but a region, which sam asks for.
NO_ACCOUNT = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_DEFAULT_REGION": "us-east-1",
}

# oneDNN: TensorFlow takes these kernels by itself only where the processor has AVX-512. Without them it
# trains half as fast, and no convolution on a CPU takes its channels first.
KERNELS = {"TF_ENABLE_ONEDNN_OPTS": "1"}

# Both forget once in a process: what the walk itself sets later stays.


@lru_cache
def forget():
    """Remove what is set for other work from the environment variables of this process.

    On each processor TensorFlow computes with the same kernels then.
    """
    _remove(FOREIGN)
    os.environ.update(KERNELS)


@lru_cache
def forget_account():
    """Let nothing that runs here, nor what it starts, reach the real AWS."""
    _remove(re.compile("AWS_"))
    os.environ.update(NO_ACCOUNT)


def _remove(names):
    for name in [name for name in os.environ if names.match(name)]:
        del os.environ[name]
