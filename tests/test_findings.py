from pipeforecast.findings import MOST_EXAMPLES, Finding, findings_frame, first_examples


def test_examples_are_bounded_whatever_came():
    assert len(Finding("A", "info", "deals", examples=tuple(map(str, range(99)))).examples) == MOST_EXAMPLES
    assert first_examples(range(10**6)) == ("0", "1", "2", "3", "4")


def test_the_frame_has_the_promised_columns_and_shows_the_gravest_first():
    frame = findings_frame([Finding("A", "info", "deals"), Finding("B", "error", "deals", "amount", 2, ("x", "y"))])
    assert list(frame) == ["code", "severity", "table", "column", "count", "examples", "repair", "advice"]
    assert frame["code"].tolist() == ["B", "A"]
    assert frame["examples"].iloc[0] == "x; y"


def test_no_finding_still_gives_the_columns():
    assert findings_frame([]).empty
    assert "advice" in findings_frame([])
