"""Codes of findings about leads, their models and thresholds."""

from pipeforecast.codes.declared import declared

LEADS = declared("""
LEADS-NOT-AUDITED | info | The leads cannot be audited for leakage. | Not audited. | The finding says what is lacking.
LEAD-REPEATED | warning | A lead stands there twice. | The first row counts. | Export each lead once.
LEADS-REPEATED | warning | A lead stands there twice (metrics). | The last row counts. | Export each lead once.
TOUCHES-REPEATED | warning | Touches are equal in everything. | They count once. | Export each touch once, with its
    time.
LEAD-UNDATED | warning | A lead has no day of creation. | Left out. | Give every lead its day of creation.
LEADS-WITHOUT-DATES | warning | No lead has a day of creation. | None can be rewound: the table counts as it is. | Map
    created_at and the days of the steps.
LEAD-TODAYS-VALUES | info | Columns of leads are known as of today only. | Not used. | Declare under roles.leads.birth
    what is fixed at creation, or accept them by name.
LEAD-TODAYS-VALUES-ACCEPTED | warning | Today's values are used for every past day, because the call says so. | Used.
    | Scores of past days may be too good.
LEAD-STATUS-BEFORE-CREATED | warning | A lead's status day lies before its creation. | The day of creation counts. |
    Check the days.
LEAD-STATUS-OUT-OF-ORDER | warning | A later status was reached before an earlier one. | A status counts as reached by
    the day of any later one. | Check the days.
RESPONSE-BEFORE-CREATED | warning | A lead was answered before it came. | Left out of the speed to lead. | Check both
    times and their time zones.
CARD-COLUMN-NOT-THERE | warning | A column of the card made by hand is not there. | It gives no points. | Map it, or
    take it off the card.
DRIFT-CONVERSION | warning | Leads convert more or less often than before. | Recent leads count more where that
    foretold better. | Score again soon, and ask what has changed.
DRIFT-COLUMN | info | Other leads come than before. | | Ask what has changed.
NO-DATES | warning | Leads of a study of thresholds have no dates. | No weeks, no capacity, no stability. | Map the
    day of creation.
CONTACT-UNKNOWN | warning | Nothing says which leads were contacted. | All are taken for contacted. | Map
    first_response_at or touches.
UNCONTACTED | warning | Some leads were never contacted. | Left out of precision. | Contact them, or leave them out.
CARD-SAYS-NOTHING | warning | No condition tells more than chance would. | Every lead has 0 points. | Do not use a
    threshold of points.
CARD-AGAINST-MODEL | info or warning | How much of the model's gain the points card keeps. | | Where it keeps too
    little, rather use the model's chance.
EXPLORED-TOO-FEW | info | Too few leads that were handed over at random have an outcome. | Not used yet. | Go on.
VALUE-IS-ASSOCIATION | info | What leads of such scores brought is not what handing them over causes. | | Hand the
    leads of explore.csv over too.
VALUE-ASSUMED | warning | The value of a conversion is taken from won deals. | Used. | Say value_per_conversion=….
COST-ASSUMED | warning | The cost of a contact is assumed. | Two percent of a conversion's value. | Say
    cost_per_contact=….
NOBODY-HANDED-OVER | warning | No score pays for a contact. | The best threshold hands no lead over. | Look at cost,
    value and capacity.
CAPACITY-BINDS | info | More leads would pay than the capacity allows. | Cut at the capacity. | The finding says what
    more would bring.
SMALL-SEGMENTS | info | Segments are too small for a threshold of their own. | Judged with all leads. | It takes 100
    leads, ten of each outcome.
SHARE-HANDED-OVER-GREW | warning | More leads pass the threshold than before. | | Look whether conversion grew too, or
    set the threshold anew.
STEP-NOT-STUDIED | warning | A step cannot be studied. | No thresholds. | The finding says why.
""")
