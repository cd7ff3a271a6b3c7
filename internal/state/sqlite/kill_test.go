package sqlite

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

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
				if err := oneRound(ctx, s, fmt.Sprintf("%d-%d-%d", os.Getpid(), caller, i), i); err != nil {
					failed <- err
				}
			}
		}()
	}
	return <-failed
}

// oneRound commits a shot; of every third the picture is stored, and something
// is claimed and ended.
func oneRound(ctx context.Context, s *Store, id string, i int) error {
	shot, err := s.CommitShot(ctx, withRenditions(newShot(id, picture(id), hook(1), hook(2))))
	if err != nil {
		return err
	}
	acknowledge("committed", id)
	if i%3 != 0 {
		return nil
	}
	if _, err := s.MarkStored(ctx, shot.ID); err != nil {
		return err
	}
	acknowledge("stored", id)
	claimed, err := s.Claim(ctx, state.Claim{
		Destination: hook(1), Lane: state.LaneFresh, Limit: 2, Now: time.Now(), Lease: time.Hour,
	})
	if err != nil || len(claimed) == 0 {
		return err
	}
	d := claimed[0] // the second one stays claimed
	err = s.Finish(ctx, state.Result{DeliveryID: d.ID, Attempt: d.Attempt, Outcome: state.OutcomeDelivered, Started: time.Now()})
	if err == nil {
		acknowledge("delivered", strconv.FormatInt(d.ID, 10))
	}
	return err
}

// acknowledge prints a line with one write, which a kill cannot divide.
func acknowledge(what, id string) { _, _ = fmt.Fprintln(os.Stdout, what, id) }

// TestKill kills a process that is committing, several times over the same
// folder, and checks after each kill that nothing acknowledged is missing.
func TestKill(t *testing.T) {
	folder := t.TempDir()
	acknowledged := make(map[string][]string)
	const rounds = 6
	for round := range rounds {
		latest := runAndKill(t, folder, 40+rand.IntN(400))
		for what, ids := range latest {
			acknowledged[what] = append(acknowledged[what], ids...)
		}
		if round == rounds-1 {
			latest = acknowledged // what an earlier round left must be there too
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
	t.Logf("%d shots, %d stored and %d delivered were acknowledged, none lost",
		len(acknowledged["committed"]), len(acknowledged["stored"]), len(acknowledged["delivered"]))
}

// runAndKill runs a child, kills it after so many lines, and returns what it
// acknowledged.
func runAndKill(t *testing.T, folder string, lines int) map[string][]string {
	t.Helper()
	acknowledged := make(map[string][]string)
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), crashFolder+"="+folder)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	check(t, err)
	check(t, child.Start())
	seen := 0
	for scanner := bufio.NewScanner(out); scanner.Scan(); seen++ {
		what, id, _ := strings.Cut(scanner.Text(), " ")
		acknowledged[what] = append(acknowledged[what], id)
		if seen == lines {
			check(t, child.Process.Kill())
		}
	}
	if err := child.Wait(); err == nil || seen < lines {
		t.Fatalf("the child ended by itself after %d lines: %v", seen, err)
	}
	return acknowledged
}

func verifyAcknowledged(t *testing.T, s *Store, acknowledged map[string][]string) {
	t.Helper()
	stored := make(map[string]bool)
	for _, id := range acknowledged["stored"] {
		stored[id] = true
	}
	if n := number(t, s, "SELECT (SELECT count(*) FROM shot) - (SELECT count(*) FROM facts)"); n != 0 {
		t.Errorf("%d shots have no facts", n)
	}
	deliveries := deliveriesByEvent(t, s)
	for _, id := range acknowledged["committed"] {
		list := deliveries[id]
		if len(list) != 2 || list[0].Shot.EventID != id || len(list[0].Event.Fields) == 0 {
			t.Fatalf("of the acknowledged shot %s there is %+v", id, list)
		}
		if stored[id] && list[1].State != state.StatePending {
			t.Errorf("shot %s was acknowledged as stored, but its delivery is %s", id, list[1].State)
		}
		if n := len(list[0].Shot.Renditions); n != 2 {
			t.Fatalf("the acknowledged shot %s has %d renditions, want 2", id, n)
		}
		whole := withRenditions(newShot(id, picture(id)))
		for i, want := range append([][]byte{whole.Picture}, whole.Renditions...) {
			got, err := s.SpooledPicture(t.Context(), list[0].Shot.ID, i)
			switch {
			case stored[id] && err == nil:
				t.Errorf("shot %s was acknowledged as stored, but its picture %d is in the spool", id, i)
			case err != nil && list[1].State == state.StateWaiting:
				t.Errorf("the picture %d of shot %s is lost: %v", i, id, err)
			case err == nil && !bytes.Equal(got, want):
				t.Errorf("the picture %d of shot %s is another one", i, id)
			}
		}
	}
	for _, id := range acknowledged["delivered"] {
		if n := number(t, s, "SELECT count(*) FROM attempt JOIN delivery ON delivery.id = attempt.delivery WHERE state = 3 AND delivery = ?", id); n != 1 {
			t.Errorf("the acknowledged delivery %s has %d attempts that delivered it", id, n)
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
