"""The measuring programs: `make measure` runs `commands/measure.py`, lesson 9 draws what it has written.

| file | what it does |
|:--|:--|
| plan.py | what a run measures, how often, and what it leaves out |
| machine.py | the machine: its cores, whether it is idle, the most that one core can do |
| environments.py | an environment for each runtime, built by uv |
| models.py | the picture, the models in each format, and the contenders |
| contenders.py | starts a worker for each contender and lets them take turns |
| functions.py | functions as AWS Lambda has them, under AWS's emulator |
| record.py | from durations to the record: medians, ratios, shares |
| reading.py | what the record says, by name |
| live.py | the runtimes that are installed here, timed in a minute, for lesson 9 |
| ratios.py | ratios in words |
| figures.py | the drawings of lesson 9 and its appendix |
| programs/ | what runs in other environments: workers, converters, the functions compared |
"""
