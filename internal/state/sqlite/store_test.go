package sqlite

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stillcast/stillcast/internal/state/statetest"
)

func TestContract(t *testing.T) {
	// Making the tables takes longer than most of the tests.
	path := filepath.Join(t.TempDir(), "state.db")
	s, err := Open(t.Context(), Config{Path: path}, discard(), prometheus.NewRegistry())
	check(t, err)
	check(t, s.Close())
	empty, err := os.ReadFile(path)
	check(t, err)
	noted := &statements{seen: make(map[string]bool)}
	tuned := defaultTuning()
	tuned.wrap = noted.wrap
	statetest.Run(t, func(t *testing.T) statetest.Store {
		t.Helper()
		path := filepath.Join(t.TempDir(), "state.db")
		check(t, os.WriteFile(path, empty, 0o600))
		s := openStore(t, path, prometheus.NewRegistry(), tuned)
		t.Cleanup(func() { noted.unheard(func() { verifyKept(t, s) }) })
		return s
	})
	noted.verifyPlans(t, newStore(t))
}

// newStore opens an empty store that is closed with the test.
func newStore(t testing.TB) *Store {
	t.Helper()
	return openStore(t, filepath.Join(t.TempDir(), "state.db"), prometheus.NewRegistry(), defaultTuning())
}

func openStore(t testing.TB, path string, registry *prometheus.Registry, tuned tuning) *Store {
	t.Helper()
	s, err := openTuned(t.Context(), Config{Path: path}, discard(), registry, tuned)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }
