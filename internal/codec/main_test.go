package codec

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

// workerEnv makes this test binary a worker: "real", or one of those that misbehave or attack.
const workerEnv = "STILLCAST_TEST_WORKER"

// builtEnv is where builtWorker puts its program.
const builtEnv = "STILLCAST_TEST_BUILT"

func TestMain(m *testing.M) {
	if mode := os.Getenv(workerEnv); mode != "" {
		if err := actAsWorker(mode); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	dir, err := os.MkdirTemp("", "codec")
	if err == nil {
		err = os.Setenv(builtEnv, dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		os.RemoveAll(dir)
		os.Exit(code)
	}))
}

// build builds the worker, once for all tests.
var build = sync.OnceValues(func() (string, error) {
	path := filepath.Join(os.Getenv(builtEnv), "worker.test")
	out, err := exec.Command("go", "test", "-c", "-o", path, ".").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build the worker: %w\n%s", err, out)
	}
	return path, nil
})

// builtWorker is this test program, built without the sanitizers that it may run under: no limit on memory allows
// their shadow memory, and no sandbox what they do at the end.
func builtWorker(t testing.TB, mode string) Program {
	t.Helper()
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return Program{Path: path, Env: []string{workerEnv + "=" + mode}}
}
