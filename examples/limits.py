"""Hold money before a call, settle what it cost, and meet a refusal. Uses COMPTROLLER_DATABASE or ./comptroller.db."""

import uuid

import comptroller

with comptroller.open(tenant=f"example-{uuid.uuid4().hex[:8]}") as ct:
    ct.limits.create("per-user-daily", ceiling="0.20 USD", every="day", per=["user"], warn_at=["80%"])
    ct.limits.create("burst", ceiling="200 requests", every="minute", where={"team": "research"})

    with ct.run(team="research", user="ana", agent="crawler") as run:
        with run.reserve("0.12 USD") as hold:
            hold.settle("0.0834 USD")  # what the call really cost
        run.checkpoint()  # raises RunHalted if somebody killed or halted it
        try:
            run.reserve("0.12 USD")
        except comptroller.LimitExceeded as refused:
            print(f"refused by {', '.join(refused.limits)}: {refused.left} left until {refused.resets_at}")

    for standing in ct.explain(team="research", user="ana").standings:
        print(f"{standing.limit.name}: {standing.spent} spent, {standing.left} left; {standing.why}")
