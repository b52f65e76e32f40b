pip install {{ wheel }}
export OBSERVATORY_URL={{ url }}
export OBSERVATORY_KEY={{ key }}
