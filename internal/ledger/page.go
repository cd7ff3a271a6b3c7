package ledger

import (
	"time"

	"github.com/stillcast/stillcast"
)

// Page are the parameters of a listing.
type Page struct {
	Order  string `param:"order" enum:"desc,asc" default:"desc" doc:"desc begins with the newest row, asc with the oldest."`
	Cursor Cursor `param:"cursor" doc:"The member next of the page before; the other parameters must be as they were for that."`
	Limit  int    `param:"limit" min:"1" max:"500" default:"100" doc:"Rows of a page at most."`
}

// bounds are what a page says of the ids of its rows. One row more than the
// page holds is asked for, to know whether there is a next one.
func (p Page) bounds() (afterID, beforeID int64, descending bool, limit int, err error) {
	descending = p.Order == "desc"
	if !p.Cursor.IsZero() && p.Cursor.Ascending == descending {
		return 0, 0, false, 0, stillcast.Errorf(stillcast.CodeInvalid, "cursor", "is of a listing in the other order; begin anew without it")
	}
	if descending {
		beforeID = p.Cursor.ID
	} else {
		afterID = p.Cursor.ID
	}
	return afterID, beforeID, descending, p.Limit + 1, nil
}

// cut takes the row too many off and returns the cursor of the next page.
func cut[T any](p Page, rows []T, id func(T) int64) ([]T, Cursor) {
	if len(rows) <= p.Limit {
		return rows, Cursor{}
	}
	rows = rows[:p.Limit]
	return rows, Cursor{Ascending: p.Order == "asc", ID: id(rows[len(rows)-1])}
}

// Span are the parameters that bound a time.
type Span struct {
	From  Time `param:"from" doc:"Not before this time."`
	Until Time `param:"until" doc:"Before this time."`
}

func (s Span) times() (from, until time.Time, err error) {
	from, until = time.Time(s.From), time.Time(s.Until)
	if !from.IsZero() && !until.IsZero() && !from.Before(until) {
		return from, until, stillcast.Errorf(stillcast.CodeInvalid, "until", "is %s; it must be after from, %s", s.Until, s.From)
	}
	return from, until, nil
}

// StreamParts are the parameters that name one stream.
type StreamParts struct {
	Domain string `param:"domain" doc:"Push domain of a stream, as the publisher sent it. domain, app and stream belong together; any stream without them."`
	App    string `param:"app" doc:"Its app."`
	Stream string `param:"stream" doc:"Its name."`
}

// given returns the stream, or nil where none is named.
func (p StreamParts) given() (*stillcast.Stream, error) {
	if p == (StreamParts{}) {
		return nil, nil //nolint:nilnil // no stream is no error
	}
	for _, part := range []struct{ name, value string }{{"domain", p.Domain}, {"app", p.App}, {"stream", p.Stream}} {
		if part.value == "" {
			return nil, stillcast.Errorf(stillcast.CodeInvalid, part.name, "is missing; domain, app and stream name a stream together: give all or none")
		}
	}
	return &stillcast.Stream{Domain: p.Domain, App: p.App, Name: p.Stream}, nil
}

// Stream names a stream by the parts of its push URL.
type Stream struct {
	Domain string `json:"domain" doc:"Push domain, as the publisher sent it."`
	App    string `json:"app"`
	Name   string `json:"name"`
}

func streamOf(s stillcast.Stream) Stream { return Stream{Domain: s.Domain, App: s.App, Name: s.Name} }

// String returns "domain/app/name".
func (s Stream) String() string { return stillcast.Stream(s).String() }

// Milliseconds keeps the microseconds as decimals.
func Milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
