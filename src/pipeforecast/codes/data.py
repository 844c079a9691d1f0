"""Codes of findings about an export as it is read, and about the past that it tells."""

from pipeforecast.codes.declared import declared

#: What the other verbs refuse with one message, because any reading of it would be a guess.
REFUSED = declared("""
COLUMN-MISSING | error | A column that the mapping needs is not in the file. | Looked on without it. | Export it too, or
    name its column in the mapping; the message says what is near it.
TABLE-NOT-READ | error | A file beside the deals cannot be read: broken, or without what the table needs. | Looked on
    without it. | Mend the file, or what the mapping says of it.
DATE-UNREADABLE | error | Days of several formats in one column, or text among days. | Set missing. | Write all days of
    the column alike, or set dates.formats, or list the text under missing.
DATES-AMBIGUOUS | error | Day first and month first both fit every day of a column, and give different days. | Read day
    first, to look at the rest. | Set dates.order to day_first or month_first.
NUMBER-UNREADABLE | error | Text among numbers, or another decimal sign. | Set missing. | Set numbers.decimal and
    numbers.thousands, or list the text under missing.
FLAG-UNREADABLE | error | Text among yes and no. | Set missing. | Map the words with values.
STAGE-UNKNOWN | error | A stage that is not in the list, or was renamed. | Set missing; where the stage says whether a
    deal is open, its row is left out. | Add it to crm.stages, or give it its new name with values.
STAGE-KIND-UNKNOWN | error | A stage's kind is neither open, won nor lost. | Read as open. | Correct the table of
    stages.
STATUS-UNKNOWN | error | A status that is neither open, won nor lost. | Left out. | Map the words with values under
    crm.status.
CURRENCY-WITHOUT-RATE | error | Several currencies and no table of rates, or no rate before a deal's creation. |
    Without any rates amounts are added up as they stand; without one they are set missing. | Set crm.currency and
    give rates, or earlier ones.
READING-STOPPED | error | Nothing of the deals is left to read on with, such as ids. | Nothing else was looked at. |
    Correct what the other errors name, and check again.
""")
DATA = declared("""
ENCODING-GUESSED | info | A file is not UTF-8. | Read as Windows text. | Check a name with accents; write UTF-8, or
    set the table's encoding.
TABLE-NOT-THERE | info | A table that the mapping names is not in the export. | Read without. | Export it for what
    needs it.
COLUMN-NOT-THERE | info | Optional columns of the mapping are not in the file. | Read without. | Add them, or change
    the mapping.
LOOKUP-KEY-REPEATED | warning | A file in which values are looked up has a key twice. | The first row counts. | Make
    the key unique.
LOOKUP-UNMATCHED | warning | A key is not in the file in which it is looked up. | Left missing. | Complete that file,
    or rename the spellings with values.
NUMBERS-LOOK-GROUPED | warning | Every decimal of a column has three digits: 1.234 may mean one thousand. | Read as
    decimals. | If they mean thousands, set numbers.decimal and numbers.thousands.
DATE-MEANS-NONE | warning | Days such as 9999-12-31, 1970-01-01 or 0000-00-00 stand where there is none. | Set
    missing. | Leave such cells empty. A real day before 1900 or after 2099 cannot be read.
TIME-ZONES-MIXED | warning | Times of one column are written in several time zones. | Read as written. | Export all
    times in one time zone.
ROWS-INCOMPLETE | warning | Rows of a table lack a value that it needs. | Left out. | Fill the columns that are named.
EXCLUDED-BY-MAPPING | info | Rows that the mapping leaves out (exclude), such as deleted ones. | Left out; deals stay
    in the tie. | Nothing, if it is meant so.
DELETED-NOT-MAPPED | warning | Rows are marked as deleted or archived, and the mapping does not say what that means. |
    Kept; they count as any other. | Name the column under exclude.
MERGED-INTO-ANOTHER | warning | A deal says which other one it was merged into. | Left out; the other one counts for
    both. | Nothing.
NO-DEAL-ID | warning | Rows of deals have no id. | Left out. | Give every deal an id.
DUPLICATE-ROW | warning | A deal stands there twice, equal in everything. | One counts, the others are left out. |
    Export each deal once.
DUPLICATE-ID | warning | Different rows have one deal's id. | The row modified last counts, else the last one; the
    others are left out. | Make ids unique.
DEALS-ALIKE | warning | Deals with different ids have the same name, day of creation and amount. | Kept; each counts.
    | Merge or delete one of them in the CRM.
CLOSED-WITHOUT-DATE | warning | A deal is won or lost and no day says when. | Left out. | Give closed deals their
    closing day.
CLOSE-DATE-FROM-RECORD | warning | A closed deal has no closing day, but the day on which that was written. | That day
    is taken. | Give closed deals their closing day.
CLOSED-BEFORE-CREATED | warning | A deal closed before it was created. | Kept; it counts as closed on the day of
    creation, and was never seen open. | Check both days.
CLOSED-IN-THE-FUTURE | warning | A deal's closing day lies after the last day on which anything was written. | Kept;
    it counts in the period of that day. | Check the closing day.
CREATED-DATE-MISSING | warning | A deal has no day of creation. | The first day on which anything is known of it is
    taken; for open deals the export's last day. | Export the day of creation.
AMOUNT-NEGATIVE | warning | A deal's amount is below nought. | Kept. | Check; credits belong elsewhere.
AMOUNT-ENORMOUS | warning | A deal's amount is over a thousand times the usual one. | Kept. | Check: such a deal
    outweighs all others.
AMOUNT-IMPOSSIBLE | warning | An amount is 10 000 000 000 000 or more. | Set missing. | Correct it: a phone number or
    an id may have slipped into the column.
OPEN-WITHOUT-AMOUNT | warning | An open deal has no amount. | The amount is forecast too. | Fill in amounts, or map a
    list price.
WON-WITHOUT-AMOUNT | warning | A won deal has no amount, or none above nought. | Kept; it counts as won for nothing. |
    Check: renewals and trials often hide here.
PROBABILITY-OUT-OF-RANGE | warning | A probability is not between 0 and 1. | Set missing. | Percentages need scale:
    0.01 in the mapping.
CURRENCY-CONVERTED | info | Deals are in several currencies. | Turned into one by the last rate before each deal's
    creation. | Check the table of rates.
CURRENCY-MISSING | warning | Deals are in several currencies, and some name none. | Taken as the one that is counted
    in. | Give every deal its currency.
SPELLING-VARIANTS | warning | Levels of a category differ in capitals, spaces or signs alone. | Kept apart. | Join
    them with values in the mapping, if they mean the same.
STAGES-INFERRED | warning | No list of stages is given. | Taken in the order in which they first appear. | List them
    in their order under crm.stages.
STAGE-RENAMED | warning | One stage is no longer entered from the days on which another one begins. | Kept as two
    stages. | If they are one, join them with values in the mapping.
CHANGE-LOG-NOT-THERE | warning | A change log that the mapping names is not in the export. | Read without. | Export it
    too, or keep dated exports: the past is learned from them.
LOG-ROWS-WITHOUT-DEAL | warning | Rows of a change log name no deal of the export. | Left out. | Export the deals too,
    deleted ones with their mark.
LOG-ROWS-OF-EXCLUDED-DEAL | info | Rows of a change log belong to deals that are left out. | Left out with them. |
    Nothing, if the deals are meant to be left out.
LOG-ROWS-WITHOUT-TIME | warning | Rows of a change log have no time. | Left out. | Fill the time of the change.
FIELD-NOT-MAPPED | info | Rows of a change log tell of fields that the mapping does not name. | Left out. | Name the
    field under history.long, if its past matters.
NAMES-NOT-THERE | warning | A change log holds ids, and the file that says what they mean is not there. | Those
    changes are not read. | Export that file.
LOG-DISAGREES-WITH-TODAY | warning | The last row of a deal's log differs from the deal as it is today. | Today's
    values are added as a last change, on the day on which the deal was last modified. | Export deals and log at the
    same time, with every tracked field.
LOG-BEFORE-CREATED | warning | The log of a deal begins before its day of creation. | Kept; the deal counts from its
    first row on. | Check the days of creation, or the clocks.
NO-LOG-ROWS | warning | Deals have no row in the change log. | Their past is unknown between creation and closing or
    today. | Export the log of every deal.
CLOSED-WITHOUT-LOGGED-FIELD | warning | The log lacks a field of closed deals that it has of open ones: that it is
    missing gives away that they closed. | Their past of it is taken as unknown. | Log it for every deal, or name it
    under crm.roles.today.
SAME-SECOND | info | Several changes of a deal were written in one second. | The order of the source decides; of one
    field the last row counts. | Export the log in the order in which it was written.
HISTORY-BEGINS-LATE | warning | Deals were created long before the first change in the log. | What they were before is
    unknown. | Export the whole log, or replay only later days.
LEFT-TRUNCATED | warning | Deals were created long before the first closing: earlier closings are lacking. | Deals
    count from the first day on which a closing could be seen. | Export the closed deals too.
DEALS-VANISHED | warning or error | Deals of an earlier export are in no later one. | Open ones count as lost on the
    day of the first export without them. | Export all deals every time, closed and deleted ones too.
EARLIER-EXPORTS-NOT-READ | info | The newest of several dated exports has a change log. | Only the newest is read,
    and its rows alone are counted. | Nothing: its log says more than differences between exports.
BIRTH-FACT-CHANGED | warning | A column that the mapping calls fixed at creation differs between exports: today's
    value is used as history. | The newest value is taken for every past day. | Take it out of crm.roles.birth.
TODAY-ONLY | info | Columns are known as of today only. | Not used for past days. | Declare under crm.roles.birth
    those that never change, or export their change log.
NO-STAGE-HISTORY | warning | Nothing says in which stage a deal was before. | Today's stage counts for today only. |
    Export a change log, or keep one export a week.
NO-RECORDED-AT | info | Nothing says when closings were written. | They are taken as written on their own day. | If
    deals are booked late, the replay flatters past forecasts: export when closing was written.
BOOKED-LATE | info | Closings were written after their day. | Snapshots count them from the day of writing. | Expect a
    quarter's figure to rise after its end.
EXPECTED-CLOSE-PAST | warning | An open deal's expected close has passed. | Kept; it says only that the deal slipped.
    | Ask owners to renew the day or close the deal.
NO-EXPECTED-CLOSE | warning or info | An open deal has no expected close. | Forecast without it. | Rules that use the
    CRM's date cannot see it.
OLDER-THAN-ANY-CLOSED | warning | An open deal is older than any deal was at its closing. | Its chance is beyond what
    was seen. | Close the dead ones.
LAST-DAY-LEAPS | warning | The last written day lies far after all others. | as_of would be that day. | Check the days
    of these deals, or give as_of.
LEAK-FILLED-AFTERWARDS | error | A day of birth lies on or after the outcome. | The training stops. | Take the column
    out of the mapping, or allow it by name.
LEAK-ONLY-REACHED | error | A column is filled only where the outcome was reached (a deal won, a lead converted). |
    The training stops. | Take it out of the mapping, or allow it by name.
LEAK-ONLY-OTHERS | error | A column is filled only where the outcome was not reached. | The training stops. | Take it
    out of the mapping, or allow it by name.
LEAK-ONLY-CLOSED | error | A column that is called fixed at creation is filled in closed deals and hardly in open ones
    of the same age. | The training stops. | Take it out of crm.roles.birth, or allow it by name.
LEAK-SEPARATES | error or warning | A column alone ranks 97 % (error) or 90 % (warning) of the pairs rightly. | From
    97 % on the training stops. | Was it known before the outcome? If not, take it out; if so, allow it by name.
ALLOWED-UNKNOWN | warning | allow_leaks names a column that is not there, or that is not audited. | Allows nothing. |
    Correct its name; the finding says what is near it.
LEAK-NAME | warning | By its name a column is written with the outcome or after it. | Left out. | If it was known
    before, allow it by name.
HIDDEN-MISSING | warning | Values such as -1, unknown or Select mean missing. | Numbers count as missing, levels stay.
    | Say so in the mapping: missing.
LEVEL-SWALLOWED | info | A level such as None or NA would be taken for missing by other programs. | Kept as a level. |
    Nothing.
COLUMN-EMPTY | info | A column has no value at all. | Left out. | Take it out of the mapping.
""")
