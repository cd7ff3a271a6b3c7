package app

import (
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// lines keeps a log.
type lines struct {
	mu  sync.Mutex
	all []string
}

func (l *lines) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, string(line))
	return len(line), nil
}

func (l *lines) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

// wait returns the first line that holds text.
func (l *lines) wait(t *testing.T, text string) string {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(30 * time.Second)
	for {
		l.mu.Lock()
		for _, line := range l.all {
			if strings.Contains(line, text) {
				l.mu.Unlock()
				return line
			}
		}
		l.mu.Unlock()
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("the log has no line with %q after 30 s", text)
		}
	}
}

// waitForAtLeast returns once a metric has a value of at least n.
func waitForAtLeast(t *testing.T, base, name string, n float64) {
	t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(60 * time.Second)
	for {
		page, err := download(t.Context(), base+"/metrics")
		if err != nil {
			t.Fatal(err)
		}
		value := ""
		for line := range strings.Lines(string(page)) {
			if rest, ok := strings.CutPrefix(line, name+" "); ok {
				value = strings.TrimSpace(rest)
			}
		}
		if v, err := strconv.ParseFloat(value, 64); err == nil && v >= n {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%s is %q after 60 s, want at least %v", name, value, n)
		}
	}
}
