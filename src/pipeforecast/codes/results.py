"""Codes of findings about what was computed: metrics, forecasts, proofs, plans, audits."""

from pipeforecast.codes.declared import declared

RESULTS = declared("""
GROUPING-NOT-THERE | warning | No table has the column by which is to be grouped. | Left out. | Map it, or leave it
    out.
PIPELINE-ESTIMATED | info | Open deals have no amount. | Counted with the average deal size. | Fill in amounts.
STAGE-WITHOUT-PROBABILITY | warning | A stage has no probability. | Its deals weigh nothing in the weighted pipeline.
    | Give it one.
NEGATIVE-SPEND | warning | Spend is below nought. | Left out of every figure of spend. | Book refunds into the amount
    that they correct.
ENDED-BEFORE-BEGUN | warning | A subscription or trial ended before it began. | Left out. | Check both days.
QUOTA-TWICE | warning | A group has two quotas for a period. | The last one counts. | Keep one.
QUOTA-NO-PERIOD | warning | A quota's period is none of the calendar. | Left out. | Name periods as the calendar does.
QUOTA-NOT-POSITIVE | warning | A quota is not above nought. | Taken as reached. | Leave out whoever has none.
QUOTA-UNKNOWN-LEVEL | warning | Quotas are for a level that is not forecast. | Left out. | Add the level to levels.
QUOTA-UNKNOWN-GROUP | warning | Quotas are for a group that has no deal. | Left out. | Spell it as the deals do.
PARTLY-ASSUMED | warning or info | With few closed deals, a part of each chance rests on the CRM's percentages. |
    Assumed, not learned. | Export closed deals too.
STAGE-ASSUMED | warning | Past stages are unknown. | Today's percentages tilt the chances by half. | Export the change
    log, or keep dated exports.
NEVER-SEEN | warning or info | Open deals have a level that no lesson had. | Counted like rare ones. | If it was
    renamed, map the old name to the new one.
LESSONS-SAMPLED | info | There are more deals than are needed to learn from. | A share of them, chosen by their ids,
    taught whether and when deals are won; all else is counted over all deals. | model.max_deals takes more.
REASONS-UNSTABLE | info | Reasons of some deals differ between two samples. | Only what came out alike is named. |
    Those of model=hazard are exact.
REASONS-FOR-SOME | info | Only the deals with the most money have reasons. | | With model=hazard all have.
NOT-YET-PROVEN | warning | No past period could be replayed. | The first line says so. | Export more history.
WORSE-THAN-A-RULE | error or warning | A rule did better than the model in the replay. | method=auto gives way to it.
    | Use the rule until the model earns its place.
SUSPICIOUSLY-GOOD | warning | Early in the period the error is smaller than can be. | | Look for a leak.
TOO-FEW-QUARTERS | warning or info | Ranges were checked on few periods. | They are model-based. | Read them with
    care.
RANGES-TOO-NARROW | warning | The 80 % range held clearly less. | Widened from what was seen. | Read them with care.
OVERLAP-IN-TIME | error | A past period was over on the evening of its forecast (report). | | Leave it out: its record
    proves nothing.
PAST-DUE-DATES | warning | Open deals are past their date (report). | | Renew the dates.
ONE-DEAL-DECIDES | warning | One deal is a large part of the forecast. | | Look at it by itself.
TIE-BROKEN | error | Used and excluded amounts do not add up to the export. | | Find out why before using the
    forecast.
RANKING-NO-BETTER-THAN-BASE-RATE | warning | The facts do not tell won from lost. | Chances differ hardly. | Record
    what decides.
RATE-UNDEFINED | warning | A rate of the plan cannot be measured. | What hangs on it is left open. | State it as
    rates.NAME=X.
RATE-OF-ONE | warning | A rate rests on a single case. | The mean is left open. | Look at p10 and p90.
NO-REPS | info | Nobody owns open deals. | Nothing is told per rep. | Say reps=N.
CRITERIA-NO-COLUMN | warning | Columns of criteria are not there. | Not asked. | Map them.
CRITERIA-NO-STAGE | warning | A stage of criteria is not there. | Not asked. | Name the stage, or its number.
FLAG-NOT-AVAILABLE | info | What a flag rests on is not there. | Nobody is flagged with it. | Map what it rests on.
FLAG-NOT-MEASURED | info | What a flag rests on is not known of past evenings. | Today's deals are flagged, its win
    rate stays empty. | Track it, or keep dated exports.
""")
