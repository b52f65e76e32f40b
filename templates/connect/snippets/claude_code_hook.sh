pip install {{ wheel }}
observatory-hook install --url {{ url }} --key {{ key }}
