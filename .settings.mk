# What the user has set for other work does not reach the walk: a folder on PYTHONPATH, another kernel
# of Jupyter's, pip's --user, an account of AWS. Both Makefiles include this; for commands and lessons
# that are started without make, notebooks/commands/settings.py does the same.

# Of what pip and uv are told stays where packages and Pythons come from, and how they are reached.
reaching = INDEX FIND_LINKS OFFLINE PROXY CERT TLS HOST KEYRING TIMEOUT RETRIES CACHE CONFIG \
	PYTHON_INSTALL PYTHON_DOWNLOADS PYTHON_PREFERENCE
other_than_reaching = $(foreach name,$(filter PIP_% UV_%,$(.VARIABLES)),$(if \
	$(strip $(foreach word,$(reaching),$(findstring $(word),$(name)))),,$(name)))

unexport $(other_than_reaching) $(filter PYTHON% JUPYTER% IPYTHON% MPL% KERAS_% TF_% SAM_% \
	GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE $(if $(filter true,$(AWS)),,AWS_%),$(.VARIABLES))
# pip's own file is read for where packages come from; this it may not say.
export PIP_USER := 0
export PIP_REQUIRE_VIRTUALENV := 0
# One that is not installed stops Sphinx, and one without all letters stops what prints them.
export LC_ALL := C.UTF-8
