package statetest

import (
	"testing"
	"time"

	"github.com/stillcast/stillcast"
)

func (c suite) bans(t *testing.T) {
	s := c.open(t)
	listed := func(want ...stillcast.Ban) {
		t.Helper()
		got, err := s.Bans(t.Context())
		check(t, err)
		same(t, "bans", want, got)
	}
	listed()
	until := time.Now().Add(time.Hour).UTC().Truncate(time.Microsecond)
	late := stillcast.Ban{Stream: stream("late"), Until: until.Add(time.Hour), Reason: "noise", Created: start()}
	early := stillcast.Ban{Stream: stream("early"), Until: until, Created: start()}
	expired := stillcast.Ban{Stream: stream("expired"), Until: time.Now().Add(-time.Second), Created: start()}
	for _, ban := range []stillcast.Ban{late, early, expired} {
		check(t, s.PutBan(t.Context(), ban))
	}
	listed(early, late)

	early.Until, early.Reason, early.Created = until.Add(2*time.Hour), "still", start().Add(time.Second)
	check(t, s.PutBan(t.Context(), early))
	listed(late, early)

	for _, test := range []struct {
		stream stillcast.Stream
		want   stillcast.Ban
	}{
		{stream("late"), late}, {stream("late"), stillcast.Ban{}}, {stream("expired"), stillcast.Ban{}}, {stream("never seen"), stillcast.Ban{}},
	} {
		lifted, err := s.DeleteBan(t.Context(), test.stream)
		check(t, err)
		same(t, "lifted ban", test.want, lifted)
	}
	listed(early)

	refused(t, s.PutBan(t.Context(), stillcast.Ban{Until: until}), stillcast.CodeInvalid, "push domain")
	refused(t, s.PutBan(t.Context(), stillcast.Ban{Stream: stream("cam")}), stillcast.CodeInvalid, "until")
	listed(early)

	check(t, s.PutBan(t.Context(), stillcast.Ban{Stream: stream("cam"), Until: until}))
	bans, err := s.Bans(t.Context())
	check(t, err)
	recent(t, "creation of a ban", bans[0].Created)
}
