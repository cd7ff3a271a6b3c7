package console

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/stillcast/stillcast"
)

// streamPath is the page of streams, of which the query names one: a name may hold
// what paths cannot, such as "..", which everybody on the way would resolve.
const streamPath = Path + "stream"

// streamURL is the page of a stream, or with action what is done to it. More are
// further parameters, as name and value by turns.
func streamURL(s stillcast.Stream, action string, more ...string) string {
	var b strings.Builder
	b.WriteString(streamPath)
	if action != "" {
		b.WriteString("/" + action)
	}
	sign := "?"
	for pair := range slices.Chunk(append([]string{"domain", s.Domain, "app", s.App, "stream", s.Name}, more...), 2) {
		b.WriteString(sign + url.QueryEscape(pair[0]) + "=" + url.QueryEscape(pair[1]))
		sign = "&"
	}
	return b.String()
}

// streamOf returns the stream that the query of a request names.
func (v *view) streamOf() (stillcast.Stream, error) {
	q := v.r.URL.Query()
	s := stillcast.Stream{Domain: q.Get("domain"), App: q.Get("app"), Name: q.Get("stream")}
	if err := s.Validate(); err != nil {
		return s, stillcast.Errorf(stillcast.CodeNotFound, "stream", "%v", err)
	}
	return s, nil
}

// deliveriesOf is the list of what is owed of a stream.
func deliveriesOf(s stillcast.Stream) string {
	return Path + "deliveries?" + url.Values{"domain": {s.Domain}, "app": {s.App}, "stream": {s.Name}}.Encode()
}

// Link is the page with one more parameter, the id of a shot.
func (d streamData) Link(name string, shot int64) string {
	return streamURL(d.Stream, "", name, strconv.FormatInt(shot, 10))
}

// Act is where an action on the stream is sent.
func (d streamData) Act(action string) string { return streamURL(d.Stream, action) }

// Deliveries is the list of what is owed of the stream.
func (d streamData) Deliveries() string { return deliveriesOf(d.Stream) }

// Name is that of the stream, for people.
func (d streamData) Name() string { return legible(d.Stream.Name) }

// Where are the other parts of its name, for people.
func (d streamData) Where() string { return legible(d.Stream.Domain) + " / " + legible(d.Stream.App) }

// legible writes a name so that all of it is seen, spaces at its ends, too.
func legible(name string) string {
	const space = rune(controlPictures + ' ')
	begin := len(name) - len(strings.TrimLeftFunc(name, unicode.IsSpace))
	end := max(begin, len(strings.TrimRightFunc(name, unicode.IsSpace)))
	spaces := func(s string) string {
		return strings.Map(func(r rune) rune {
			if unicode.IsSpace(r) {
				return space
			}
			return r
		}, s)
	}
	return spaces(name[:begin]) + visible(name[begin:end]) + spaces(name[end:])
}
