package faulttest

import (
	"fmt"
	"testing"

	"github.com/stillcast/stillcast/internal/testkit"
)

// streams are pushed at once: each gives a shot at every start and one each two
// seconds.
const streams = 32

// TestKill kills the server at random moments, from its first start on.
func TestKill(t *testing.T) {
	t.Parallel()
	t.Run("folder", func(t *testing.T) {
		t.Parallel()
		killRounds(t, newWorld(t, t.TempDir(), "{}", ""))
	})
	t.Run("s3 with mirror", func(t *testing.T) {
		t.Parallel()
		g := testkit.StartVersityGW(t, testkit.VersityGWOptions{}, testBucket)
		killRounds(t, newS3World(t, g, g.Endpoint))
	})
}

func killRounds(t *testing.T, w *world) {
	t.Helper()
	w.fleet.begin(t, streams)
	n, served := rounds(t, 2), 0
	for range n {
		if w.killAtRandom() {
			served++
		}
	}
	w.killUnderLoad()
	t.Logf("%d kills, %d of them while it served", n+1, served+1)
	w.mustBeWhole(append(w.settle(), w.audit()...))
}

const testBucket = "shots-1250000000"

// newS3World keeps the pictures in a private bucket of a real server, and in a
// mirror.
func newS3World(t *testing.T, g *testkit.VersityGW, endpoint string) *world {
	t.Helper()
	mirror := t.TempDir()
	w := newWorld(t, t.TempDir(), fmt.Sprintf(`
  type: s3
  url: presigned
  s3: {endpoint: %q, access_key: %s, secret_key: %s, addressing: path}
  mirrors: [{name: second, type: file, file: {dir: %q}}]
  upload: {concurrency: 1, timeout: 1s, breaker: {failures: 3, max_pause: 1s}}`, endpoint, g.AccessKey, g.SecretKey, mirror), ", mirror: second")
	w.remote, w.pictures, w.receiver.mirror = true, []string{g.Dir, mirror}, mirror
	return w
}
