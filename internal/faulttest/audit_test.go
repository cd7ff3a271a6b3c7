package faulttest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stillcast/stillcast/callback"
	"github.com/stillcast/stillcast/internal/state"
	"github.com/stillcast/stillcast/internal/state/sqlite"
)

// rows is what the database holds in the end.
type rows struct {
	shots      []state.ShotStatus
	deliveries []state.DeliveryStatus
}

func (w *world) rows() (all rows) {
	w.t.Helper()
	s, err := sqlite.Open(w.t.Context(), sqlite.Config{Path: filepath.Join(w.dir, "stillcast.db")},
		slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		w.t.Fatal(err)
	}
	defer s.Close()
	all.shots = pages(w.t, func(ctx context.Context, after int64) ([]state.ShotStatus, error) {
		return s.Shots(ctx, state.ShotFilter{AfterID: after, Limit: state.MaxPage})
	}, func(s state.ShotStatus) int64 { return s.ID })
	all.deliveries = pages(w.t, func(ctx context.Context, after int64) ([]state.DeliveryStatus, error) {
		return s.Deliveries(ctx, state.DeliveryFilter{AfterID: after, Limit: state.MaxPage})
	}, func(d state.DeliveryStatus) int64 { return d.ID })
	return all
}

func pages[T any](t *testing.T, page func(ctx context.Context, after int64) ([]T, error), id func(T) int64) (all []T) {
	t.Helper()
	for after := int64(0); ; after = id(all[len(all)-1]) {
		more, err := page(t.Context(), after)
		if err != nil {
			t.Fatal(err)
		}
		if len(more) == 0 {
			return all
		}
		all = append(all, more...)
	}
}

// downloadAll asks for the picture of every event that came, once more.
func (w *world) downloadAll(host string) (faults []string) {
	w.t.Helper()
	events, _ := w.receiver.all()
	for id, e := range events {
		if e.key == "" {
			continue
		}
		picture, err := w.receiver.download(w.t.Context(), at(e.url, host))
		switch {
		case err != nil:
			faults = append(faults, fmt.Sprintf("picture of event %s: %v", id, err))
		case len(picture) != e.size || !bytes.Equal(picture, e.picture):
			faults = append(faults, fmt.Sprintf("picture of event %s has %d bytes, want %d, those that came with the event", id, len(picture), e.size))
		}
	}
	return faults
}

// audit says what of the promises does not hold after a server was stopped that had
// nothing more to do.
func (w *world) audit() (faults []string) {
	w.t.Helper()
	all := w.rows()
	events, faults := w.receiver.all()
	faults = slices.Concat(faults, w.auditAcknowledged(all, events), auditDeliveries(all, events), auditNumbers(all, events), w.auditPictures(all))
	doubles := 0
	for _, e := range events {
		doubles += e.times - 1
	}
	w.t.Logf("%d shots acknowledged, %d in the database, %d of them received; %d events in all, %d received more than once",
		len(w.log.acknowledged()), len(all.shots), w.receiver.count(), len(all.deliveries), doubles)
	return faults
}

// auditAcknowledged: what somebody was told of is there.
func (w *world) auditAcknowledged(all rows, events map[string]*received) (faults []string) {
	known := map[string]bool{}
	for _, d := range all.deliveries {
		known[d.Event.ID] = true
	}
	for _, id := range w.log.acknowledged() {
		if !known[id] {
			faults = append(faults, fmt.Sprintf("shot with event %s was acknowledged, and is gone", id))
		}
	}
	for id := range events {
		if !known[id] {
			faults = append(faults, fmt.Sprintf("event %s was received, and is gone from the database", id))
		}
	}
	return faults
}

// auditDeliveries: every shot is stored and has its event, and every event was
// delivered.
func auditDeliveries(all rows, events map[string]*received) (faults []string) {
	owed := map[string]int{}
	for _, d := range all.deliveries {
		owed[d.Event.ID]++
		if d.State != state.StateDelivered {
			faults = append(faults, fmt.Sprintf("delivery %d of event %s is %s: %s", d.ID, d.Event.ID, d.State, d.Reason))
		}
		if events[d.Event.ID] == nil {
			faults = append(faults, fmt.Sprintf("event %s of %s was never received", d.Event.ID, d.Event.Stream))
		}
	}
	for _, s := range all.shots {
		if s.State != state.ShotStored || owed[s.EventID] != 1 {
			faults = append(faults, fmt.Sprintf("shot %d is %s and has %d deliveries, want stored and one", s.ID, s.State, owed[s.EventID]))
		}
	}
	return faults
}

// auditNumbers: each line counts from 1 without a hole, in the database and at the
// receiver, and each number stands for one event.
func auditNumbers(all rows, events map[string]*received) (faults []string) {
	type numbered struct {
		line
		number int64
	}
	holders := map[numbered]string{}
	counts := map[line]int64{}
	for id, e := range events {
		n := numbered{e.line, e.number}
		if other, ok := holders[n]; ok {
			faults = append(faults, fmt.Sprintf("number %d of %v stands for the events %s and %s", e.number, e.line, id, other))
		}
		holders[n] = id
		counts[e.line]++
	}
	for l, count := range counts {
		for number := int64(1); number <= count; number++ {
			if holders[numbered{l, number}] == "" {
				faults = append(faults, fmt.Sprintf("number %d of %v is missing; %d events came", number, l, count))
			}
		}
	}
	for _, d := range all.deliveries {
		if e := events[d.Event.ID]; e != nil && e.number != d.Sequence {
			faults = append(faults, fmt.Sprintf("event %s came with number %d, and has %d in the database", d.Event.ID, e.number, d.Sequence))
		}
	}
	if counts[line{"s00", callback.TypeStreamBegin}] != counts[line{"s00", callback.TypeStreamEnd}] {
		faults = append(faults, fmt.Sprintf("%v events that pushes of s00 began, %v that they ended",
			counts[line{"s00", callback.TypeStreamBegin}], counts[line{"s00", callback.TypeStreamEnd}]))
	}
	return faults
}

// auditPictures: each store holds the pictures of all shots, whole, and no others.
func (w *world) auditPictures(all rows) (faults []string) {
	w.t.Helper()
	sizes := map[string]int64{}
	for _, s := range all.shots {
		keys := s.Keys()
		sizes[filepath.Join(s.Bucket, keys[0])] = int64(s.Size)
		for i, r := range s.Renditions {
			sizes[filepath.Join(s.Bucket, keys[i+1])] = int64(r.Size)
		}
	}
	for _, folder := range w.pictures {
		faults = append(faults, auditFolder(w.t, folder, sizes)...)
	}
	return faults
}

func auditFolder(t *testing.T, folder string, sizes map[string]int64) (faults []string) {
	t.Helper()
	there := map[string]bool{}
	err := filepath.WalkDir(folder, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".jpg") && !strings.HasSuffix(path, ".tmp") {
			return err
		}
		name, err := filepath.Rel(folder, path)
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		there[name] = true
		if size, ok := sizes[name]; !ok || size != info.Size() {
			faults = append(faults, fmt.Sprintf("%s has %d bytes, want %d of a shot's picture", path, info.Size(), size))
		}
		return nil
	})
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	for name := range sizes {
		if !there[name] {
			faults = append(faults, name+" is not in "+folder)
		}
	}
	return faults
}

// mustBeWhole fails the test for each fault.
func (w *world) mustBeWhole(faults []string) {
	w.t.Helper()
	for i, f := range faults {
		if i == 20 {
			w.t.Errorf("… and %d more", len(faults)-i)
			return
		}
		w.t.Error(f)
	}
}
