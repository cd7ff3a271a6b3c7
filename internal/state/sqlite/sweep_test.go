package sqlite

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// table is what a sweep goes over; what it collects is removed.
type table []visited

func (t table) page(after int64, rows int) ([]visited, error) {
	var page []visited
	for _, r := range t {
		if r.id > after && len(page) < rows {
			page = append(page, r)
		}
	}
	return page, nil
}

func (t *table) remove(ids []int64) {
	*t = slices.DeleteFunc(*t, func(v visited) bool { return slices.Contains(ids, v.id) })
}

// TestSweep: what is kept is passed over, page by page, and looked at again in the
// next pass; so nothing that is free and old stays for ever.
func TestSweep(t *testing.T) {
	rows := table{}
	const kept, young = 2*sweepPage + 7, 3*sweepPage + 11
	for i := range int64(young + sweepPage + 20) {
		rows = append(rows, visited{id: i + 1, old: i < young, free: i >= kept})
	}
	w := &sweep{}
	got := []int64{}
	collect := func(limit int) int {
		ids, err := w.collect(limit, rows.page)
		check(t, err)
		rows.remove(ids)
		got = append(got, ids...)
		return len(ids)
	}
	if n := collect(3); n != 3 || !cmp.Equal(got, []int64{kept + 1, kept + 2, kept + 3}) {
		t.Fatalf("collected %v, want the first three that are free", got)
	}
	for n := 1; n > 0; {
		n = collect(100)
	}
	if len(got) != young-kept {
		t.Errorf("collected %d, want %d", len(got), young-kept)
	}
	rows[5].free, rows[kept].old = true, true // was kept, was young
	got = nil
	collect(100)
	collect(100)
	if want := []int64{6, young + 1}; !cmp.Equal(got, want) {
		t.Errorf("the next pass collected %v, want %v", got, want)
	}
	rows[0].free = true
	w.keep(1) // it could not be removed
	got = nil
	for range 3 {
		collect(100)
	}
	if !cmp.Equal(got, []int64{1}) {
		t.Errorf("collected %v, want what could not be removed before", got)
	}
}

// TestSweepOfReusedIDs: when a table is empty, its ids begin anew.
func TestSweepOfReusedIDs(t *testing.T) {
	w := &sweep{reused: true}
	for range 2 {
		rows := table{{1, true, true}, {2, true, true}}
		ids, err := w.collect(10, rows.page)
		check(t, err)
		if !cmp.Equal(ids, []int64{1, 2}) {
			t.Errorf("collected %v, want both", ids)
		}
	}
}

// TestSweepFails: after an error, what was found is found again.
func TestSweepFails(t *testing.T) {
	w := &sweep{}
	rows := table{}
	for i := range int64(2 * sweepPage) {
		rows = append(rows, visited{i + 1, true, i == 4})
	}
	failure := errors.New("disk")
	_, err := w.collect(10, func(after int64, n int) ([]visited, error) {
		if after > 0 {
			return nil, failure
		}
		return rows.page(after, n)
	})
	if !errors.Is(err, failure) {
		t.Errorf("collect gave %v", err)
	}
	var got []int64
	for range 2 {
		ids, err := w.collect(10, rows.page)
		check(t, err)
		got = append(got, ids...)
	}
	if !cmp.Equal(got, []int64{5}) {
		t.Errorf("collected %v, want 5", got)
	}
}
