package testkit

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// NPMFolder returns the folder in which scripts/setup.sh installed what a lock
// file of npm lists, under that name.
func NPMFolder(t testing.TB, name string, lock []byte) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatalf("finding the folder of %s: %v", name, err)
	}
	sum := sha256.Sum256(lock)
	folder := filepath.Join(cache, "stillcast", fmt.Sprintf("%s-%x", name, sum[:8]))
	if _, err := os.Stat(folder); err != nil {
		t.Fatalf("finding %s (scripts/setup.sh test installs it): %v", name, err)
	}
	return folder
}
