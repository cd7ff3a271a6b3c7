package sqlite

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

// picture makes the picture of an event, so that a lost or mixed up one is
// noticed. Most are longer than a page.
func picture(id string) []byte {
	return bytes.Repeat([]byte(id+"|"), 50+len(id)*len(id)*10)
}

// commitUntilKilled is the child: it commits, stores and delivers with many
// callers and prints a line when, and only when, a change was acknowledged.
func commitUntilKilled(folder string) error {
	ctx := context.Background()
	s, err := Open(ctx, Config{Path: filepath.Join(folder, "state.db")}, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		return err
	}
	failed := make(chan error)
	for caller := range 16 {
		go func() {
			for i := 0; ; i++ {
				if err := oneRound(ctx, s, caller, i); err != nil {
					failed <- err
				}
			}
		}()
	}
	return <-failed
}

// oneRound commits a shot; of every third the picture is stored, and something
// is claimed and ended.
func oneRound(ctx context.Context, s *Store, caller, i int) error {
	id := fmt.Sprintf("%d-%d-%d", os.Getpid(), caller, i)
	shot, err := s.CommitShot(ctx, withRenditions(newShot(id, picture(id), hook(1), hook(2))))
	if err != nil {
		return err
	}
	acknowledge(caller, "committed", id)
	if i%3 != 0 {
		return nil
	}
	if _, err := s.MarkStored(ctx, shot.ID); err != nil {
		return err
	}
	acknowledge(caller, "stored", id)
	claimed, err := s.Claim(ctx, state.Claim{
		Destination: hook(1), Lane: state.LaneFresh, Limit: 2, Now: time.Now(), Lease: time.Hour,
	})
	if err != nil || len(claimed) == 0 {
		return err
	}
	d := claimed[0] // the second one stays claimed
	err = s.Finish(ctx, state.Result{DeliveryID: d.ID, Attempt: d.Attempt, Outcome: state.OutcomeDelivered, Started: time.Now()})
	if err == nil {
		acknowledge(caller, "delivered", strconv.FormatInt(d.ID, 10))
	}
	return err
}

// acknowledge prints a line with one write, which a kill cannot divide.
func acknowledge(caller int, what, id string) { _, _ = fmt.Fprintln(os.Stdout, caller, what, id) }

// acknowledged are the ids of what children said was done. What is durable
// shortly after it was acknowledged, and was followed by nothing that is durable
// at once, may be missing after the kill, but as a whole.
type acknowledged struct {
	committed, stored, delivered  []string
	storedOfLate, deliveredOfLate map[string]string // id to caller
}

func newAcknowledged() *acknowledged {
	return &acknowledged{storedOfLate: map[string]string{}, deliveredOfLate: map[string]string{}}
}

func (a *acknowledged) note(caller, what, id string) {
	switch what {
	case "stored":
		a.storedOfLate[id] = caller
	case "delivered":
		a.deliveredOfLate[id] = caller
	case "committed":
		a.committed = append(a.committed, id)
		a.stored = settled(a.stored, a.storedOfLate, caller)
		a.delivered = settled(a.delivered, a.deliveredOfLate, caller)
	}
}

// settled moves what the caller acknowledged before its latest commit.
func settled(to []string, late map[string]string, caller string) []string {
	for id, by := range late {
		if by == caller {
			to = append(to, id)
			delete(late, id)
		}
	}
	return to
}

func (a *acknowledged) add(b *acknowledged) {
	a.committed, a.stored, a.delivered = append(a.committed, b.committed...), append(a.stored, b.stored...), append(a.delivered, b.delivered...)
	maps.Copy(a.storedOfLate, b.storedOfLate)
	maps.Copy(a.deliveredOfLate, b.deliveredOfLate)
}

// TestKill kills a process that is committing, several times over the same
// folder, and checks after each kill that nothing acknowledged is missing.
func TestKill(t *testing.T) {
	folder := t.TempDir()
	all := newAcknowledged()
	const rounds = 6
	for round := range rounds {
		latest := runAndKill(t, folder, 40+rand.IntN(400))
		all.add(latest)
		if round == rounds-1 {
			latest = all // what an earlier round left must be there too
		}
		s := openStore(t, filepath.Join(folder, "state.db"), prometheus.NewRegistry(), defaultTuning())
		verifyWhole(t, s)
		verifyAcknowledged(t, s, latest)
		counts, err := s.CountDeliveries(t.Context())
		check(t, err)
		if counts["claimed"] != 0 {
			t.Errorf("round %d: %d leases of the dead process are left", round, counts["claimed"])
		}
		check(t, s.Close())
		if t.Failed() {
			t.FailNow()
		}
	}
	t.Logf("%d shots, %d stored and %d delivered were acknowledged, none lost; of the last of each caller, %d and %d might have been",
		len(all.committed), len(all.stored), len(all.delivered), len(all.storedOfLate), len(all.deliveredOfLate))
}

// runAndKill runs a child, kills it after so many lines, and returns what it
// acknowledged.
func runAndKill(t *testing.T, folder string, lines int) *acknowledged {
	t.Helper()
	got := newAcknowledged()
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), crashFolder+"="+folder)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	check(t, err)
	check(t, child.Start())
	seen := 0
	for scanner := bufio.NewScanner(out); scanner.Scan(); seen++ {
		words := strings.Fields(scanner.Text())
		got.note(words[0], words[1], words[2])
		if seen == lines {
			check(t, child.Process.Kill())
		}
	}
	if err := child.Wait(); err == nil || seen < lines {
		t.Fatalf("the child ended by itself after %d lines: %v", seen, err)
	}
	return got
}

func verifyAcknowledged(t *testing.T, s *Store, a *acknowledged) {
	t.Helper()
	if n := number(t, s, "SELECT (SELECT count(*) FROM shot) - (SELECT count(*) FROM facts)"); n != 0 {
		t.Errorf("%d shots have no facts", n)
	}
	stored := make(map[string]bool)
	for _, id := range a.stored {
		stored[id] = true
	}
	deliveries := deliveriesByEvent(t, s)
	for _, id := range a.committed {
		list := deliveries[id]
		if len(list) != 2 || list[0].Shot.EventID != id || len(list[0].Event.Fields) == 0 {
			t.Fatalf("of the acknowledged shot %s there is %+v", id, list)
		}
		if n := len(list[0].Shot.Renditions); n != 2 {
			t.Fatalf("the acknowledged shot %s has %d renditions, want 2", id, n)
		}
		is := list[1].State
		if stored[id] && is != state.StatePending {
			t.Errorf("shot %s was acknowledged as stored, but its delivery is %s", id, is)
		}
		verifyPictures(t, s, list[0].Shot, is == state.StateWaiting)
	}
	for _, id := range a.delivered {
		if n := number(t, s, "SELECT count(*) FROM attempt JOIN delivery ON delivery.id = attempt.delivery WHERE state = 3 AND delivery = ?", id); n != 1 {
			t.Errorf("the acknowledged delivery %s has %d attempts that delivered it", id, n)
		}
	}
	for id := range a.deliveredOfLate {
		if n := number(t, s, "SELECT (SELECT state = 3 FROM delivery WHERE id = ?1) - (SELECT count(*) FROM attempt WHERE delivery = ?1)", id); n != 0 {
			t.Errorf("the delivery %s, acknowledged last, is there by half", id)
		}
	}
}

func verifyPictures(t *testing.T, s *Store, shot stillcast.Shot, spooled bool) {
	t.Helper()
	whole := withRenditions(newShot(shot.EventID, picture(shot.EventID)))
	for i, want := range append([][]byte{whole.Picture}, whole.Renditions...) {
		got, err := s.SpooledPicture(t.Context(), shot.ID, i)
		switch {
		case !spooled && stillcast.CodeOf(err) != stillcast.CodeNotFound:
			t.Errorf("shot %s is stored, but of its picture %d there is %v, %v", shot.EventID, i, len(got), err)
		case spooled && err != nil:
			t.Errorf("the picture %d of shot %s is lost: %v", i, shot.EventID, err)
		case spooled && !bytes.Equal(got, want):
			t.Errorf("the picture %d of shot %s is another one", i, shot.EventID)
		}
	}
}

func deliveriesByEvent(t *testing.T, s *Store) map[string][]state.DeliveryStatus {
	t.Helper()
	byEvent := make(map[string][]state.DeliveryStatus)
	for after := int64(0); ; {
		page, err := s.Deliveries(t.Context(), state.DeliveryFilter{AfterID: after, Limit: state.MaxPage})
		check(t, err)
		if len(page) == 0 {
			return byEvent
		}
		for _, d := range page {
			byEvent[d.Event.ID] = append(byEvent[d.Event.ID], d)
			after = d.ID
		}
	}
}

// TestReopenReleasesLeases covers what TestKill leaves to chance: that a lease
// is released at once and the count of attempts goes on.
func TestReopenReleasesLeases(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s := openStore(t, path, prometheus.NewRegistry(), defaultTuning())
	_, err := s.MarkStored(t.Context(), commit(t, s, newShot("e1", []byte("jpeg"), hook(1))).ID)
	check(t, err)
	c := state.Claim{Destination: hook(1), Lane: state.LaneFresh, Limit: 1, Now: time.Now(), Lease: time.Hour}
	first, err := s.Claim(t.Context(), c)
	check(t, err)
	check(t, s.Close())

	s = openStore(t, path, prometheus.NewRegistry(), defaultTuning())
	c.Lane, c.Now = state.LaneRetry, time.Now()
	again, err := s.Claim(t.Context(), c)
	check(t, err)
	if len(again) != 1 || again[0].ID != first[0].ID || again[0].Attempt != 2 {
		t.Errorf("after a restart claimed %+v, want attempt 2 of delivery %d", again, first[0].ID)
	}
	verifyWhole(t, s)
}
