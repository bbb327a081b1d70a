# %% own-template
from pathlib import Path

template = Path("lambda/template-first.yaml").read_text()
template = template.replace("lambda_function.lambda_handler", "shoes.classify")
template = template.replace("Default: 1769", "Default: 2048")
template = template.replace("Timeout: 20", "Timeout: 60")


# %% allowed
allowed = [
    "change our function",
    "make a role for our function",
    "list the names of all logs",
    "call the shop's API",
]


# %% too-wide
resource = "arn:aws:lambda:*:*:function:*"
