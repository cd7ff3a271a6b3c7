package api

import (
	"strconv"
	"time"
)

// The two notations of times ("DescribeCallbackRecordsList").
const (
	utcNotation   = "2006-01-02T15:04:05Z"
	localNotation = "2006-01-02 15:04:05"
)

// moment is a time with the notation that it was given in.
type moment struct {
	time.Time

	notation string
	zone     *time.Location
}

// format writes another time in the same notation.
func (m moment) format(t time.Time) string {
	return t.In(m.zone).Format(m.notation)
}

// moment reads a time in UTC, or without a zone in the server's.
func (c *call) moment(name string) (moment, error) {
	text := c.text(name)
	if t, err := time.Parse(utcNotation, text); err == nil {
		return moment{t, utcNotation, time.UTC}, nil
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return moment{t, time.RFC3339, t.Location()}, nil
	}
	zone := c.control.Location()
	t, err := time.ParseInLocation(localNotation, text, zone)
	if err != nil {
		return moment{}, faultf(c.action.valueCode(), "%s is %q; allowed are times such as 2026-01-31T15:04:05Z, or 2026-01-31 15:04:05 in the time zone %s", name, clip(text), zone)
	}
	return moment{t, localNotation, zone}, nil
}

// window reads StartTime and EndTime, at most span apart.
func (c *call) window(span, past time.Duration) (start, end moment, err error) {
	if start, err = c.moment("StartTime"); err != nil {
		return
	}
	if end, err = c.moment("EndTime"); err != nil {
		return
	}
	return start, end, c.checkWindow(start.Time, end.Time, span, past)
}

func (c *call) checkWindow(start, end time.Time, span, past time.Duration) error {
	switch {
	case !end.After(start):
		return faultf(c.action.valueCode(), "EndTime %s is not after StartTime %s", end.UTC().Format(utcNotation), start.UTC().Format(utcNotation))
	case end.Sub(start) > span:
		return faultf(c.action.valueCode(), "StartTime and EndTime are %s apart; at most %s are allowed", end.Sub(start), inDays(span))
	case time.Since(start) > past:
		return faultf(c.action.valueCode(), "StartTime %s is too long ago; at most %s are allowed", start.UTC().Format(utcNotation), inDays(past))
	}
	return nil
}

func inDays(d time.Duration) string {
	if d <= 24*time.Hour {
		return d.String()
	}
	return strconv.FormatInt(int64(d/(24*time.Hour)), 10) + " days"
}

// localTime writes times of replies in the server's zone, "" for none.
func (c *call) localTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(c.control.Location()).Format(localNotation)
}

func utcTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(utcNotation)
}

// page is a part of a list.
type page struct {
	number, size int64
}

func (c *call) page(size int64) page {
	p := page{number: 1, size: size}
	if c.has("PageNum") {
		p.number = max(1, c.integer("PageNum"))
	}
	if c.has("PageSize") {
		p.size = max(1, c.integer("PageSize"))
	}
	return p
}

func (p page) offset() int64 { return (p.number - 1) * p.size }

func (p page) pages(total int64) int64 { return (total + p.size - 1) / p.size }

// cut returns the part of a list that is on the page.
func cut[T any](p page, all []T) []T {
	from := min(p.offset(), int64(len(all)))
	return all[from:min(from+p.size, int64(len(all)))]
}
