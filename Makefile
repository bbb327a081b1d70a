# make          the walk: the lessons that need no network into generated/, their functions into lambda/
# make check    what this machine has of what the lessons need, and what to do where it lacks it
# make test     the tests, but for training and measuring; make test-all: those, too
# make onnx     the appendix: the same classifier with ONNX Runtime; needs PyPI once
# make measure  size, time, memory and cost of each runtime, for lesson 09 (15 minutes)
# make serve    the function with its page on this machine, until Ctrl-C; PORT=8080
# make deploy-check   lessons 05 and 08: the function's zip, deployed to an AWS on this machine
# make catalogue-check   lesson 10: runs the function over a bucket of pictures, on that AWS
# make check-model PHOTOS=folder   how often Keras and the function are right: a folder of photos a class
# make catalogue PHOTOS=folder   the same with your own photos; AWS=true: on the real AWS
# make train    train the model anew, into generated/training-…/ (an hour)
# make soak     5,000 requests to the function under AWS's emulator, 20,000 mutated pictures (minutes)
# make site     all of this as a website, into generated/site/; offline, and nothing is executed
# make publish  runs all but the training, and copies what it shows into generated/published/, which git keeps
# make lint     formatting, style, spelling and links; make format mends what it can
# make lab      JupyterLab, to step through the notebooks
# make lock     after a change in environment.yml: works out what is installed; UPGRADE=1: anew
# make address  writes the public address into links and cells; REPOSITORY=https://github.com/…
# make clean    remove what the walk made (the environment in .venv/ stays)
#
# Your own model, without editing a file (paths are relative to this folder):
#   make MODEL=kitchen.keras CLASSES="cup fork glass" IMAGE=cup.jpg PREPROCESSING=xception
# And where it needs that (notebooks/README.md, "Your own model"):
#   RESIZE=bilinear SCORES=softmax SIZE=160x120 MODEL_CODE=layers.py TRUST_MODEL=true
# An ONNX file goes straight to the appendix on ONNX:
#   make MODEL=hair.onnx CLASSES="curly straight" IMAGE=hair.jpg
#
# What make train trains on, how often it goes through it, and with how many photos:
#   make train DATASET=folder EPOCHS=20 LIMIT=200
# Who sent each photo, and which fifth of these people judges in place of the validation photos:
#   make train DATASET=folder PEOPLE=images.csv FOLD=0
#
# What make measure looks at: photos for the accuracy, the course's own model; a trial run:
#   make measure DATASET=folder MODEL_COURSE=xception_v4_large_08_0.894.h5
#   make measure QUICK=1
#
# make VENV= uses the active environment (conda's, say) instead of building .venv/.

MODEL =
IMAGE =
CLASSES =
PREPROCESSING =
RESIZE =
SCORES =
SIZE =
MODEL_CODE =
TRUST_MODEL =
PEOPLE =
FOLD =
EPOCHS =
LIMIT =
DATASET ?=
PORT =
QUICK =
MODEL_COURSE =
REPOSITORY =
PHOTOS =
AWS =
UPGRADE =
of_lesson_1 = MODEL IMAGE CLASSES PREPROCESSING RESIZE SCORES SIZE MODEL_CODE TRUST_MODEL
parameters = $(of_lesson_1) DATASET PEOPLE FOLD EPOCHS LIMIT PORT QUICK MODEL_COURSE REPOSITORY PHOTOS \
	AWS UPGRADE
export $(parameters)

include .settings.mk

# A mistyped name would mean a silent run of the default.
given = $(foreach name,$(.VARIABLES),$(if $(findstring command line,$(origin $(name))),$(name)))
unknown := $(firstword $(filter-out $(parameters) VENV SHELL MAKE% UV_% PIP_%,$(given)))
ifneq ($(unknown),)
closest = import difflib, sys; \
	print(*difflib.get_close_matches(sys.argv[1].upper(), sys.argv[2:], 1, 0.5))
meant := $(shell python3 -c '$(closest)' '$(unknown)' $(parameters) VENV 2> /dev/null)
$(error There is no variable $(unknown).$(meant:%= Did you mean %?) There are: $(parameters) VENV)
endif

# A colon would cut PATH in two, AWS's emulator does not start in a path with # or %, and make and sh
# take the others for their own.
define newline


endef
hash := \#
awkward := $(strip $(foreach character,: $(hash) % $$ ` " \,$(findstring $(character),$(CURDIR))) \
	$(if $(findstring $(newline),$(CURDIR)),line break))
ifneq ($(awkward),)
$(error The name of this folder, or of one around it, has what programs of the walk cannot take ( \
	$(awkward) ). Rename or move it)
endif

VENV = .venv
ifneq ($(VENV),)
environment = $(VENV)/.complete
# Without .venv/ itself: it may be active, and is what is built.
outer_path := $(subst $(CURDIR)/$(VENV)/bin:,,$(PATH))
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
endif

# Nothing is written outside this folder: caches, settings and an own Python 3.11 go into .cache/.
cache = $(CURDIR)/.cache
export UV_CACHE_DIR ?= $(cache)/uv
export PIP_CACHE_DIR ?= $(cache)/pip
export UV_PYTHON_INSTALL_DIR ?= $(cache)/python
export JUPYTER_CONFIG_DIR := $(cache)/jupyter/config
export JUPYTER_DATA_DIR := $(cache)/jupyter/data
export JUPYTER_RUNTIME_DIR := $(cache)/jupyter/runtime
export IPYTHONDIR := $(cache)/ipython
export MPLCONFIGDIR := $(cache)/matplotlib
export KERAS_HOME := $(cache)/keras
# Where there is no home directory, or none to write to, as in some containers.
ifneq ($(shell test -w "$$HOME" && echo home),home)
export HOME := $(cache)/home
endif

.DELETE_ON_ERROR:
.PHONY: address publish walk onnx check problems measure serve deploy-check catalogue-check check-model \
	catalogue train test test-all soak site format lint lab lock clean writable FORCE

own_onnx = $(filter %.onnx,$(MODEL))
ifneq ($(own_onnx),)
walk: onnx
else
walk: generated/09-measurements.ipynb generated/measurements-in-depth.ipynb
	@cat generated/summary.txt
endif

onnx: generated/onnx.ipynb
	@cat generated/onnx-summary.txt


# --- the notebooks, in order ---------------------------------------------------------------------
# Each runs again when its source, what it reads or a parameter changed, or when a file that it
# makes is missing. Its executed copy is written last: a run that was stopped starts again.

commands = python notebooks/commands
execute = $(commands) execute $(basename $(@F))
missing = $(if $(filter-out $(wildcard $(1)),$(1)),FORCE)

# The model that lesson 1 was given, as it keeps it for the next ones.
kept = $(wildcard $(addprefix generated/clothing-model,.h5 .keras .zip -original.tflite))

generated/01-keras-model.ipynb: notebooks/01-keras-model.ipynb \
		$(wildcard notebooks/assets/* notebooks/assets/misread/*) \
		$(call missing,generated/expected-scores.json) \
		$(if $(kept),,FORCE) generated/.parameters.new $(wildcard generated/expected-scores.json) $(kept)
	@$(execute) $(foreach name,$(of_lesson_1),$(name)="$$$(name)")
	@mv generated/.parameters.new generated/.parameters

generated/02-tflite-model.ipynb: notebooks/02-tflite-model.ipynb generated/01-keras-model.ipynb \
		$(call missing,generated/clothing-model.tflite generated/tflite-models.json)
	@$(execute)

generated/03-predict.ipynb: notebooks/03-predict.ipynb generated/02-tflite-model.ipynb \
		$(call missing,generated/prediction.json)
	@$(execute)

generated/04-lambda-function.ipynb: notebooks/04-lambda-function.ipynb generated/03-predict.ipynb \
		lambda/nbconvert_config.py lambda/function.py.j2 \
		$(call missing,lambda/lambda_function.py generated/lambda-answers.json generated/summary.txt)
	@$(execute) NOTEBOOK=generated/03-predict.ipynb

generated/06-strangers.ipynb: notebooks/06-strangers.ipynb lambda/transport.py lambda/decoding.py \
		generated/04-lambda-function.ipynb $(call missing,lambda/guards.py)
	@$(execute)

generated/07-http.ipynb: notebooks/07-http.ipynb lambda/answers.py lambda/incoming.py \
		generated/06-strangers.ipynb $(call missing,lambda/api.py)
	@$(execute)

generated/09-measurements.ipynb: notebooks/09-measurements.ipynb \
		generated/07-http.ipynb generated/published/measurements.json \
		$(wildcard generated/measurements.json notebooks/measure/*.py)
	@$(execute)

# The appendix that only reads the record; the other one, train-the-model, takes an hour.
generated/measurements-in-depth.ipynb: notebooks/measurements-in-depth.ipynb \
		generated/published/measurements.json \
		$(wildcard generated/measurements.json notebooks/measure/*.py)
	@$(execute)

# Not part of the walk: these need PyPI, for an environment and for the bundle's packages.
# An ONNX file of one's own does without lesson 1, and is read anew each time.
generated/onnx.ipynb: notebooks/onnx.ipynb lambda/nbconvert_config.py lambda/function.py.j2 \
		$(if $(own_onnx)$(wildcard generated/own-onnx.json),FORCE) \
		$(if $(own_onnx),,generated/01-keras-model.ipynb) \
		$(call missing,lambda/onnx_function.py generated/onnx-summary.txt)
	@$(execute) $(if $(own_onnx),$(foreach name,$(of_lesson_1),$(name)="$$$(name)"))

generated/05-deployment.ipynb: notebooks/05-deployment.ipynb generated/04-lambda-function.ipynb FORCE
	@$(execute)

generated/08-public.ipynb: notebooks/08-public.ipynb generated/07-http.ipynb FORCE
	@$(execute)

generated/10-catalogue.ipynb: notebooks/10-catalogue.ipynb generated/07-http.ipynb FORCE
	@$(execute)

notebooks = $(addprefix generated/,$(notdir $(wildcard notebooks/[0-9]*.ipynb)) \
	measurements-in-depth.ipynb onnx.ipynb)
$(notebooks): notebooks/commands/execute.py $(wildcard notebooks/walk/*.py) $(environment) | problems

# The parameters of this run, and the checksums of the files that they name. If they are those that
# lesson 1 last succeeded with, then as old: so a run with others that fails makes nothing old. If it
# failed late, what it left is newer than lesson 1's executed copy, which then is made again.
generated/.parameters.new: FORCE | problems
	@for value in $(foreach name,$(of_lesson_1),"$$$(name)"); do \
		printf '%s\n' "$$value"; test ! -f "$$value" || cksum "$$value"; \
	done > $@
	@if cmp -s $@ generated/.parameters; then touch -r generated/.parameters $@; fi


# Says what is wrong, and stops only where nothing can work.
problems: writable $(environment)
	@$(commands) doctor problems

writable:
	@mkdir -p .cache generated 2> /dev/null && test -w .cache -a -w generated || \
		{ echo "make: cannot write to generated/ or .cache/ here: make the folder writable," \
		"or work in a copy." >&2; exit 1; }


# --- the environment -----------------------------------------------------------------------------
# Built by uv from .requirements.lock, from scratch, so that .venv/ holds that and nothing else. Where
# uv is not on the PATH, pip brings it into .cache/.

define no_environment
make: the environment could not be built; the reason stands above. What is needed is a connection to
PyPI and either uv (https://docs.astral.sh/uv/getting-started/installation) or a Python 3 with pip
(Debian, Ubuntu: apt install python3-pip). Python 3.11 is used where it is installed; else uv
downloads it, and where that is not possible, install Python 3.11 first. Then run make again. The
other way is conda: conda env create -f environment.yml, conda activate serverless-deep-learning,
and make VENV=
endef
export no_environment

$(VENV)/.complete: PATH := $(outer_path)
$(VENV)/.complete: .requirements.lock | writable
	@test ! -L $(VENV) || { echo "make: $(VENV) is a link to an environment elsewhere, which would be" \
		"cleared: remove the link, or make VENV= uses the active environment." >&2; exit 1; }
	@echo "Building $(VENV)/ from .requirements.lock (3.5 GB; once, a few minutes)"
	@command -v uv > /dev/null || command -v python3 > /dev/null || \
		{ echo "make: there is neither uv nor a Python 3 here (apt install python3-pip)" >&2; exit 1; }
	@! python3 -c 'import importlib.metadata' 2> /dev/null || python3 notebooks/commands doctor build
	@quiet=$$(test -t 2 || echo --quiet); \
	uv=$$(command -v uv) || uv=.cache/bootstrap/bin/uv; \
	{ test -x "$$uv" || $(bootstrap_uv); } && \
	UV_VENV_CLEAR=1 "$$uv" venv --quiet --python 3.11 $(VENV) && \
	"$$uv" pip install $$quiet --compile-bytecode --python $(VENV) --require-hashes -r $< && \
	touch $@ || { echo "$$no_environment" >&2; exit 1; }

# uv's own lines of the lock: the first, and on to one that is not continued.
install_uv = install --quiet --requirement .cache/uv.txt
define bootstrap_uv
{ sed -n '/^uv==/,/[^\]$$/p' $< > .cache/uv.txt; \
if python3 -m pip --version > /dev/null 2>&1; \
	then PIP_ROOT_USER_ACTION=ignore python3 -m pip $(install_uv) --target .cache/bootstrap; \
	else python3 -m venv .cache/bootstrap && .cache/bootstrap/bin/pip $(install_uv); fi; }
endef


# --- everything else -----------------------------------------------------------------------------

check:
	@python=$$(command -v python || command -v python3) || \
		{ echo "make: there is no Python here; make without check builds one, with uv" >&2; exit 1; }; \
	"$$python" notebooks/commands doctor

# It ends with make, however make ends.
serve: generated/07-http.ipynb
	@exec $$(command -v setpriv && echo --pdeathsig TERM) $(commands) serve PORT="$$PORT"

deploy-check: generated/05-deployment.ipynb generated/08-public.ipynb
	@cat generated/deploy-check.txt

catalogue-check: generated/10-catalogue.ipynb

check-model: generated/07-http.ipynb
	@$(commands) check_model PHOTOS="$$PHOTOS"

# It ends with make, however make ends.
catalogue: generated/07-http.ipynb
	@exec $$(command -v setpriv && echo --pdeathsig TERM) \
		$(commands) score_photos PHOTOS="$$PHOTOS" AWS="$$AWS"

# Your own record, which lesson 9 and its appendix take from then on; a quick run, or one of a model of
# your own, makes one beside it.
trial = $(if $(QUICK)$(MODEL),generated/measurements/trial)
measure: generated/07-http.ipynb
	@$(commands) measure RECORD=$(trial:=.json) QUICK="$$QUICK" DATASET="$$DATASET" \
		MODEL_COURSE="$$MODEL_COURSE"
	@$(commands) execute 09-measurements $(trial:=.ipynb) RECORD=$(trial:=.json)
	@$(commands) execute measurements-in-depth $(trial:=-in-depth.ipynb) RECORD=$(trial:=.json)

# A run that was stopped goes on where it was; one that was finished is not trained again.
train: $(environment)
	@$(commands) execute train-the-model DATASET="$$DATASET" PEOPLE="$$PEOPLE" FOLD="$$FOLD" \
		EPOCHS="$$EPOCHS" LIMIT="$$LIMIT"
	@cat generated/train-the-model.txt

test: writable $(environment)
	pytest -m "not long"

test-all: writable $(environment)
	pytest

soak: walk
	python tests/soak.py
	python tests/mutations.py

format: $(environment)
	ruff check --quiet --fix-only .
	ruff format .

# The executed lessons as one reads them on GitHub and on the site, README's table: what they show is
# published as it was, on purpose, and never by another target.
publish: walk generated/05-deployment.ipynb generated/08-public.ipynb generated/10-catalogue.ipynb \
		generated/onnx.ipynb
	@$(commands) publish

# From the published lessons; .cache/site/ holds what Sphinx reads and remembers.
site: $(environment)
	@python notebooks/site/stage.py .cache/site
	@rm -rf generated/site
	@sphinx-build --quiet --fail-on-warning --keep-going --jobs auto -d .cache/site/doctrees \
		-c notebooks/site .cache/site/pages generated/site
	@echo "Open generated/site/index.html"

lint: $(environment)
	ruff check .
	ruff format --check .
	codespell
	pytest --quiet -n 0 tests/test_pages.py

lab: writable $(environment)
	@$(commands) lab

lock: $(environment)
	@$(commands) lock UPGRADE="$$UPGRADE"

address:
	@python3 notebooks/commands address "$$REPOSITORY"

clean:
	find generated -mindepth 1 -maxdepth 1 ! -name published -exec rm -rf {} +
	rm -rf lambda/.aws-sam .cache/site
