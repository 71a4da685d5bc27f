"""Driving a search: what it may ask for, and what runs that.

rollouts               what a search asks for and is told        driver     the loop around it
execution, records     one rollout run, and as JSON        store, fingerprint     what was finished before, by key
answers                what models said in a rollout that is not finished       progress   what is shown meanwhile
ledger, amounts        the budget        asking       leaving some of it for what comes later
"""
