package statetest

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

// allFacts has every field set, most of them to what is hard to keep.
func allFacts() stillcast.Facts {
	return stillcast.Facts{
		Accuracy: stillcast.AccuracyExact, Timestamp: 30 * 24 * time.Hour, Age: -1500 * time.Millisecond,
		Decode: 12 * time.Millisecond, Scale: time.Nanosecond, Encode: math.MaxInt64,
		Luma: 127.00000000000001, Variance: math.MaxFloat64, Black: true, Solid: true,
		Hash: 0xfedcba9876543210, Distance: -1, Duplicate: true,
	}
}

// facts covers each fact by itself too, so that none stands in for another.
func (c suite) facts(t *testing.T) {
	s := c.open(t)
	all := []stillcast.Facts{
		{},
		allFacts(),
		{Accuracy: stillcast.AccuracyKeyframe},
		{Timestamp: 1},
		{Age: 2},
		{Decode: 3},
		{Scale: 4},
		{Encode: 5},
		{Luma: 255},
		{Variance: 0.5},
		{Black: true},
		{Solid: true},
		{Hash: 1},
		{Hash: math.MaxUint64},
		{Distance: 64},
		{Duplicate: true},
	}
	var want []stillcast.Shot
	for i, f := range all {
		n := newShot(fmt.Sprintf("e%d", i), hook(7))
		n.Shot.Facts, n.Shot.Format = f, stillcast.FormatWebP
		shot := commit(t, s, n)
		same(t, "shot", taken(n, shot.ID), shot)
		same(t, "shot that is committed again", shot, commit(t, s, n))
		want = append(want, shot)
	}
	got, err := s.Shots(t.Context(), state.ShotFilter{})
	check(t, err)
	same(t, "shots", want, bare(got))
}

func (c suite) renditions(t *testing.T) {
	s := c.open(t)
	n := withRenditions(newShot("e1", hook(7)), 320, 160, 1280)
	n.Shot.Facts = allFacts()
	var given stillcast.Shot
	n.MakeEvent = func(shot stillcast.Shot) (stillcast.Event, error) {
		given = shot
		return shotEvent(shot)
	}
	got := commit(t, s, n)
	want := taken(n, got.ID)
	same(t, "shot", want, got)
	same(t, "shot that its event was made of", want, given)
	other := commit(t, s, withRenditions(newShot("e2", hook(7)), 80))
	none := commit(t, s, newShot("e3", hook(7)))
	same(t, "shot that is committed again", want, commit(t, s, n))

	all := []stillcast.Shot{want, other, none}
	listed, err := s.Shots(t.Context(), state.ShotFilter{})
	check(t, err)
	same(t, "shots", all, bare(listed))
	cam := stream("cam")
	listed, err = s.Shots(t.Context(), state.ShotFilter{Stream: &cam})
	check(t, err)
	same(t, "shots of the stream", all, bare(listed))
	page, err := s.SpoolPage(t.Context(), 0, 10)
	check(t, err)
	same(t, "spool", all, page)
	for _, shot := range all {
		check(t, errorOf(s.MarkStored(t.Context(), shot.ID)))
	}
	for i, d := range claim(t, s, hook(7), state.LaneFresh, soon()) {
		same(t, "shot of a claimed delivery", all[i], d.Shot)
	}
	deliveries, err := s.Deliveries(t.Context(), state.DeliveryFilter{})
	check(t, err)
	for i, d := range deliveries {
		same(t, "shot of a delivery", all[i], d.Shot)
	}
}

// renditionKeys: no picture ever overwrites another, of whatever kind both are.
func (c suite) renditionKeys(t *testing.T) {
	s := c.open(t)
	commitNamed := func(id, bucket string, keys ...string) []string {
		n := newShot(id)
		n.Shot.Bucket, n.Shot.Key, n.Shot.Captured = bucket, keys[0], start() // 89 ms into its second
		for _, key := range keys[1:] {
			n.Shot.Renditions = append(n.Shot.Renditions, stillcast.Rendition{Key: key})
			n.Renditions = append(n.Renditions, []byte(key))
		}
		return commit(t, s, n).Keys()
	}
	for _, test := range []struct {
		id, bucket string
		keys       []string
		want       []string
	}{
		{"e1", "one", []string{"a.jpg", "b.jpg"}, []string{"a.jpg", "b.jpg"}},
		{"e2", "one", []string{"a.jpg", "b.jpg"}, []string{"a-089.jpg", "b-089.jpg"}},
		{"e3", "one", []string{"b.jpg", "a.jpg"}, []string{"b-e3.jpg", "a-e3.jpg"}},
		{"e4", "two", []string{"a.jpg", "b.jpg"}, []string{"a.jpg", "b.jpg"}},
		{
			"e5", "one",
			[]string{"c.jpg", "c.jpg", "c.jpg", "c.jpg", "c.jpg"},
			[]string{"c.jpg", "c-089.jpg", "c-e5.jpg", "c-e5-3.jpg", "c-e5-4.jpg"},
		},
		{"e6", "one", []string{"d-089.jpg", "d-e7.jpg"}, []string{"d-089.jpg", "d-e7.jpg"}},
		{"e8", "one", []string{"x.jpg", "d-e7-1.jpg", "d.jpg"}, []string{"x.jpg", "d-e7-1.jpg", "d.jpg"}},
	} {
		same(t, "keys of "+test.id, test.want, commitNamed(test.id, test.bucket, test.keys...))
	}
	n := withRenditions(newShot("e7"), 320)
	n.Shot.Bucket, n.Shot.Captured, n.Shot.Renditions[0].Key = "one", start(), "d.jpg"
	refused(t, errorOf(s.CommitShot(t.Context(), n)), stillcast.CodeConflict, "shot.renditions[0].key")
	n.Shot.Key = "d.jpg"
	refused(t, errorOf(s.CommitShot(t.Context(), n)), stillcast.CodeConflict, "shot.key")
}

// renditionsAreOneStep: a shot that fails at its last rendition leaves nothing.
func (c suite) renditionsAreOneStep(t *testing.T) {
	s := c.open(t)
	taken := newShot("e1")
	taken.Shot.Captured = start()
	for _, key := range []string{"k.jpg", "k-089.jpg", "k-e2.jpg", "k-e2-2.jpg"} {
		taken.Shot.Renditions = append(taken.Shot.Renditions, stillcast.Rendition{Key: key})
		taken.Renditions = append(taken.Renditions, []byte(key))
	}
	commit(t, s, taken)
	before := spoolStats(t, s)
	n := withRenditions(newShot("e2", hook(7)), 320, 160)
	n.Shot.Captured, n.Shot.Renditions[1].Key = start(), "k.jpg"
	refused(t, errorOf(s.CommitShot(t.Context(), n)), stillcast.CodeConflict, "shot.renditions[1].key")
	same(t, "size of the spool", before, spoolStats(t, s))
	n.Shot.Renditions[1].Key = "free.jpg"
	same(t, "keys", []string{"cam/e2.jpg", "cam/e2 of 320.jpg", "free.jpg"}, commit(t, s, n).Keys())
}

func (c suite) spoolOfRenditions(t *testing.T) {
	s := c.open(t)
	first := withRenditions(newShot("e1", hook(7)), 320, 160)
	first.Renditions[0] = make([]byte, 300_000)
	second := withRenditions(newShot("e2", hook(7)), 320)
	one, two := commit(t, s, first), commit(t, s, second)
	bytes := func(n state.NewShot) (sum int64) {
		for _, p := range append([][]byte{n.Picture}, n.Renditions...) {
			sum += int64(len(p))
		}
		return sum
	}
	same(t, "size of the spool", [2]int64{5, bytes(first) + bytes(second)}, spoolStats(t, s))
	for i, want := range append([][]byte{first.Picture}, first.Renditions...) {
		got, err := s.SpooledPicture(t.Context(), one.ID, i)
		check(t, err)
		same(t, fmt.Sprintf("picture %d", i), string(want), string(got))
	}
	refused(t, errorOf(s.SpooledPicture(t.Context(), one.ID, 3)), stillcast.CodeNotFound, "shot")
	refused(t, errorOf(s.SpooledPicture(t.Context(), 999, 1)), stillcast.CodeNotFound, "shot")

	same(t, "events due before", 0, len(claim(t, s, hook(7), state.LaneFresh, soon())))
	to, err := s.MarkStored(t.Context(), one.ID)
	check(t, err)
	same(t, "destinations", []stillcast.Destination{hook(7)}, to)
	same(t, "size of the spool", [2]int64{2, bytes(second)}, spoolStats(t, s))
	for i := range 3 {
		refused(t, errorOf(s.SpooledPicture(t.Context(), one.ID, i)), stillcast.CodeNotFound, "shot")
	}
	check(t, errorOf(s.MarkStored(t.Context(), one.ID)))
	same(t, "size of the spool", [2]int64{2, bytes(second)}, spoolStats(t, s))
	check(t, errorOf(s.MarkStored(t.Context(), two.ID)))
	same(t, "size of an empty spool", [2]int64{}, spoolStats(t, s))
}
