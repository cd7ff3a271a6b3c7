package sqlite

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// crashFolder names the variable that makes the test binary a child of
// TestKill: a program that commits until it is killed.
const crashFolder = "STILLCAST_TEST_CRASH_FOLDER"

func TestMain(m *testing.M) {
	if folder := os.Getenv(crashFolder); folder != "" {
		fmt.Fprintln(os.Stderr, commitUntilKilled(folder))
		os.Exit(1)
	}
	if path := os.Getenv(lockPath); path != "" {
		if err := lockUntilEnd(path, os.Getenv(lockStatement)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}
