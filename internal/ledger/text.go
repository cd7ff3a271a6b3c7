package ledger

import (
	"strconv"
	"strings"
	"time"

	"github.com/stillcast/stillcast"
)

// ID is the number of a shot or a delivery. In JSON it is a string: JavaScript's
// numbers lose digits above 2^53.
type ID int64

// MarshalText implements [encoding.TextMarshaler].
func (id ID) MarshalText() ([]byte, error) { return strconv.AppendInt(nil, int64(id), 10), nil }

// UnmarshalText implements [encoding.TextUnmarshaler]. It takes what MarshalText
// writes and no other form.
func (id *ID) UnmarshalText(text []byte) error {
	n, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil || n < 1 || strconv.FormatInt(n, 10) != string(text) {
		return stillcast.Errorf(stillcast.CodeInvalid, "", "is %q; expected a whole number from 1", clip(string(text)))
	}
	*id = ID(n)
	return nil
}

func (ID) schema() schema {
	return schema{"type": "string", "pattern": "^[1-9][0-9]{0,18}$"}
}

// Time is a time as it is written in JSON and in queries: RFC 3339, in replies in
// UTC with milliseconds. The zero Time is left out of replies.
type Time time.Time

// TimeForm is the form of times in replies.
const TimeForm = "2006-01-02T15:04:05.000Z07:00"

// String returns the time as it stands in replies.
func (t Time) String() string { return time.Time(t).UTC().Format(TimeForm) }

// IsZero reports whether there is no time.
func (t Time) IsZero() bool { return time.Time(t).IsZero() }

// MarshalText implements [encoding.TextMarshaler].
func (t Time) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (t *Time) UnmarshalText(text []byte) error {
	at, err := time.Parse(time.RFC3339Nano, string(text))
	if err != nil {
		return stillcast.Errorf(stillcast.CodeInvalid, "",
			"is %q; expected a time in the form of RFC 3339, such as 2026-11-26T20:54:26Z or 2026-11-26T20:54:26.123+08:00", clip(string(text)))
	}
	if year := at.UTC().Year(); year < 1970 || year > 9999 {
		return stillcast.Errorf(stillcast.CodeInvalid, "", "is %q; allowed are the years 1970 to 9999", clip(string(text)))
	}
	*t = Time(at)
	return nil
}

func (Time) schema() schema {
	return schema{"type": "string", "format": "date-time"}
}

// DestinationID names a destination: the id of its callback template and the word
// for the events that go there, as in "3-shot".
type DestinationID stillcast.Destination

// String returns the name.
func (d DestinationID) String() string {
	return strconv.FormatInt(d.TemplateID, 10) + "-" + d.Event.String()
}

// MarshalText implements [encoding.TextMarshaler].
func (d DestinationID) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (d *DestinationID) UnmarshalText(text []byte) error {
	id, word, _ := strings.Cut(string(text), "-")
	var n ID
	event, ok := eventOf(word)
	if n.UnmarshalText([]byte(id)) != nil || !ok {
		return stillcast.Errorf(stillcast.CodeInvalid, "",
			"is %q; expected the id of a callback template, '-' and one of %s, such as 3-shot", clip(string(text)), list(eventWords()))
	}
	*d = DestinationID{TemplateID: int64(n), Event: event}
	return nil
}

func (DestinationID) schema() schema {
	return schema{"type": "string", "pattern": "^[1-9][0-9]{0,18}-(" + strings.Join(eventWords(), "|") + ")$", "examples": []any{"3-shot"}}
}

// events are the types of events that go to destinations.
func events() []stillcast.EventType {
	return []stillcast.EventType{stillcast.EventShot, stillcast.EventPushBegin, stillcast.EventPushEnd, stillcast.EventPushException}
}

func eventWords() []string {
	var words []string
	for _, e := range events() {
		words = append(words, e.String())
	}
	return words
}

func eventOf(word string) (stillcast.EventType, bool) {
	for _, e := range events() {
		if e.String() == word {
			return e, true
		}
	}
	return 0, false
}

// Cursor says where a page of a listing begins: behind one row, in one order. It
// stays good while rows are added and removed. Its form is for the server alone.
type Cursor struct {
	Ascending bool
	ID        int64 // of the last row of the page before; 0 for the first page
}

// IsZero reports whether the cursor is that of the first page.
func (c Cursor) IsZero() bool { return c.ID == 0 }

// MarshalText implements [encoding.TextMarshaler].
func (c Cursor) MarshalText() ([]byte, error) {
	order := "d"
	if c.Ascending {
		order = "a"
	}
	return strconv.AppendInt([]byte(order), c.ID, 10), nil
}

// UnmarshalText implements [encoding.TextUnmarshaler].
func (c *Cursor) UnmarshalText(text []byte) error {
	var id ID
	if len(text) < 2 || text[0] != 'a' && text[0] != 'd' || id.UnmarshalText(text[1:]) != nil {
		return stillcast.Errorf(stillcast.CodeInvalid, "", "is %q; expected the next of a page before", clip(string(text)))
	}
	*c = Cursor{Ascending: text[0] == 'a', ID: int64(id)}
	return nil
}

func (Cursor) schema() schema {
	return schema{"type": "string"}
}

// clip shortens what a caller sent for an error's text.
func clip(s string) string {
	const most = 64
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// list writes words as "a, b and c".
func list(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " and " + words[last]
}
