package faulttest

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
	"github.com/stillcast/stillcast/internal/state/sqlite"
	"github.com/stillcast/stillcast/internal/testkit/lossfs"
)

// TestPowerCutOfState is the state alone, with a hundred times the shots that a
// server takes: many callers commit at once when the power is cut.
func TestPowerCutOfState(t *testing.T) {
	t.Parallel()
	disk := lossfs.Mount(t, "")
	path := filepath.Join(disk.Dir, "state.db")
	random := chance(t)
	total, n := 0, rounds(t, 2)
	for i := range n {
		ids := killProgram(t, roleShots, path, "", 50+random.IntN(min(50*n, 1000)))
		total += len(ids)
		disk.Cut(t, int64(i%2)*(1+random.Int64N(1<<40)))
		auditState(t, path, ids)
		if t.Failed() {
			t.FailNow()
		}
	}
	t.Logf("%d shots were acknowledged, and none is lost", total)
}

// TestFullDiskIsNamed opens a state on a disk that has no room for it: new, and one
// that a killed program left.
func TestFullDiskIsNamed(t *testing.T) {
	t.Parallel()
	disk := lossfs.Mount(t, "")
	refused := func(path string) {
		t.Helper()
		s, err := openState(path)
		if err == nil {
			s.Close()
		}
		if want := "the disk of data folder " + filepath.Dir(path) + " is full: 0 KiB are free"; err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("opened on a full disk: %v, want an error with %q", err, want)
		}
	}
	disk.Fill(t, 0)
	refused(filepath.Join(disk.Dir, "new.db"))
	disk.Fill(t, -1)
	path := filepath.Join(disk.Dir, "state.db")
	ids := killProgram(t, roleShots, path, "", 50)
	disk.Fill(t, 0)
	refused(path)
	disk.Fill(t, -1)
	auditState(t, path, ids)
}

func openState(path string) (*sqlite.Store, error) {
	return sqlite.Open(context.Background(), sqlite.Config{Path: path}, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
}

// commitShots is the program that takes shots as fast as it can, and writes a line
// for each that was acknowledged. Of every third the picture is stored, too.
func commitShots() error {
	ctx := context.Background()
	s, err := openState(os.Getenv(rowsPathKey))
	if err != nil {
		return err
	}
	failed := make(chan error)
	for caller := range 16 {
		go func() {
			for i := 0; ; i++ {
				if err := commitShot(ctx, s, caller, i); err != nil {
					failed <- err
				}
			}
		}()
	}
	return <-failed
}

func commitShot(ctx context.Context, s *sqlite.Store, caller, i int) error {
	id := fmt.Sprintf("%d-%d-%d", os.Getpid(), caller, i)
	stream := stillcast.Stream{Domain: "push.example.com", App: "live", Name: fmt.Sprint(caller % 5)}
	shot, err := s.CommitShot(ctx, state.NewShot{
		Shot: stillcast.Shot{
			EventID: id, PushID: "push", Stream: stream, Bucket: testBucket, Key: id + ".jpg", Captured: time.Now(), Due: time.Now(), Width: 160, Height: 90,
		},
		Picture:      pictureOf(id),
		Destinations: []stillcast.Destination{{TemplateID: 1, Event: stillcast.EventShot}},
		MakeEvent: func(shot stillcast.Shot) (stillcast.Event, error) {
			return stillcast.Event{ID: id, Type: stillcast.EventShot, Stream: stream, PushID: "push", At: shot.Captured, Fields: []byte("{}")}, nil
		},
	})
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(os.Stdout, id); err != nil {
		return err
	}
	if i%3 == 0 {
		_, err = s.MarkStored(ctx, shot.ID)
	}
	return err
}

// pictureOf is 1 to 13 KB, so that some are longer than a page.
func pictureOf(id string) []byte {
	return bytes.Repeat([]byte(id+"|"), 100+len(id)%2*900+int(id[len(id)-1]-'0')*20)
}

// auditState demands what was acknowledged last, whole, and numbers without a hole.
func auditState(t *testing.T, path string, ids []string) {
	t.Helper()
	s, err := openState(path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	deliveries := map[string]state.DeliveryStatus{}
	numbers := map[string]map[int64]bool{}
	for _, d := range pages(t, func(ctx context.Context, after int64) ([]state.DeliveryStatus, error) {
		return s.Deliveries(ctx, state.DeliveryFilter{AfterID: after, Limit: state.MaxPage})
	}, func(d state.DeliveryStatus) int64 { return d.ID }) {
		deliveries[d.Event.ID] = d
		if numbers[d.Event.Stream.Name] == nil {
			numbers[d.Event.Stream.Name] = map[int64]bool{}
		}
		numbers[d.Event.Stream.Name][d.Sequence] = true
	}
	for name, has := range numbers {
		for number := range int64(len(has)) {
			if !has[number+1] {
				t.Errorf("stream %s has %d events and no number %d", name, len(has), number+1)
			}
		}
	}
	for _, id := range ids {
		d, ok := deliveries[id]
		if !ok {
			t.Errorf("shot %s was acknowledged, and is gone", id)
			continue
		}
		if d.State != state.StateWaiting {
			continue // its picture is stored
		}
		if picture, err := s.SpooledPicture(t.Context(), d.Shot.ID, 0); err != nil || !bytes.Equal(picture, pictureOf(id)) {
			t.Errorf("the picture of shot %s is another, of %d bytes, or lost: %v", id, len(picture), err)
		}
	}
}

// killProgram runs a program of a role until it wrote so many lines, kills it, and
// returns the whole lines that it wrote.
func killProgram(t *testing.T, role, path, synchronous string, atLeast int) (lines []string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe")
	cmd.Env = append(os.Environ(), roleKey+"="+role, rowsPathKey+"="+path, rowsSyncKey+"="+synchronous)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for r := bufio.NewReader(out); ; {
		line, err := r.ReadString('\n')
		if err != nil {
			break
		}
		if lines = append(lines, strings.TrimSpace(line)); len(lines) == atLeast {
			_ = cmd.Process.Kill()
		}
	}
	if err := cmd.Wait(); err == nil || len(lines) < atLeast {
		t.Fatalf("the program ended by itself after %d lines: %v", len(lines), err)
	}
	return lines
}
