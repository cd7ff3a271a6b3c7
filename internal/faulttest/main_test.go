package faulttest

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/stillcast/stillcast/internal/codec"
	"github.com/stillcast/stillcast/internal/testkit/lossfs"
)

// The test binary is also the server that is ill-treated, its codec worker, the
// file system whose power is cut, and programs that write rows.
const (
	roleKey    = "STILLCAST_TEST_ROLE"
	roleWorker = "worker"
	roleServer = "server"
	roleRows   = "rows"
	roleShots  = "shots"
)

func TestMain(m *testing.M) {
	if asked, code := lossfs.Serve(); asked {
		os.Exit(code)
	}
	roles := map[string]func() error{roleWorker: codec.RunWorker, roleServer: serve, roleRows: writeRows, roleShots: commitShots}
	if role, ok := roles[os.Getenv(roleKey)]; ok {
		if err := role(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	flag.Parse()
	// They wait for most of their time.
	if err := flag.Set("test.parallel", "5"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m)
}

// rounds is how often a test does its worst: short, or what the environment says.
func rounds(t *testing.T, short int) int {
	t.Helper()
	return fromEnvironment(t, "STILLCAST_FAULT_ROUNDS", short)
}

// chance is where all that is random in a test comes from.
func chance(t *testing.T) *rand.Rand {
	t.Helper()
	seed := fromEnvironment(t, "STILLCAST_FAULT_SEED", int(time.Now().UnixNano()%1_000_000))
	t.Logf("STILLCAST_FAULT_SEED=%d", seed)
	return rand.New(rand.NewPCG(uint64(seed), 0))
}

func fromEnvironment(t *testing.T, key string, otherwise int) int {
	t.Helper()
	text, ok := os.LookupEnv(key)
	if !ok {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s is %q, want a number from 1", key, text)
	}
	return n
}
